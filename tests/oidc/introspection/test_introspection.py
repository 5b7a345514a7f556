"""Token introspection (RFC 7662)."""

from typing import Any

import pytest

from oidc.errors import InvalidGrant
from tests.support.asgi import Answer, call, post_form
from tests.support.provider_world import API, ISSUER, NOW, OTHER_API, World, basic, key

INACTIVE = b'{"active":false}'


async def ask(world: World, token: str, client_id: str = "api", **form: str) -> Answer:
    sent = {**await world.proving(client_id), "token": token, **form}
    return await post_form(world.introspection_endpoint, sent)


async def person_token(world: World, **grant: Any) -> str:
    await world.add_grant(**{"resource": (API,), **grant})
    answer = await world.redeem(await world.add_code(), "bank", await world.proof())
    return str(answer.json["access_token"])


async def test_rfc7662_2_2_a_resource_server_is_told_about_a_token_for_it() -> None:
    world = World()
    answer = await ask(world, await person_token(world))
    assert answer.header("cache-control") == "no-store"
    assert answer.json == {
        "active": True,
        "iss": ISSUER,
        "aud": API,
        "sub": f"{API}:org-1",
        "act": {"sub": f"{API}:person-1"},
        "mandate": {"powers": ["openid", "mandate", "offline_access"]},
        "client_id": "bank",
        "scope": "openid mandate offline_access",
        "token_type": "DPoP",
        "cnf": {"jkt": key("dpop").kid},
        "iat": NOW,
        "exp": NOW + 300,
        "acr": f"{ISSUER}/acr/loa2",
        "auth_time": NOW - 30,
    }


async def test_a_machines_token() -> None:
    world = World()
    told = (await ask(world, await world.machine_token(scope="payments"))).json
    assert (told["sub"], told["client_id"]) == ("service", "service")
    assert told["token_type"] == "Bearer"
    assert "cnf" not in told


async def test_a_client_is_told_about_its_own_opaque_token() -> None:
    world = World()
    token = await person_token(world, resource=())
    assert token.startswith("cid_at_")
    told = (await ask(world, token, "bank")).json
    assert (told["active"], told["aud"], told["sub"]) == (True, ISSUER, "bank.example:org-1")


@pytest.mark.parametrize("token", ["unknown", "cid_at_unknown", "a.b.c", "cid_rt_1"])
async def test_rfc7662_2_2_an_unknown_token_is_inactive_and_nothing_more(token: str) -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token()
    answer = await ask(world, token)
    assert (answer.status, answer.body) == (200, INACTIVE)


async def test_rfc7662_4_a_token_for_another_audience_is_not_told_about() -> None:
    world = World()
    assert (await ask(world, await world.machine_token(resource=OTHER_API))).body == INACTIVE
    assert (await ask(world, await person_token(world, resource=()))).body == INACTIVE
    token = await world.machine_token()
    assert (await ask(world, token, "bank")).body == INACTIVE


async def test_an_expired_token_is_inactive() -> None:
    world = World()
    token = await person_token(world)
    world.now += 300
    assert (await ask(world, token)).body == INACTIVE


async def test_an_ended_grants_token_is_inactive_at_once() -> None:
    world = World()
    token = await person_token(world)
    await world.store.write(lambda writes: writes.end_grant("g1", NOW * 1000, "mandate_ended"))
    assert (await ask(world, token)).body == INACTIVE


async def test_a_disabled_clients_token_is_inactive_at_once() -> None:
    world = World()
    token = await person_token(world)
    del world.tables.clients["bank"]
    assert (await ask(world, token)).body == INACTIVE


async def test_an_authority_that_ends_meanwhile_makes_it_inactive() -> None:
    world = World()
    token = await person_token(world)

    async def ended(*_: object) -> Any:
        raise InvalidGrant("ended")

    world.provider.claims.introspection = ended  # type: ignore[method-assign]
    assert (await ask(world, token)).body == INACTIVE


async def test_a_narrowed_token_is_told_with_its_own_scope() -> None:
    world = World()
    await world.add_grant(resource=(API,))
    await world.add_refresh_token()
    form = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", "scope": "mandate"}
    answer = await world.token("bank", form, await world.proof())
    told = (await ask(world, answer.json["access_token"])).json
    assert (told["scope"], told["mandate"]) == ("mandate", {"powers": ["mandate"]})


async def test_rfc7662_2_1_the_caller_must_authenticate() -> None:
    world = World()
    answer = await post_form(world.introspection_endpoint, {"token": "x"})
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_any_registered_method_authenticates_and_a_hint_is_ignored() -> None:
    world = World()
    answer = await post_form(
        world.introspection_endpoint,
        {"token": "x", "token_type_hint": "refresh_token"},
        headers=[basic("legacy")],
    )
    assert answer.body == INACTIVE


async def test_a_replayed_assertion_is_refused() -> None:
    world = World()
    form = {**await world.proving("api"), "token": "x"}
    assert (await post_form(world.introspection_endpoint, form)).status == 200
    answer = await post_form(world.introspection_endpoint, form)
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_token_is_required_and_get_is_refused() -> None:
    world = World()
    assert (await ask(world, "")).error == "invalid_request"
    answer = await call(world.introspection_endpoint, "GET")
    assert (answer.status, answer.header("allow")) == (405, "POST")
