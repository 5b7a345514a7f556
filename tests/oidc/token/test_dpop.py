"""DPoP at the token endpoint: every negative of RFC 9449 4.3, and what must be accepted."""

from typing import Any

import pytest

from keys import base64url
from tests.support.asgi import Answer
from tests.support.provider_world import API, ISSUER, NOW, World, key

MACHINE = {"grant_type": "client_credentials", "resource": API}
TOKEN_URL = f"{ISSUER}/token"


async def send(world: World, *headers: tuple[bytes, bytes]) -> Answer:
    return await world.token("bank", MACHINE, *headers)


async def with_proof(**changes: Any) -> Answer:
    world = World()
    return await send(world, await world.proof(**changes))


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (400, "invalid_dpop_proof")


async def test_rfc9449_5_a_proof_binds_the_token_to_its_key() -> None:
    world = World()
    answer = await send(world, await world.proof())
    assert answer.json["token_type"] == "DPoP"
    (row,) = world.tables.access_tokens.values()
    assert row.jkt == key("dpop").kid


async def test_fapi2_refuses_tokens_that_are_not_sender_constrained() -> None:
    refused(await send(World()))


async def test_rfc9449_5_2_a_client_registered_for_bound_tokens_needs_a_proof() -> None:
    world = World()
    world.change_client("service", dpop_bound_access_tokens=True)
    refused(await world.token("service", MACHINE))


async def test_rfc9449_4_3_1_rejects_two_headers() -> None:
    world = World()
    refused(await send(world, await world.proof(), await world.proof()))


@pytest.mark.parametrize("proof", [b"not a jwt", b"a.b.c", b"\xff\xfe", b"x" * 9000])
async def test_rfc9449_4_3_2_rejects_what_is_no_jwt(proof: bytes) -> None:
    refused(await send(World(), (b"dpop", proof)))


@pytest.mark.parametrize("claim", ["jti", "htm", "htu", "iat"])
async def test_rfc9449_4_3_3_rejects_a_proof_without(claim: str) -> None:
    refused(await with_proof(**{claim: None}))


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "client-authentication+jwt"])
async def test_rfc9449_4_3_4_rejects_wrong_typ(typ: str | None) -> None:
    refused(await with_proof(typ=typ))


async def test_rfc9449_4_3_5_rejects_rs256() -> None:
    refused(await with_proof(signer=key("dpop", "RS256")))


async def test_rfc9449_4_3_5_rejects_alg_none() -> None:
    world = World()
    _, proof = await world.proof()
    header = base64url.encode(b'{"alg":"none","typ":"dpop+jwt"}')
    payload = proof.decode().split(".")[1]
    refused(await send(world, (b"dpop", f"{header}.{payload}.".encode())))


async def test_rfc9449_4_3_6_rejects_a_bad_signature() -> None:
    other = {n: v for n, v in key("other").public_jwk.items() if n in {"kty", "crv", "x", "y"}}
    refused(await with_proof(header={"jwk": other}))


async def test_rfc9449_4_3_7_rejects_a_private_key_in_the_header() -> None:
    refused(await with_proof(header={"jwk": key("dpop").private_jwk()}))


@pytest.mark.parametrize("jwk", [None, "text", {}, {"kty": "oct", "k": "AAAA"}])
async def test_rfc9449_4_3_rejects_a_header_without_a_public_key(jwk: Any) -> None:
    refused(await with_proof(header={"jwk": jwk}))


async def test_rfc9449_4_3_8_rejects_wrong_htm() -> None:
    refused(await with_proof(htm="GET"))


@pytest.mark.parametrize(
    "htu",
    [
        f"{ISSUER}/par",
        "https://other.example/token",
        "http://id.example.hk/token",
        "https://id.example.hk:8443/token",
        "/token",
        7,
    ],
)
async def test_rfc9449_4_3_9_rejects_another_htu(htu: Any) -> None:
    refused(await with_proof(htu=htu))


@pytest.mark.parametrize(
    "htu",
    [
        f"{TOKEN_URL}?a=b",
        f"{TOKEN_URL}#fragment",
        "HTTPS://ID.EXAMPLE.HK/token",
        "https://id.example.hk:443/token",
    ],
)
async def test_rfc9449_4_3_9_accepts_equivalent_htu(htu: str) -> None:
    assert (await with_proof(htu=htu)).status == 200


@pytest.mark.parametrize("offset", [-3600, 3600])
async def test_rfc9449_4_3_11_rejects_iat_an_hour_away(offset: int) -> None:
    refused(await with_proof(iat=NOW + offset))


@pytest.mark.parametrize("offset", [-10, -8, 8, 10])
async def test_fapi2_accepts_iat_ten_seconds_away(offset: int) -> None:
    assert (await with_proof(iat=NOW + offset)).status == 200


async def test_rfc9449_4_2_ignores_other_claims() -> None:
    assert (await with_proof(nbf=NOW + 9999, exp=NOW - 9999, extra={"a": 1})).status == 200


async def test_rfc9449_11_1_rejects_the_second_use_of_a_jti() -> None:
    world = World()
    proof = await world.proof()
    assert (await send(world, proof)).status == 200
    refused(await send(world, proof))


async def test_a_proof_is_used_up_when_the_grant_is_refused() -> None:
    world = World()
    proof = await world.proof()
    form = {"grant_type": "authorization_code", "code": "unknown"}
    assert (await world.token("bank", form, proof)).error == "invalid_grant"
    refused(await send(world, proof))


async def test_a_proof_is_not_used_up_when_the_client_is_refused() -> None:
    """Who does not authenticate writes nothing."""
    world = World()
    proof = await world.proof()
    assert (await world.token(None, MACHINE, proof)).status == 401
    assert world.tables.used == {}
    assert (await send(world, proof)).status == 200


async def test_rfc9449_8_a_nonce_is_demanded_and_the_retry_succeeds() -> None:
    world = World(dpop_nonce_required=True)
    proving = await world.proving("bank")
    first = await world.token(None, {**proving, **MACHINE}, await world.proof())
    assert (first.status, first.error) == (400, "use_dpop_nonce")
    nonce = first.header("dpop-nonce")
    assert nonce is not None
    # Nothing was consumed: the very same assertion is good for the retry.
    retry = await world.token(None, {**proving, **MACHINE}, await world.proof(nonce=nonce))
    assert retry.status == 200
    assert retry.header("dpop-nonce") is not None


async def test_rfc9449_8_a_stale_or_foreign_nonce_is_answered_with_a_fresh_one() -> None:
    world = World(dpop_nonce_required=True)
    stale = (await send(world, await world.proof())).header("dpop-nonce")
    world.now += 301
    for nonce in (stale, "A" * 43, "x", 5):
        answer = await send(world, await world.proof(nonce=nonce))
        assert answer.error == "use_dpop_nonce"
        assert answer.header("dpop-nonce") not in (None, stale)


async def test_without_demand_a_nonce_is_still_checked() -> None:
    world = World()
    answer = await send(world, await world.proof(nonce="made up"))
    assert answer.error == "use_dpop_nonce"
