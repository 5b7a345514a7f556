"""Fetching the tokens of backchannel authentication (CIBA Core 1.0, 10 and 11)."""

import asyncio
import json
from typing import Any

import pytest

from keys import base64url
from oidc.errors import InvalidRequest
from tests.oidc.ciba.test_backchannel_authentication import ask, ciba_world
from tests.support.asgi import Answer
from tests.support.polling import say_no, say_yes
from tests.support.provider_world import CIBA, World


async def begun(world: World, client_id: str = "service", **form: Any) -> str:
    return str((await ask(world, client_id, **form)).json["auth_req_id"])


async def poll(world: World, code: str, *headers: tuple[bytes, bytes]) -> Answer:
    return await world.token("service", {"grant_type": CIBA, "auth_req_id": code}, *headers)


async def test_ciba_11_authorization_pending_then_tokens() -> None:
    world = ciba_world()
    code = await begun(world)
    assert (await poll(world, code)).error == "authorization_pending"
    await say_yes(world, code)
    tokens = (await poll(world, code)).json
    claims = json.loads(base64url.decode(tokens["id_token"].split(".")[1]))
    assert claims["urn:openid:params:jwt:claim:auth_req_id"] == code
    assert claims["acr"].endswith("loa2")
    assert "nonce" not in claims


async def test_ciba_11_slow_down() -> None:
    world = ciba_world()
    code = await begun(world)
    assert (await poll(world, code)).error == "authorization_pending"
    world.now += 1
    assert (await poll(world, code)).error == "slow_down"


async def test_ciba_11_access_denied() -> None:
    world = ciba_world()
    code = await begun(world)
    await say_no(world, code)
    assert (await poll(world, code)).error == "access_denied"


async def test_ciba_11_expired_token() -> None:
    world = ciba_world()
    code = await begun(world, requested_expiry="60")
    world.now += 60
    assert (await poll(world, code)).error == "expired_token"


async def test_ciba_11_of_two_polls_at_once_one_gets_tokens() -> None:
    world = ciba_world()
    code = await begun(world)
    await say_yes(world, code)
    answers = await asyncio.gather(*(poll(world, code) for _ in range(4)))
    assert sorted(one.status for one in answers) == [200, 400, 400, 400]


async def test_another_clients_request_is_unknown() -> None:
    world = ciba_world()
    code = await begun(world, "bank")
    assert (await poll(world, code)).error == "invalid_grant"


async def test_a_missing_auth_req_id_is_invalid_request() -> None:
    answer = await ciba_world().token("service", {"grant_type": CIBA})
    assert answer.error == "invalid_request"


async def test_fapi2_the_tokens_are_bound_by_the_proof() -> None:
    world = ciba_world()
    code = await begun(world, "bank")
    form = {"grant_type": CIBA, "auth_req_id": code}
    assert (await world.token("bank", form)).error == "invalid_dpop_proof"
    await say_yes(world, code)
    tokens = (await world.token("bank", form, await world.proof())).json
    assert tokens["token_type"] == "DPoP"


async def test_nobody_else_can_answer_for_the_person_who_was_meant() -> None:
    world = ciba_world()
    code = await begun(world)
    with pytest.raises(InvalidRequest):
        await say_yes(world, code, actor="person-2")
    assert (await poll(world, code)).error == "authorization_pending"


async def test_nobody_can_answer_for_another_business_than_was_meant() -> None:
    world = ciba_world()
    code = await begun(world, login_hint="brn:12345678")
    with pytest.raises(InvalidRequest):
        await say_yes(world, code, subject="org-2")
    await say_yes(world, code, actor="person-2", subject="org-1")
    assert (await poll(world, code)).status == 200
