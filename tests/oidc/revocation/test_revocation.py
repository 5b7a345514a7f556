"""Token revocation (RFC 7009)."""

import pytest

from oidc.provider.revocation import REASON
from tests.support.asgi import Answer, call, post_form
from tests.support.provider_world import API, SECRET, World, basic


async def revoke(world: World, token: str, client_id: str = "bank", **form: str) -> Answer:
    sent = {**await world.proving(client_id), "token": token, **form}
    return await post_form(world.revocation_endpoint, sent)


async def active(world: World, token: str) -> bool:
    sent = {**await world.proving("api"), "token": token}
    answer = await post_form(world.introspection_endpoint, sent)
    return bool(answer.json["active"])


async def person_token(world: World) -> str:
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    return str(answer.json["access_token"])


async def refreshes(world: World) -> bool:
    form = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1"}
    return (await world.token("bank", form, await world.proof())).status == 200


async def test_rfc7009_2_an_access_token_ends_at_once_and_alone() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    await world.add_refresh_token()
    token = await person_token(world)
    assert await active(world, token)
    answer = await revoke(world, token)
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    assert not await active(world, token)
    assert await refreshes(world)  # RFC 7009 2.1: the grant may go on


async def test_rfc7009_2_1_a_refresh_token_ends_the_whole_family() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    await world.add_refresh_token()
    token = await person_token(world)
    assert (await revoke(world, "cid_rt_1")).status == 200
    assert not await active(world, token)
    assert not await refreshes(world)
    assert world.tables.end_reasons == {"g1": REASON}
    assert [one.facts for one in world.tables.events if one.event == "token.revoked"] == [
        {"client_id": "bank", "grant_id": "g1", "token_type": "refresh_token"}
    ]


async def test_a_machines_token_is_revoked_too() -> None:
    world = World()
    token = await world.machine_token()
    assert (await revoke(world, token, "service")).status == 200
    assert not await active(world, token)


@pytest.mark.parametrize("token", ["cid_at_unknown", "cid_rt_unknown", "a.b.c", "x" * 5000])
async def test_rfc7009_2_2_an_unknown_token_is_200(token: str) -> None:
    assert (await revoke(World(), token)).status == 200


async def test_rfc7009_2_2_twice_is_200() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    token = await person_token(world)
    for _ in range(2):
        assert (await revoke(world, token)).status == 200


async def test_rfc7009_2_1_another_clients_tokens_are_refused_and_untouched() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    await world.add_refresh_token()
    token = await person_token(world)
    for stolen in (token, "cid_rt_1"):
        answer = await revoke(world, stolen, "other-bank")
        assert (answer.status, answer.error) == (400, "invalid_grant")
    assert await active(world, token)
    assert await refreshes(world)


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "something_else"])
async def test_rfc7009_2_1_the_hint_is_only_a_hint(hint: str) -> None:
    world = World()
    await world.add_grant(resource=(API,))
    await world.add_refresh_token()
    token = await person_token(world)
    assert (await revoke(world, token, token_type_hint=hint)).status == 200
    assert not await active(world, token)
    assert (await revoke(world, "cid_rt_1", token_type_hint=hint)).status == 200
    assert not await refreshes(world)


@pytest.mark.parametrize("token", ["cid_ac_1", "cid_pc_1", "urn:ietf:params:oauth:request_uri:1"])
async def test_rfc7009_2_2_1_other_kinds_are_unsupported_token_type(token: str) -> None:
    world = World()
    await world.add_grant()
    await world.add_code()
    answer = await revoke(world, token)
    assert (answer.status, answer.error) == (400, "unsupported_token_type")
    assert (await world.redeem("cid_ac_1", "bank", await world.proof())).status == 200


async def test_rfc7009_2_1_every_method_authenticates_and_nobody_is_refused() -> None:
    world = World()
    at = world.revocation_endpoint
    assert (await post_form(at, {"token": "x"}, headers=[basic("legacy")])).status == 200
    posted = {"token": "x", "client_id": "poster", "client_secret": SECRET}
    assert (await post_form(at, posted)).status == 200
    answer = await post_form(at, {"token": "x"})
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_token_is_required_and_the_assertion_is_burnt_all_the_same() -> None:
    world = World()
    form = await world.proving("bank")
    answer = await post_form(world.revocation_endpoint, form)
    assert (answer.status, answer.error) == (400, "invalid_request")
    answer = await post_form(world.revocation_endpoint, {**form, "token": "x"})
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_only_post() -> None:
    answer = await call(World().revocation_endpoint, "GET")
    assert (answer.status, answer.header("allow")) == (405, "POST")
