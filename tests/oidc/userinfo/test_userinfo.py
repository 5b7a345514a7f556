"""UserInfo (OpenID Connect Core 5.3) as a protected resource (RFC 6750, RFC 9449 7, RFC 9728)."""

from typing import Any

import pytest

from keys import base64url, jwt
from oidc.errors import InsufficientUserAuthentication, InvalidGrant
from tests.support.asgi import FORM, Answer, call, post_form
from tests.support.provider_world import API, ISSUER, NOW, World, key

PATH = "/userinfo"


async def signed_in(client_id: str = "bank", **grant: Any) -> tuple[World, str, Answer]:
    world = World()
    await world.add_grant(client_id=client_id, **grant)
    proofs = [await world.proof()] if client_id == "bank" else []
    answer = await world.redeem(await world.add_code(), client_id, *proofs)
    return world, answer.json["access_token"], answer


async def by_dpop(world: World, token: str, method: str = "GET", **changes: Any) -> Answer:
    proof = await world.proof(**{"path": PATH, "method": method, "token": token, **changes})
    return await world.userinfo(method, (b"authorization", f"DPoP {token}".encode()), proof)


def refused(answer: Answer, error: str = "invalid_token", status: int = 401) -> None:
    assert (answer.status, answer.error) == (status, error)
    challenge = answer.header("www-authenticate") or ""
    assert f'error="{error}"' in challenge
    assert f'resource_metadata="{ISSUER}/.well-known/oauth-protected-resource{PATH}"' in challenge


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_core_5_3_sub_is_the_id_tokens(method: str) -> None:
    world, token, answer = await signed_in()
    told = await by_dpop(world, token, method)
    assert told.status == 200
    assert told.json["sub"] == jwt.unverified_claims(answer.json["id_token"])["sub"]
    assert told.header("cache-control") == "no-store"


async def test_rfc6750_2_1_bearer_by_header() -> None:
    world, token, _ = await signed_in("service")
    for method in ("GET", "POST"):
        for scheme in (b"Bearer", b"bearer", b"BEARER"):
            header = (b"authorization", scheme + b" " + token.encode())
            assert (await world.userinfo(method, header)).status == 200


async def test_rfc6750_2_2_bearer_by_form() -> None:
    world, token, _ = await signed_in("service")
    assert (await post_form(world.userinfo_endpoint, {"access_token": token})).status == 200


async def test_rfc6750_3_1_two_ways_at_once_is_invalid_request() -> None:
    world, token, _ = await signed_in("service")
    header = (b"authorization", b"Bearer " + token.encode())
    answer = await post_form(world.userinfo_endpoint, {"access_token": token}, headers=[header])
    refused(answer, "invalid_request", 400)


async def test_fapi2_a_token_in_the_query_is_not_read() -> None:
    world, token, _ = await signed_in("service")
    answer = await call(world.userinfo_endpoint, path=f"{PATH}?access_token={token}")
    assert answer.status == 401


async def test_rfc6750_3_1_without_token_the_challenge_has_no_error_code() -> None:
    answer = await World().userinfo()
    assert answer.status == 401
    challenge = answer.header("www-authenticate") or ""
    assert "error" not in challenge
    assert "DPoP resource_metadata=" in challenge
    assert "Bearer resource_metadata=" in challenge


async def test_rfc6750_3_1_without_openid_insufficient_scope() -> None:
    world, token, _ = await signed_in("service", scope=("mandate",))
    answer = await world.userinfo("GET", (b"authorization", b"Bearer " + token.encode()))
    refused(answer, "insufficient_scope", 403)
    assert 'scope="openid"' in (answer.header("www-authenticate") or "")


async def test_a_narrowed_token_tells_no_more_than_its_scope() -> None:
    world, _, first = await signed_in()
    form = {"grant_type": "refresh_token", "refresh_token": first.json["refresh_token"]}
    narrowed = await world.token("bank", {**form, "scope": "openid"}, await world.proof())
    told = await by_dpop(world, narrowed.json["access_token"])
    assert told.json["scopes"] == ["openid"]


async def test_a_token_for_another_resource_is_refused() -> None:
    world, token, _ = await signed_in("service", resource=(API,))
    refused(await world.userinfo("GET", (b"authorization", b"Bearer " + token.encode())))


async def test_expired_ended_and_unknown_tokens_are_refused() -> None:
    world, token, _ = await signed_in()
    refused(await by_dpop(world, "cid_at_unknown"))
    world.now += 300
    refused(await by_dpop(world, token))
    world.now = NOW
    await world.store.write(lambda writes: writes.end_grant("g1", NOW * 1000, "ended"))
    refused(await by_dpop(world, token))


async def test_a_disabled_clients_token_is_refused() -> None:
    world, token, _ = await signed_in()
    del world.tables.clients["bank"]
    refused(await by_dpop(world, token))


async def test_an_authority_that_ends_meanwhile_ends_the_token() -> None:
    world, token, _ = await signed_in()

    async def ended(*_: object) -> Any:
        raise InvalidGrant("ended")

    world.provider.claims.userinfo = ended  # type: ignore[method-assign]
    refused(await by_dpop(world, token))


async def test_rfc9470_3_a_demand_for_another_sign_in_is_a_challenge() -> None:
    world, token, _ = await signed_in()
    wanted = (f"{ISSUER}/acr/loa2", f"{ISSUER}/acr/loa3")

    async def demand(*_: object) -> Any:
        raise InsufficientUserAuthentication("too weak", acr_values=wanted, max_age=60)

    world.provider.claims.userinfo = demand  # type: ignore[method-assign]
    answer = await by_dpop(world, token)
    refused(answer, "insufficient_user_authentication")
    challenge = answer.header("www-authenticate") or ""
    assert challenge.startswith("DPoP ")
    assert f'acr_values="{wanted[0]} {wanted[1]}"' in challenge
    assert 'max_age="60"' in challenge


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_other_methods_are_405(method: str) -> None:
    assert (await World().userinfo(method)).status == 405


# RFC 9449 at the resource.


async def test_rfc9449_7_2_no_downgrade_to_bearer() -> None:
    world, token, _ = await signed_in()
    refused(await world.userinfo("GET", (b"authorization", b"Bearer " + token.encode())))
    refused(await post_form(world.userinfo_endpoint, {"access_token": token}))


async def test_rfc9449_7_1_a_bearer_token_is_not_taken_by_the_dpop_scheme() -> None:
    world, token, _ = await signed_in("service")
    refused(await by_dpop(world, token))


@pytest.mark.parametrize("scheme", [b"DPoP", b"dpop", b"DPOP"])
async def test_rfc9449_7_1_the_scheme_is_case_insensitive(scheme: bytes) -> None:
    world, token, _ = await signed_in()
    proof = await world.proof(path=PATH, method="GET", token=token)
    header = (b"authorization", scheme + b" " + token.encode())
    assert (await world.userinfo("GET", header, proof)).status == 200


async def test_rfc9449_7_1_no_proof() -> None:
    world, token, _ = await signed_in()
    answer = await world.userinfo("GET", (b"authorization", b"DPoP " + token.encode()))
    refused(answer, "invalid_dpop_proof")


async def test_rfc9449_7_1_two_proofs() -> None:
    world, token, _ = await signed_in()
    proofs = [await world.proof(path=PATH, method="GET", token=token) for _ in range(2)]
    header = (b"authorization", b"DPoP " + token.encode())
    refused(await world.userinfo("GET", header, *proofs), "invalid_dpop_proof")


async def test_rfc9449_7_1_another_key() -> None:
    world, token, _ = await signed_in()
    refused(await by_dpop(world, token, signer=key("other")))


@pytest.mark.parametrize(
    "changes",
    [
        {"ath": None},
        {"ath": "AAAA"},
        {"ath": base64url.encode(b"x" * 32)},
        {"htm": "POST"},
        {"htu": f"{ISSUER}/token"},
        {"jti": None},
        {"iat": None},
        {"iat": NOW - 3600},
        {"iat": NOW + 3600},
        {"typ": "JWT"},
        {"signer": key("dpop", "RS256")},
        {"header": {"jwk": None}},
        {"header": {"jwk": key("dpop").private_jwk()}},
    ],
)
async def test_rfc9449_4_3_rejects(changes: dict[str, Any]) -> None:
    world, token, _ = await signed_in()
    refused(await by_dpop(world, token, **changes), "invalid_dpop_proof")


@pytest.mark.parametrize(
    "changes",
    [
        {"htu": f"{ISSUER}/userinfo?a=1"},
        {"htu": f"{ISSUER}/userinfo#f"},
        {"htu": "HTTPS://ID.example.HK:443/userinfo"},
        {"iat": NOW - 10},
        {"iat": NOW + 10},
        {"nbf": NOW + 9999, "exp": 1},
    ],
)
async def test_rfc9449_4_3_accepts(changes: dict[str, Any]) -> None:
    world, token, _ = await signed_in()
    assert (await by_dpop(world, token, **changes)).status == 200


async def test_rfc9449_11_1_second_use_of_a_jti() -> None:
    world, token, _ = await signed_in()
    assert (await by_dpop(world, token, jti="once")).status == 200
    refused(await by_dpop(world, token, jti="once"), "invalid_dpop_proof")


async def test_rfc9449_9_a_nonce_is_demanded_by_401() -> None:
    world, token, _ = await signed_in()
    strict = World(store=world.store, dpop_nonce_required=True)
    first = await by_dpop(strict, token)
    refused(first, "use_dpop_nonce")
    told = await by_dpop(strict, token, nonce=first.header("dpop-nonce"))
    assert told.status == 200
    assert told.header("dpop-nonce") is not None


async def test_a_form_of_another_kind_is_not_read() -> None:
    world, token, _ = await signed_in("service")
    body = f"access_token={token}".encode()
    json = (b"content-type", b"application/json")
    assert (await call(world.userinfo_endpoint, "POST", headers=[json], body=body)).status == 401
    twice = body + b"&" + body
    answer = await call(world.userinfo_endpoint, "POST", headers=[FORM], body=twice)
    assert (answer.status, answer.error) == (400, "invalid_request")
