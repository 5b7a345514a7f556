"""Signed UserInfo, and what is encrypted to a client (OpenID Connect Core 5.3.2, 10.2, 16.14)."""

import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import import_key

from keys import jwt
from keys.jwk import JwkSet, parse_public
from keys.signer import LocalSigner
from tests.support.asgi import Answer
from tests.support.provider_world import ISSUER, NOW, World, key

CASES = [
    (kind, alg, enc)
    for kind, alg in (
        ("ES256", "ECDH-ES"),
        ("ES256", "ECDH-ES+A256KW"),
        ("RS256", "RSA-OAEP-256"),
    )
    for enc in ("A128CBC-HS256", "A128GCM", "A256GCM")
]


def with_encryption_key(world: World, kind: str = "ES256", **registered: Any) -> LocalSigner:
    """A client that has a key to be encrypted to beside the one that it signs with."""
    signer = key("encryption", kind)
    public = {**signer.public_jwk, "use": "enc", "kid": "enc-1"}
    del public["alg"]
    keys = JwkSet.parse({"keys": [dict(key("service").public_jwk), public]})
    world.change_client("service", jwks=keys, **registered)
    return signer


def decrypted(compact: str, signer: LocalSigner, alg: str, enc: str) -> str:
    members = dict(signer.private_jwk())
    for name in ("alg", "use", "key_ops"):
        members.pop(name, None)
    opened = jwe.decrypt_compact(compact, import_key(members), algorithms=[alg, enc])
    assert opened.headers()["cty"] == "JWT"
    assert opened.headers()["kid"] == "enc-1"
    assert opened.plaintext is not None
    return opened.plaintext.decode()


def verified(compact: str, alg: str = "ES256", **changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"require": ("iat",), "audience": "service", **changes}
    return jwt.verify(
        compact,
        parse_public(key("tokens", alg).public_jwk),
        typ=None,
        algs=frozenset({alg}),
        issuer=ISSUER,
        now=NOW,
        **options,
    )


async def tokens(world: World) -> Answer:
    await world.add_grant(client_id="service")
    return await world.redeem(await world.add_code(), "service")


async def userinfo(world: World) -> Answer:
    token = (await tokens(world)).json["access_token"]
    return await world.userinfo("GET", (b"authorization", f"Bearer {token}".encode()))


async def test_core_5_3_2_userinfo_is_json_unless_registered() -> None:
    assert (await userinfo(World())).json["sub"]


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
async def test_core_5_3_2_signed_userinfo_has_iss_and_aud(alg: str) -> None:
    world = World()
    plain = (await userinfo(world)).json
    world = World()
    world.change_client("service", userinfo_signed_response_alg=alg)
    answer = await userinfo(world)
    assert answer.status == 200
    assert answer.header("content-type") == "application/jwt"
    assert answer.header("cache-control") == "no-store"
    claims = verified(answer.body.decode(), alg)
    assert claims == {**plain, "iss": ISSUER, "aud": "service", "iat": NOW}


async def test_signed_userinfo_is_no_id_token() -> None:
    """It has no end, without which an ID token is none (Core 2)."""
    world = World()
    world.change_client("service", userinfo_signed_response_alg="ES256")
    claims = verified((await userinfo(world)).body.decode())
    assert not {"exp", "nonce", "at_hash"} & claims.keys()


async def test_userinfo_errors_stay_json() -> None:
    world = World()
    world.change_client("service", userinfo_signed_response_alg="ES256")
    answer = await world.userinfo("GET", (b"authorization", b"Bearer unknown"))
    assert (answer.status, answer.error) == (401, "invalid_token")


@pytest.mark.parametrize(("kind", "alg", "enc"), CASES)
async def test_core_10_2_the_id_token_is_signed_then_encrypted(
    kind: str, alg: str, enc: str
) -> None:
    world = World()
    signer = with_encryption_key(
        world,
        kind,
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
    )
    body = (await tokens(world)).json
    inner = decrypted(body["id_token"], signer, alg, enc)
    claims = verified(inner, require=("exp", "iat", "sub", "at_hash"))
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert body["access_token"].startswith("cid_at_"), "what is not for the client's eyes stays"


@pytest.mark.parametrize(("kind", "alg", "enc"), CASES[::4])
async def test_core_5_3_2_userinfo_is_signed_then_encrypted(kind: str, alg: str, enc: str) -> None:
    world = World()
    signer = with_encryption_key(
        world,
        kind,
        userinfo_signed_response_alg="ES256",
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
    )
    answer = await userinfo(world)
    assert answer.header("content-type") == "application/jwt"
    claims = verified(decrypted(answer.body.decode(), signer, alg, enc))
    assert claims["sub"]


async def test_registration_2_the_default_content_encryption() -> None:
    world = World()
    signer = with_encryption_key(world, id_token_encrypted_response_alg="ECDH-ES")
    body = (await tokens(world)).json
    assert decrypted(body["id_token"], signer, "ECDH-ES", "A128CBC-HS256")


async def test_a_client_without_a_key_for_it_gets_nothing_in_clear() -> None:
    world = World()
    world.change_client("service", id_token_encrypted_response_alg="ECDH-ES")
    answer = await tokens(world)
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "ECDH-ES" in answer.json["error_description"]
    with_encryption_key(world)
    assert (await world.redeem("cid_ac_1", "service")).status == 200, "the code was not used up"


async def test_userinfo_without_a_key_for_it_is_not_told_in_clear() -> None:
    world = World()
    world.change_client(
        "service",
        userinfo_signed_response_alg="ES256",
        userinfo_encrypted_response_alg="RSA-OAEP-256",
    )
    answer = await userinfo(world)
    assert (answer.status, answer.error) == (400, "invalid_request")


# OpenID Connect Registration 2: the client's keys may be at an address


URI = "https://rp.sample-bank.example/jwks"


def with_keys_elsewhere(world: World, *keys: Any) -> None:
    world.change_client(
        "service",
        jwks=None,
        jwks_uri=URI,
        id_token_encrypted_response_alg="ECDH-ES",
        userinfo_signed_response_alg="ES256",
        userinfo_encrypted_response_alg="ECDH-ES",
    )
    world.outbound.says(URI, json.dumps({"keys": [dict(one) for one in keys]}).encode())


async def test_core_10_2_the_key_may_be_at_the_jwks_uri() -> None:
    world = World()
    signer = with_encryption_key(world)
    public = {**signer.public_jwk, "use": "enc", "kid": "enc-1"}
    del public["alg"]
    with_keys_elsewhere(world, key("service").public_jwk, public)
    body = (await tokens(world)).json
    inner = decrypted(body["id_token"], signer, "ECDH-ES", "A128CBC-HS256")
    assert verified(inner, require=("exp", "iat", "sub"))["nonce"] == "n-0S6_WzA2Mj"
    bearer = (b"authorization", f"Bearer {body['access_token']}".encode())
    told = await world.userinfo("GET", bearer)
    inner = decrypted(told.body.decode(), signer, "ECDH-ES", "A128CBC-HS256")
    assert verified(inner)["sub"]
    assert world.outbound.asked == [URI], "once for the assertion, the ID token and UserInfo"


async def test_without_a_key_at_the_jwks_uri_nothing_is_sent_in_the_clear() -> None:
    world = World()
    with_keys_elsewhere(world, key("service").public_jwk)
    answer = await tokens(world)
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "access_token" not in answer.json
