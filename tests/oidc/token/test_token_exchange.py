"""Token exchange (RFC 8693): one token for another, never a wider one."""

from typing import Any

import pytest

from tests.support.exchanging import (
    ACCESS_TOKEN,
    NOW_MS,
    claims_of,
    exchange,
    introspected,
    subject_token,
)
from tests.support.provider_world import API, ISSUER, NOW, OTHER_API, TOKEN_EXCHANGE, World, key

# One token: less scope, another audience.


async def test_rfc8693_2_2_1_the_response_names_the_issued_token_type() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world))
    assert answer.status == 200, answer.body
    assert answer.header("cache-control") == "no-store"
    assert answer.json["issued_token_type"] == ACCESS_TOKEN
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 300
    assert "refresh_token" not in answer.json
    assert "id_token" not in answer.json


async def test_a_token_for_less_scope_keeps_subject_and_actor() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world), scope="mandate")
    assert answer.json["scope"] == "mandate"
    claims = claims_of(answer)
    assert (claims["sub"], claims["act"]) == (f"{API}:org-1", {"sub": f"{API}:person-1"})
    assert claims["scope"] == "mandate"
    assert claims["acr"] == f"{ISSUER}/acr/loa2"


@pytest.mark.parametrize("name", ["resource", "audience"])
async def test_rfc8693_2_1_another_audience_by_resource_or_audience(name: str) -> None:
    world = World()
    answer = await exchange(world, await subject_token(world), **{name: OTHER_API})
    claims = claims_of(answer)
    assert (claims["aud"], claims["sub"]) == (OTHER_API, f"{OTHER_API}:org-1")


async def test_resource_and_audience_alike_are_one_target() -> None:
    world = World()
    token = await subject_token(world)
    alike = await exchange(world, token, resource=OTHER_API, audience=OTHER_API)
    assert claims_of(alike)["aud"] == OTHER_API
    apart = await exchange(world, token, resource=OTHER_API, audience=API)
    assert apart.error == "invalid_target"


@pytest.mark.parametrize("name", ["resource", "audience"])
async def test_rfc8693_2_2_2_a_target_that_the_client_may_not_have_is_invalid_target(
    name: str,
) -> None:
    world = World()
    world.change_client("service", resources=frozenset({API}))
    answer = await exchange(world, await subject_token(world), **{name: OTHER_API})
    assert (answer.status, answer.error) == (400, "invalid_target")


async def test_rfc8693_the_scope_is_never_wider_than_the_subject_tokens() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world), scope="mandate entity.identity")
    assert (answer.status, answer.error) == (400, "invalid_scope")


async def test_the_scope_is_never_wider_than_the_clients() -> None:
    world = World()
    world.change_client("service", scopes=frozenset({"openid"}))
    token = await subject_token(world)
    assert (await exchange(world, token, scope="mandate")).error == "invalid_scope"
    assert (await exchange(world, token)).json["scope"] == "openid"


async def test_offline_access_is_never_passed_on() -> None:
    world = World()
    token = await subject_token(world, scope=("openid", "offline_access"))
    assert (await exchange(world, token)).json["scope"] == "openid"
    assert (await exchange(world, token, scope="offline_access")).error == "invalid_scope"


async def test_the_new_token_lives_no_longer_than_the_subject_token() -> None:
    world = World()
    token = await subject_token(world, expires_at=NOW_MS + 40_000)
    answer = await exchange(world, token)
    assert answer.json["expires_in"] == 40
    assert claims_of(answer)["exp"] == NOW + 40


async def test_the_new_token_ends_with_the_subject_tokens_grant() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world))
    token = str(answer.json["access_token"])
    assert (await introspected(world, token))["active"] is True
    await world.store.write(lambda writes: writes.end_grant("g1", NOW_MS, "test"))
    assert (await introspected(world, token)) == {"active": False}


async def test_authorization_details_do_not_come_along() -> None:
    world = World()
    details = ({"type": "sample", "amount": "5"},)
    await world.add_grant("g1", client_id="service", authorization_details=details)
    answer = await exchange(world, await subject_token(world))
    assert "authorization_details" not in claims_of(answer)
    told = await introspected(world, str(answer.json["access_token"]))
    assert told["active"] is True
    assert "authorization_details" not in told


async def test_an_opaque_token_for_our_own_endpoints_stays_one() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world, audience=""), scope="openid")
    header = (b"authorization", f"Bearer {answer.json['access_token']}".encode())
    told = await world.userinfo("GET", header)
    assert told.json["scopes"] == ["openid"]


# Whose tokens.


async def test_another_clients_token_is_refused() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world, client_id="legacy"))
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_rfc8693_4_4_the_server_of_the_audience_may_act_if_the_token_names_it() -> None:
    world = World()
    world.change_client("legacy", may_act="service")
    world.change_client("service", serves=frozenset({API}))
    token = await subject_token(world, client_id="legacy")
    answer = await exchange(world, token, audience=OTHER_API)
    claims = claims_of(answer)
    assert (claims["client_id"], claims["aud"]) == ("service", OTHER_API)
    assert claims["act"] == {"sub": f"{OTHER_API}:person-1"}


async def test_may_act_alone_is_not_enough_where_the_token_is_for_somebody_else() -> None:
    world = World()
    world.change_client("legacy", may_act="service")
    token = await subject_token(world, client_id="legacy")
    assert (await exchange(world, token, audience=OTHER_API)).error == "invalid_request"


async def test_to_serve_the_audience_alone_is_not_enough() -> None:
    world = World()
    world.change_client("service", serves=frozenset({API}))
    token = await subject_token(world, client_id="legacy")
    assert (await exchange(world, token, audience=OTHER_API)).error == "invalid_request"


async def test_another_clients_token_is_never_exchanged_for_our_own_endpoints() -> None:
    world = World()
    world.change_client("legacy", may_act="service")
    world.change_client("service", serves=frozenset({API}))
    token = await subject_token(world, client_id="legacy")
    answer = await exchange(world, token, resource=f"{ISSUER}/userinfo")
    assert answer.error == "invalid_target"


async def test_rfc8693_4_4_may_act_is_in_the_token_and_at_introspection() -> None:
    world = World()
    world.change_client("service", may_act="api")
    answer = await exchange(world, await subject_token(world))
    named = {"sub": "api", "sub_type": "client"}
    assert claims_of(answer)["may_act"] == named
    assert (await introspected(world, str(answer.json["access_token"])))["may_act"] == named


async def test_a_bound_token_is_exchanged_with_its_own_key_only() -> None:
    world = World()
    token = await subject_token(world, jkt=key("dpop").kid)
    assert (await exchange(world, token)).error == "invalid_request"
    other = await world.proof(signer=key("thief"))
    assert (await exchange(world, token, other)).error == "invalid_request"
    bound = await exchange(world, token, await world.proof())
    assert bound.json["token_type"] == "DPoP"
    assert claims_of(bound)["cnf"] == {"jkt": key("dpop").kid}


async def test_fapi2_an_exchange_needs_a_proof_too() -> None:
    world = World()
    token = await subject_token(world, client_id="bank")
    assert (await exchange(world, token, client_id="bank")).error == "invalid_dpop_proof"


async def test_a_client_without_the_grant_type_is_unauthorized_client() -> None:
    world = World()
    world.change_client("service", grant_types=frozenset({"authorization_code"}))
    answer = await exchange(world, await subject_token(world))
    assert answer.error == "unauthorized_client"


async def test_a_public_client_exchanges_nothing() -> None:
    world = World()
    world.change_client("service", token_endpoint_auth_method="none", jwks=None)
    token = await subject_token(world)
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "client_id": "service",
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
    }
    answer = await world.token(None, form)
    assert answer.error == "unauthorized_client"


# What is not a good subject token: RFC 8693 2.2.2 says invalid_request.


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token": "cid_at_unknown"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"actor_token_type": ACCESS_TOKEN},
        {"actor_token": "cid_at_unknown"},
        {"actor_token": "cid_at_unknown", "actor_token_type": ACCESS_TOKEN},
        {"actor_token": "x", "actor_token_type": "urn:ietf:params:oauth:token-type:jwt"},
    ],
)
async def test_rfc8693_2_2_2_a_bad_request_is_invalid_request(changes: dict[str, Any]) -> None:
    world = World()
    answer = await exchange(world, await subject_token(world), **changes)
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_an_expired_subject_token_is_invalid_request() -> None:
    world = World()
    token = await subject_token(world, expires_at=NOW_MS)
    assert (await exchange(world, token)).error == "invalid_request"


async def test_a_subject_token_whose_grant_has_ended_is_invalid_request() -> None:
    world = World()
    token = await subject_token(world)
    await world.store.write(lambda writes: writes.end_grant("g1", NOW_MS, "test"))
    assert (await exchange(world, token)).error == "invalid_request"


async def test_a_machines_own_token_is_invalid_request() -> None:
    world = World()
    answer = await exchange(world, await world.machine_token())
    assert answer.error == "invalid_request"


async def test_authorization_details_are_not_part_of_an_exchange() -> None:
    world = World()
    answer = await exchange(world, await subject_token(world), authorization_details="[]")
    assert answer.error == "invalid_authorization_details"
