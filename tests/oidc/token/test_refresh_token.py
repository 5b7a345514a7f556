"""grant_type=refresh_token."""

import asyncio

import pytest

from keys import jwt
from tests.support.asgi import Answer
from tests.support.provider_world import API, NOW, OTHER_API, World, client, key


async def ready(**grant: object) -> World:
    world = World()
    await world.add_grant(**grant)
    await world.add_refresh_token()
    return world


async def refresh(world: World, client_id: str = "bank", **form: str) -> Answer:
    given = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", **form}
    return await world.token(client_id, given, await world.proof())


def refused(answer: Answer, error: str = "invalid_grant") -> None:
    assert (answer.status, answer.error) == (400, error)


async def test_rfc6749_6_fresh_tokens_under_the_same_grant() -> None:
    world = await ready()
    body = (await refresh(world)).json
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert body["scope"] == "openid mandate offline_access"


async def test_fapi2_5_3_2_1_refresh_tokens_are_not_rotated() -> None:
    world = await ready()
    answers = await asyncio.gather(*(refresh(world) for _ in range(3)))
    assert [answer.status for answer in answers] == [200] * 3
    assert len(world.tables.refresh_tokens) == 1
    assert world.tables.grants["g1"].ended_at is None


async def test_core_12_2_the_id_token_keeps_auth_time_and_leaves_the_nonce_out() -> None:
    world = await ready()
    world.now += 600
    claims = jwt.unverified_claims((await refresh(world)).json["id_token"])
    assert claims["auth_time"] == NOW - 30
    assert claims["iat"] == NOW + 600
    assert "nonce" not in claims


async def test_rfc6749_6_the_scope_may_be_narrowed() -> None:
    world = await ready()
    body = (await refresh(world, scope="mandate")).json
    assert body["scope"] == "mandate"
    assert "id_token" not in body
    (row,) = world.tables.access_tokens.values()
    assert row.scope == ("mandate",)


@pytest.mark.parametrize("scope", ["openid entity.identity", "unknown", "openid  mandate"])
async def test_rfc6749_6_the_scope_is_never_widened(scope: str) -> None:
    refused(await refresh(await ready(), scope=scope), "invalid_scope")


async def test_rfc8707_one_of_the_granted_resources() -> None:
    world = await ready(resource=(API,))
    token = (await refresh(world, resource=API)).json["access_token"]
    assert jwt.unverified_claims(token)["aud"] == API
    refused(await refresh(world, resource=OTHER_API), "invalid_target")


async def test_another_clients_refresh_token_is_as_good_as_an_unknown_one() -> None:
    world = await ready()
    theft = await refresh(world, "other-bank")
    refused(theft)
    assert theft == await refresh(world, "other-bank", refresh_token="cid_rt_unknown")


async def test_a_refresh_token_expires() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token(expires_at=(NOW + 10) * 1000)
    world.now += 10
    refused(await refresh(world))


async def test_an_ended_grant_gives_nothing_more() -> None:
    world = await ready()
    await world.store.write(lambda writes: writes.end_grant("g1", NOW * 1000, "mandate_ended"))
    refused(await refresh(world))


async def test_a_grant_ends_at_its_time() -> None:
    world = await ready(expires_at=(NOW + 10) * 1000)
    world.now += 10
    refused(await refresh(world))


async def test_rfc9449_5_a_confidential_client_may_come_with_a_new_key() -> None:
    world = await ready()
    form = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1"}
    answer = await world.token("bank", form, await world.proof(signer=key("new")))
    assert answer.status == 200
    (row,) = world.tables.access_tokens.values()
    assert row.jkt == key("new").kid


async def test_rfc9449_5_a_key_bound_refresh_token_needs_its_key() -> None:
    world = World()
    await world.add_grant()
    await world.add_refresh_token(jkt=key("other").kid)
    refused(await refresh(world))


async def test_a_missing_refresh_token_is_invalid_request() -> None:
    refused(await refresh(await ready(), refresh_token=""), "invalid_request")


async def test_a_client_not_registered_for_it_is_unauthorized() -> None:
    world = await ready()
    world.change_client("bank", grant_types=frozenset({"authorization_code"}))
    refused(await refresh(world), "unauthorized_client")


# Public clients: each refresh token is used once (RFC 9700 4.14.2, RFC 6749 10.4).


async def app_ready(**token: object) -> World:
    world = World()
    world.tables.clients["app"] = client("app", token_endpoint_auth_method="none", jwks=None)
    await world.add_grant(client_id="app")
    await world.add_refresh_token(**token)
    return world


async def refresh_app(world: World, token: str = "cid_rt_1", **form: str) -> Answer:
    given = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app", **form}
    return await world.token(None, given)


async def test_rfc9700_4_14_2_refresh_tokens_of_public_clients_are_rotated() -> None:
    world = await app_ready()
    first = (await refresh_app(world)).json
    assert first["refresh_token"] != "cid_rt_1"
    second = (await refresh_app(world, first["refresh_token"])).json
    assert second["refresh_token"] not in ("cid_rt_1", first["refresh_token"])
    assert world.tables.grants["g1"].ended_at is None


async def test_rfc9700_4_14_2_a_refresh_token_used_again_ends_the_family() -> None:
    world = await app_ready()
    fresh = (await refresh_app(world)).json
    refused(await refresh_app(world))
    assert world.tables.end_reasons == {"g1": "refresh_token_reuse"}
    assert world.tables.events[-1].event == "refresh_token.reused"
    refused(await refresh_app(world, fresh["refresh_token"]))
    bearer = (b"authorization", f"Bearer {fresh['access_token']}".encode())
    assert (await world.userinfo("GET", bearer)).error == "invalid_token"


async def test_of_two_simultaneous_refreshes_one_wins_and_the_family_ends() -> None:
    world = await app_ready()
    answers = await asyncio.gather(refresh_app(world), refresh_app(world))
    assert sorted(answer.status for answer in answers) == [200, 400]
    (won,) = (answer.json for answer in answers if answer.status == 200)
    assert world.tables.end_reasons == {"g1": "refresh_token_reuse"}
    refused(await refresh_app(world, won["refresh_token"]))


@pytest.mark.parametrize(
    ("form", "error"),
    [({"scope": "unknown"}, "invalid_scope"), ({"resource": OTHER_API}, "invalid_target")],
)
async def test_a_request_that_is_refused_does_not_use_the_token_up(
    form: dict[str, str], error: str
) -> None:
    world = await app_ready()
    refused(await refresh_app(world, **form), error)
    assert (await refresh_app(world)).status == 200


async def test_who_lacks_the_key_of_a_used_token_does_not_end_the_family() -> None:
    world = await app_ready(jkt=key("dpop").kid, rotated_at=NOW * 1000)
    refused(await refresh_app(world))
    assert world.tables.grants["g1"].ended_at is None


async def test_a_successor_lives_no_longer_than_the_grant() -> None:
    world = await app_ready()
    answer = await refresh_app(world)
    row = world.tables.refresh_tokens[world.hash(answer.json["refresh_token"])]
    assert row.expires_at == world.tables.grants["g1"].expires_at
