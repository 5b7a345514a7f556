"""A registration that is narrowed narrows what grants and tokens of before give, at once."""

from typing import Any

from keys import jwt
from tests.oidc.device.test_device_authorization import ask, device_world
from tests.support.asgi import Answer, post_form
from tests.support.polling import say_yes
from tests.support.provider_world import API, DEVICE_CODE, World, basic

LESS = frozenset({"openid", "offline_access"})


async def signed_in(**grant: Any) -> tuple[World, str]:
    world = World()
    await world.add_grant(**grant)
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    return world, str(answer.json["access_token"])


async def refresh(world: World, **form: str) -> Answer:
    given = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", **form}
    return await world.token("bank", given, await world.proof())


async def userinfo(world: World, token: str) -> Answer:
    proof = await world.proof(path="/userinfo", method="GET", token=token)
    return await world.userinfo("GET", (b"authorization", f"DPoP {token}".encode()), proof)


async def test_a_refresh_gives_what_the_client_may_still_have() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token()
    world.change_client("bank", scopes=LESS)
    body = (await refresh(world)).json
    assert body["scope"] == "openid offline_access"
    (row,) = world.tables.access_tokens.values()
    assert row.scope == ("openid", "offline_access")


async def test_what_was_taken_away_cannot_be_asked_for_at_a_refresh() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token()
    world.change_client("bank", scopes=LESS)
    answer = await refresh(world, scope="openid mandate")
    assert (answer.status, answer.error) == (400, "invalid_scope")


async def test_a_scope_that_is_registered_again_counts_again() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token()
    before = world.tables.clients["bank"].scopes
    world.change_client("bank", scopes=LESS)
    await refresh(world)
    world.change_client("bank", scopes=before)
    assert (await refresh(world)).json["scope"] == "openid mandate offline_access"


async def test_without_offline_access_there_is_nothing_to_refresh() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token()
    world.change_client("bank", scopes=frozenset({"openid", "mandate"}))
    answer = await refresh(world)
    assert (answer.status, answer.error) == (400, "invalid_grant")


async def test_a_client_that_may_have_nothing_of_it_any_more_gets_nothing() -> None:
    world = World()
    await world.add_grant(scope=("openid", "mandate"))
    await world.add_refresh_token()
    world.change_client("bank", scopes=frozenset({"entity.identity"}))
    answer = await refresh(world)
    assert (answer.status, answer.error) == (400, "invalid_scope")
    code = await world.redeem(await world.add_code(), "bank", await world.proof())
    assert (code.status, code.error) == (400, "invalid_scope")


async def test_a_code_of_before_gives_less_and_so_do_its_tokens() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    world.change_client("bank", scopes=LESS)
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    assert answer.json["scope"] == "openid offline_access"
    claims = jwt.unverified_claims(answer.json["access_token"])
    assert claims["scope"] == "openid offline_access"


async def test_a_devices_answer_of_before_gives_less() -> None:
    world = device_world()
    code = str((await ask(world)).json["device_code"])
    await say_yes(world, code)
    world.change_client("legacy", scopes=frozenset({"openid"}))
    form = {"grant_type": DEVICE_CODE, "device_code": code}
    answer = await post_form(world.token_endpoint, form, headers=(basic("legacy"),))
    assert answer.json["scope"] == "openid"


async def test_userinfo_tells_what_the_client_may_still_know() -> None:
    world, token = await signed_in()
    assert "mandate" in (await userinfo(world, token)).json["scopes"]
    world.change_client("bank", scopes=LESS)
    assert (await userinfo(world, token)).json["scopes"] == ["openid", "offline_access"]
    world.change_client("bank", scopes=frozenset({"mandate"}))
    answer = await userinfo(world, token)
    assert (answer.status, answer.error) == (403, "insufficient_scope")


async def test_introspection_says_the_scope_that_counts_now() -> None:
    world, token = await signed_in(resource=(API,))
    world.change_client("bank", scopes=LESS)
    asked = {**await world.proving("api"), "token": token}
    answer = await post_form(world.introspection_endpoint, asked)
    assert answer.json["active"] is True
    assert answer.json["scope"] == "openid offline_access"
    assert answer.json["mandate"] == {"powers": ["openid", "offline_access"]}
