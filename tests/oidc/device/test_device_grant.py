"""Fetching the tokens of a device (RFC 8628 3.4, 3.5)."""

import asyncio
from typing import Any

from tests.oidc.device.test_device_authorization import ask, device_world
from tests.support.asgi import Answer, post_form
from tests.support.polling import row_of, say_no, say_yes
from tests.support.provider_world import API, DEVICE_CODE, World, basic, key


async def begun(world: World, **form: str) -> str:
    return str((await ask(world, **form)).json["device_code"])


async def poll(world: World, code: str, *headers: tuple[bytes, bytes], **form: Any) -> Answer:
    given = {"grant_type": DEVICE_CODE, "device_code": code, **form}
    return await post_form(world.token_endpoint, given, headers=(basic("legacy"), *headers))


async def test_rfc8628_3_5_authorization_pending_until_the_person_has_answered() -> None:
    world = device_world()
    code = await begun(world)
    answer = await poll(world, code)
    assert (answer.status, answer.error) == (400, "authorization_pending")
    await say_yes(world, code)
    tokens = (await poll(world, code)).json
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "openid mandate"
    assert "id_token" in tokens
    assert "refresh_token" not in tokens


async def test_rfc8628_3_5_slow_down_adds_five_seconds_for_good() -> None:
    world = device_world()
    code = await begun(world)
    assert (await poll(world, code)).error == "authorization_pending"
    world.now += 2
    assert (await poll(world, code)).error == "slow_down"
    assert (await row_of(world, code)).interval == 10_000
    world.now += 6
    assert (await poll(world, code)).error == "slow_down"
    assert (await row_of(world, code)).interval == 15_000
    world.now += 15
    assert (await poll(world, code)).error == "authorization_pending"
    assert (await row_of(world, code)).interval == 15_000, "for this and all later requests"


async def test_a_client_that_keeps_the_interval_is_never_told_to_slow_down() -> None:
    world = device_world()
    code = await begun(world)
    for _ in range(10):
        assert (await poll(world, code)).error == "authorization_pending"
        world.now += 4.5  # the network is not even


async def test_an_answer_is_given_however_early_it_is_asked_for() -> None:
    world = device_world()
    code = await begun(world)
    await poll(world, code)
    await say_yes(world, code)
    assert (await poll(world, code)).status == 200


async def test_rfc8628_3_5_access_denied() -> None:
    world = device_world()
    code = await begun(world)
    await say_no(world, code)
    assert (await poll(world, code)).error == "access_denied"


async def test_rfc8628_3_5_expired_token() -> None:
    world = device_world()
    code = await begun(world)
    world.now += 600
    assert (await poll(world, code)).error == "expired_token"


async def test_an_expired_request_takes_no_answer_any_more() -> None:
    world = device_world()
    code = await begun(world)
    world.now += 600
    await say_no(world, code)
    assert (await row_of(world, code)).refused_at is None


async def test_a_code_is_used_once() -> None:
    world = device_world()
    code = await begun(world)
    await say_yes(world, code)
    assert (await poll(world, code)).status == 200
    assert (await poll(world, code)).error == "invalid_grant"


async def test_of_two_polls_at_once_one_gets_tokens() -> None:
    world = device_world()
    code = await begun(world)
    await say_yes(world, code)
    answers = await asyncio.gather(*(poll(world, code) for _ in range(5)))
    assert sorted(one.status for one in answers) == [200, 400, 400, 400, 400]
    assert {one.error for one in answers if one.status == 400} == {"invalid_grant"}
    assert len(world.tables.access_tokens) == 1


async def test_another_clients_code_is_unknown() -> None:
    world = device_world()
    code = await begun(world)
    world.change_client("service", grant_types=frozenset({DEVICE_CODE}))
    other = await world.token("service", {"grant_type": DEVICE_CODE, "device_code": code})
    assert other.error == "invalid_grant"


async def test_an_unknown_code_is_invalid_grant_and_a_missing_one_invalid_request() -> None:
    world = device_world()
    assert (await poll(world, "cid_dc_unknown")).error == "invalid_grant"
    form = {"grant_type": DEVICE_CODE}
    missing = await post_form(world.token_endpoint, form, headers=(basic("legacy"),))
    assert missing.error == "invalid_request"


async def test_a_grant_that_has_ended_before_the_device_asked_gives_nothing() -> None:
    world = device_world()
    code = await begun(world)
    await say_yes(world, code)
    (grant_id,) = world.tables.grants
    await world.store.write(lambda writes: writes.end_grant(grant_id, 1, "test"))
    assert (await poll(world, code)).error == "invalid_grant"


async def test_rfc9449_5_the_tokens_are_bound_by_the_proof_of_the_token_request() -> None:
    world = device_world()
    code = await begun(world)
    await say_yes(world, code)
    tokens = (await poll(world, code, await world.proof())).json
    assert tokens["token_type"] == "DPoP"
    row = world.tables.access_tokens[world.hash(tokens["access_token"])]
    assert row.jkt == key("dpop").kid


async def test_a_client_whose_tokens_must_be_bound_polls_with_a_proof() -> None:
    world = device_world(dpop_bound_access_tokens=True)
    code = await begun(world)
    assert (await poll(world, code)).error == "invalid_dpop_proof"


async def test_offline_access_brings_a_refresh_token_and_a_resource_a_jwt() -> None:
    world = device_world()
    code = await begun(world, scope="openid offline_access", resource=API)
    await say_yes(world, code)
    tokens = (await poll(world, code)).json
    assert tokens["refresh_token"].startswith("cid_rt_")
    assert tokens["access_token"].count(".") == 2
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = await post_form(world.token_endpoint, form, headers=(basic("legacy"),))
    assert again.status == 200


async def test_the_answer_is_audited_and_names_the_grant_type() -> None:
    world = device_world()
    code = await begun(world)
    await say_yes(world, code)
    granted = [one for one in world.tables.events if one.event == "authorization.granted"]
    assert granted[0].facts["grant_type"] == DEVICE_CODE
