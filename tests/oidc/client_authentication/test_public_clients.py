"""Public clients (RFC 6749 2.1): method none, PKCE, and what their word is not enough for."""

import pytest

from oidc.profiles import PROFILES
from oidc.provider.metadata import provider_metadata
from oidc.records import RefreshToken
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import (
    ALL_GRANTS,
    API,
    REDIRECT,
    VERIFIER,
    World,
    challenge,
    client,
    key,
)

CODE = {
    "grant_type": "authorization_code",
    "code": "cid_ac_1",
    "redirect_uri": REDIRECT,
    "code_verifier": VERIFIER,
    "client_id": "app",
}
REQUEST = {
    "client_id": "app",
    "response_type": "code",
    "redirect_uri": REDIRECT,
    "scope": "openid",
    "code_challenge": challenge(),
    "code_challenge_method": "S256",
}


def world_with_app(**changes: object) -> World:
    world = World()
    app = client("app", token_endpoint_auth_method="none", jwks=None, **changes)
    world.tables.clients["app"] = app
    return world


async def ready(world: World) -> World:
    await world.add_grant(client_id="app")
    await world.add_code()
    return world


def refused(answer: Answer, error: str = "invalid_client", status: int = 401) -> None:
    assert (answer.status, answer.error) == (status, error)


async def test_rfc6749_3_2_1_a_public_client_redeems_its_code_by_its_name_and_the_verifier() -> (
    None
):
    world = await ready(world_with_app())
    answer = await world.token(None, CODE)
    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["id_token"]


@pytest.mark.parametrize("verifier", ["w" * 43, ""])
async def test_rfc9700_2_1_1_without_the_verifier_the_name_is_worth_nothing(verifier: str) -> None:
    world = await ready(world_with_app())
    refused(await world.token(None, {**CODE, "code_verifier": verifier}), "invalid_grant", 400)
    assert (await world.token(None, CODE)).status == 200


async def test_rfc6749_4_1_3_another_public_client_does_not_redeem_the_code() -> None:
    world = await ready(world_with_app())
    world.tables.clients["other"] = client("other", token_endpoint_auth_method="none", jwks=None)
    refused(await world.token(None, {**CODE, "client_id": "other"}), "invalid_grant", 400)


async def test_fapi2_5_3_2_1_public_clients_are_not_for_fapi2() -> None:
    strict = [name for name in PROFILES if name.startswith("fapi2")]
    assert all("none" not in PROFILES[name].auth_methods for name in strict)
    world = await ready(world_with_app(profile="fapi2"))
    refused(await world.token(None, CODE, await world.proof()))


@pytest.mark.parametrize("client_id", ["bank", "legacy", "service", "nobody", "\0"])
async def test_a_name_alone_is_not_enough_for_any_other_client(client_id: str) -> None:
    world = await ready(world_with_app())
    answer = await world.token(None, {"grant_type": "refresh_token", "client_id": client_id})
    if client_id == "\0":
        refused(answer, "invalid_request", 400)
        return
    refused(answer)
    assert answer == await world.token(None, {"grant_type": "refresh_token"})


async def test_a_public_client_does_not_get_in_with_a_secret_or_an_assertion() -> None:
    world = await ready(world_with_app())
    refused(await world.token(None, {**CODE, "client_secret": "anything"}))
    proving = await world.proving("app", await world.assertion("app"))
    refused(await world.token(None, {**CODE, **proving}))


async def test_rfc9126_2_a_public_client_may_push_its_request() -> None:
    world = world_with_app()
    answer = await post_form(world.par_endpoint, REQUEST)
    assert answer.status == 201
    (kept,) = world.tables.pushed.values()
    assert kept.client_id == "app"


async def test_rfc7636_pkce_is_never_waived_for_a_public_client() -> None:
    world = world_with_app(pkce_required=False)
    form = {name: value for name, value in REQUEST.items() if not name.startswith("code_ch")}
    refused(await post_form(world.par_endpoint, form), "invalid_request", 400)


async def test_rfc7662_2_1_a_public_client_may_not_introspect() -> None:
    world = world_with_app()
    refused(await post_form(world.introspection_endpoint, {"client_id": "app", "token": "x"}))


async def test_rfc6749_4_4_client_credentials_are_for_clients_that_authenticate() -> None:
    world = world_with_app(grant_types=ALL_GRANTS)
    form = {"grant_type": "client_credentials", "client_id": "app", "resource": API}
    refused(await world.token(None, form), "unauthorized_client", 400)


async def test_rfc7009_2_1_a_public_client_gives_back_its_own_tokens_and_no_others() -> None:
    world = world_with_app()
    await world.add_grant(client_id="app")
    await world.add_refresh_token()
    world.tables.clients["other"] = client("other", token_endpoint_auth_method="none", jwks=None)
    form = {"token": "cid_rt_1", "client_id": "other"}
    refused(await post_form(world.revocation_endpoint, form), "invalid_grant", 400)
    assert world.tables.grants["g1"].ended_at is None
    answer = await post_form(world.revocation_endpoint, {**form, "client_id": "app"})
    assert answer.status == 200
    assert world.tables.grants["g1"].ended_at is not None


async def test_discovery_lists_none_for_all_but_introspection() -> None:
    document = provider_metadata(World().provider.config)
    for name, methods in document.items():
        if name.endswith("_auth_methods_supported"):
            assert ("none" in methods) == ("introspection" not in name), name


# RFC 9449 5: what DPoP binds for them.


async def refresh_token_of(world: World, answer: Answer) -> RefreshToken:
    row: RefreshToken = world.tables.refresh_tokens[world.hash(answer.json["refresh_token"])]
    return row


async def test_rfc9449_5_the_refresh_token_of_a_public_client_is_bound_to_its_key() -> None:
    world = await ready(world_with_app())
    answer = await world.token(None, CODE, await world.proof())
    assert answer.json["token_type"] == "DPoP"
    assert (await refresh_token_of(world, answer)).jkt == key("dpop").kid
    form = {
        "grant_type": "refresh_token",
        "refresh_token": answer.json["refresh_token"],
        "client_id": "app",
    }
    refused(await world.token(None, form), "invalid_grant", 400)
    refused(
        await world.token(None, form, await world.proof(signer=key("new"))), "invalid_grant", 400
    )
    fresh = await world.token(None, form, await world.proof())
    assert (await refresh_token_of(world, fresh)).jkt == key("dpop").kid


async def test_rfc9449_5_that_of_a_confidential_client_is_bound_to_the_client() -> None:
    world = World()
    await world.add_grant()
    await world.add_code()
    answer = await world.redeem("cid_ac_1", "bank", await world.proof())
    assert (await refresh_token_of(world, answer)).jkt is None
