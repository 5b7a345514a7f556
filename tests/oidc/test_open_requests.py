"""How many requests of one client wait is bounded where anybody can make some in its name."""

from typing import Any

import pytest

from oidc.provider.backchannel_authentication import AT_ONCE
from tests.oidc.ciba import test_backchannel_authentication as ciba
from tests.support.asgi import Answer, post_form
from tests.support.polling import say_no, say_yes
from tests.support.provider_world import DEVICE_CODE, REDIRECT, World, challenge, client

MOST = 3
PUSHED = {
    "response_type": "code",
    "redirect_uri": REDIRECT,
    "scope": "openid mandate",
    "code_challenge": challenge(),
    "code_challenge_method": "S256",
}


def bounded_world(**app: Any) -> World:
    world = World(open_requests=MOST)
    public = {"token_endpoint_auth_method": "none", "jwks": None}
    given = {"grant_types": frozenset({"authorization_code", DEVICE_CODE}), **public, **app}
    world.tables.clients["app"] = client("app", **given)
    return world


async def push(world: World, client_id: str = "app") -> Answer:
    public = world.tables.clients[client_id].is_public
    proving = {"client_id": client_id} if public else await world.proving(client_id)
    return await post_form(world.par_endpoint, {**proving, **PUSHED})


async def begin(world: World) -> Answer:
    return await post_form(world.device_endpoint, {"client_id": "app", "scope": "openid"})


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (429, "temporarily_unavailable")
    assert int(answer.header("retry-after") or 0) > 0


async def test_rfc9126_2_3_more_pushed_requests_of_a_public_client_are_429() -> None:
    world = bounded_world()
    assert [(await push(world)).status for _ in range(MOST)] == [201] * MOST
    refused(await push(world))
    assert len(world.tables.pushed) == MOST
    world.now += 91
    assert (await push(world)).status == 201


async def test_what_is_used_does_not_wait() -> None:
    world = bounded_world()
    for _ in range(2 * MOST):
        answer = await push(world)
        assert answer.status == 201
        key = world.hash(answer.json["request_uri"])
        await world.store.write(lambda writes, k=key: writes.claim_pushed_request(k, 1))


async def test_other_clients_have_bounds_of_their_own() -> None:
    world = bounded_world()
    for _ in range(MOST):
        await push(world)
    world.tables.clients["other"] = client("other", token_endpoint_auth_method="none", jwks=None)
    assert (await push(world, "other")).status == 201


async def test_a_client_that_registered_itself_is_bounded_and_a_vetted_one_is_not() -> None:
    world = bounded_world(token_endpoint_auth_method="private_key_jwt", vetted=False)
    world.change_client("app", jwks=client("app").jwks)
    for _ in range(MOST):
        assert (await push(world)).status == 201
    refused(await push(world))
    for _ in range(2 * MOST):
        assert (await push(world, "service")).status == 201


@pytest.mark.parametrize("answered", [say_yes, say_no])
async def test_rfc8628_more_devices_of_a_public_client_are_429(answered: Any) -> None:
    world = bounded_world()
    told = [(await begin(world)).json for _ in range(MOST)]
    refused(await begin(world))
    await answered(world, told[0]["device_code"])
    assert (await begin(world)).status == 200
    refused(await begin(world))
    world.now += 601
    assert (await begin(world)).status == 200


async def test_a_person_is_not_flooded_with_requests_of_one_client() -> None:
    world = ciba.ciba_world()
    asked = [await ciba.ask(world) for _ in range(AT_ONCE)]
    assert {answer.status for answer in asked} == {200}
    refused(await ciba.ask(world))
    business = [await ciba.ask(world, login_hint="brn:12345678") for _ in range(AT_ONCE)]
    assert {answer.status for answer in business} == {200}
    refused(await ciba.ask(world, login_hint="brn:12345678"))
    await say_no(world, asked[0].json["auth_req_id"])
    assert (await ciba.ask(world)).status == 200


async def test_backchannel_requests_of_a_client_that_registered_itself_are_bounded() -> None:
    world = ciba.ciba_world(vetted=False)
    bounded = World(world.store, open_requests=MOST)
    assert [(await ciba.ask(bounded)).status for _ in range(MOST + 1)] == [200] * MOST + [429]
