"""Encrypted credential requests and responses (OpenID4VCI 1.0, 8.2, 8.3 and 10): every rule."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from corpid.services.certificates import Certificates
from corpid.services.key_rotation import KeyRotation
from corpid.storage.database import Database
from keys import base64url, jwe
from keys.jwe_decrypt import DecryptionKey, decrypt_claims
from keys.jwk import parse_public
from keys.signer import generate
from oidc.issuer.encryption import ENCS, EncryptionPolicy
from oidc.issuer.metadata import MetadataEndpoint
from tests.support.asgi import Answer, call
from tests.support.issuer_world import ISSUER, World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
_PRIVATE = {**generate("ES256").private_jwk(), "alg": "ECDH-ES", "use": "enc", "kid": "wallet-1"}
_JWK = {name: value for name, value in _PRIVATE.items() if name != "d"}
_WANTED = {"jwk": _JWK, "enc": "A256GCM"}


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database, encryption=EncryptionPolicy()).prepare()


def shown_key(world: World) -> dict[str, Any]:
    (jwk,) = world.keys.encryption_jwks()["keys"]
    return dict(jwk)


def sealed(world: World, body: Mapping[str, Any] | bytes, enc: str = "A128GCM") -> str:
    """A request as a wallet encrypts it to the key of the metadata."""
    plain = body if isinstance(body, bytes) else orjson.dumps(body)
    return jwe.encrypt_claims(plain, parse_public(shown_key(world)), alg="ECDH-ES", enc=enc)


async def request(world: World, **more: Any) -> dict[str, Any]:
    proofs = {"jwt": [await world.wallet().proof()]}
    return {"credential_configuration_id": "representative", "proofs": proofs, **more}


async def send(world: World, compact: str, token: str | None = None) -> Answer:
    token = token or await world.grant()
    headers = (await world.wallet().headers(token, "/credential"))[:2]
    headers.append((b"content-type", b"application/jwt"))
    return await call(
        world.credential, "POST", path="/credential", headers=headers, body=compact.encode()
    )


def refused(answer: Answer, error: str = "invalid_encryption_parameters") -> None:
    assert (answer.status, answer.error) == (400, error)
    assert answer.header("content-type") == "application/json", "errors are never encrypted"


def header_of(compact: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(base64url.decode(compact.partition(".")[0]))
    return found


def opened(answer: Answer) -> dict[str, Any]:
    assert (answer.status, answer.header("content-type")) == (200, "application/jwt"), answer.body
    plain = decrypt_claims(
        answer.body.decode(), [DecryptionKey.parse(_PRIVATE)], ENCS, max_bytes=99_999
    )
    found: dict[str, Any] = orjson.loads(plain)
    return found


async def test_12_2_4_the_metadata_shows_keys_and_algorithms(world: World) -> None:
    metadata = (await call(MetadataEndpoint(world.issuer))).json
    asked, answered = (metadata[f"credential_{one}_encryption"] for one in ("request", "response"))
    (jwk,) = asked["jwks"]["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (jwk["alg"], jwk["use"], jwk["crv"]) == ("ECDH-ES", "enc", "P-256")
    assert asked["enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert answered["alg_values_supported"] == ["ECDH-ES", "ECDH-ES+A256KW"]
    assert answered["enc_values_supported"] == ["A128GCM", "A256GCM"]
    for one in (asked, answered):
        assert one["encryption_required"] is False
        assert "zip_values_supported" not in one


async def test_10_request_and_response_are_encrypted(world: World) -> None:
    body = await request(world, credential_response_encryption=_WANTED)
    answer = await send(world, sealed(world, body))
    assert set(opened(answer)) == {"credentials", "notification_id"}
    assert answer.header("cache-control") == "no-store"
    header = header_of(answer.body.decode())
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", "A256GCM", "wallet-1")


def sealed_elsewhere(world: World, body: Mapping[str, Any], **header: str) -> str:
    """The same by another library, with these header parameters besides."""
    from jwcrypto.jwe import JWE
    from jwcrypto.jwk import JWK

    shown = shown_key(world)
    protected = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": shown["kid"], **header}
    made = JWE(orjson.dumps(body), protected)
    made.add_recipient(JWK(**shown))
    compact: str = made.serialize(compact=True)
    return compact


@pytest.mark.parametrize("cty", ["json", "JSON", "application/json"])
async def test_rfc7516_4_1_12_a_wallet_may_say_that_the_content_is_json(
    world: World, cty: str
) -> None:
    answer = await send(world, sealed_elsewhere(world, await request(world), cty=cty))
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("cty", ["JWT", "jwt", "dc+sd-jwt", ""])
async def test_rfc7519_5_2_what_says_that_it_is_no_claims_is_refused(
    world: World, cty: str
) -> None:
    refused(await send(world, sealed_elsewhere(world, await request(world), cty=cty)))


async def test_10_another_library_encrypts_to_us_and_opens_what_we_encrypt(world: World) -> None:
    from jwcrypto.jwe import JWE
    from jwcrypto.jwk import JWK

    body = await request(world, credential_response_encryption=_WANTED)
    answer = await send(world, sealed_elsewhere(world, body))
    assert answer.status == 200, answer.body
    back = JWE()
    back.deserialize(answer.body.decode(), JWK(**_PRIVATE))
    assert "credentials" in orjson.loads(back.payload)


async def test_8_2_an_encrypted_request_may_ask_for_a_plain_response(world: World) -> None:
    answer = await send(world, sealed(world, await request(world), "A256GCM"))
    assert (answer.status, answer.header("content-type")) == (200, "application/json")


async def test_8_2_response_encryption_in_a_plain_request_is_refused(world: World) -> None:
    """An attacker between TLS and us could have put another key there."""
    wallet, token = world.wallet(), await world.grant()
    body = await request(world, credential_response_encryption=_WANTED)
    refused(await wallet.ask(token, body))
    assert await world.wrote("credential") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"jwk": None},
        {"jwk": "x"},
        {"jwk": {**_JWK, "alg": None}},
        {"jwk": {name: value for name, value in _JWK.items() if name != "alg"}},
        {"jwk": {**_JWK, "alg": "RSA-OAEP"}},
        {"jwk": {**_JWK, "alg": "dir"}},
        {"jwk": {**_JWK, "use": "sig"}},
        {"jwk": {**_JWK, "x": _JWK["y"]}},
        {"jwk": _PRIVATE},
        {"jwk": {"kty": "oct", "k": "AAAA", "alg": "ECDH-ES"}},
        {"enc": None},
        {"enc": "A128CBC-HS256"},
        {"enc": ["A128GCM"]},
        {"zip": "GZIP"},
        {"zip": ["DEF"]},
    ],
)
async def test_8_3_1_2_unusable_response_encryption_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    wanted = {name: value for name, value in {**_WANTED, **changes}.items() if value is not None}
    body = await request(world, credential_response_encryption=wanted)
    refused(await send(world, sealed(world, body)))
    assert await world.wrote("credential") == 0


async def test_8_2_a_wish_for_compression_is_not_met_and_does_no_harm(world: World) -> None:
    wanted = {**_WANTED, "zip": "DEF"}
    body = await request(world, credential_response_encryption=wanted)
    answer = await send(world, sealed(world, body))
    assert "credentials" in opened(answer)
    assert "zip" not in header_of(answer.body.decode())


async def test_8_3_1_2_errors_are_never_encrypted(world: World) -> None:
    body = await request(world, credential_response_encryption=_WANTED)
    body["credential_configuration_id"] = "unheard-of"
    refused(await send(world, sealed(world, body)), "unknown_credential_configuration")


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"[" * 5000])
async def test_what_is_inside_must_be_a_json_object(world: World, content: bytes) -> None:
    refused(await send(world, sealed(world, content)), "invalid_credential_request")


async def test_10_a_request_to_another_key_or_in_another_way_is_refused(world: World) -> None:
    plain, shown = orjson.dumps(await request(world)), shown_key(world)
    another = {**_JWK, "kid": shown["kid"]}
    nameless = {name: value for name, value in shown.items() if name != "kid"}
    for jwk, alg, enc in (
        (another, "ECDH-ES", "A128GCM"),  # names ours, and is encrypted to another
        ({**shown, "kid": "unknown"}, "ECDH-ES", "A128GCM"),
        (nameless, "ECDH-ES", "A128GCM"),  # the kid MUST be there where the key has one
        (shown, "ECDH-ES+A256KW", "A128GCM"),  # alg MUST be that of the key
        (shown, "ECDH-ES", "A128CBC-HS256"),
    ):
        bare = {name: value for name, value in jwk.items() if name != "alg"}
        compact = jwe.encrypt_claims(plain, parse_public(bare), alg=alg, enc=enc)
        refused(await send(world, compact))
    signed = jwe.encrypt("a.b.c", parse_public(shown), alg="ECDH-ES", enc="A128GCM")
    refused(await send(world, signed))
    assert await world.wrote("credential") == 0


async def test_10_compressed_critical_changed_or_malformed_is_refused(world: World) -> None:
    compact = sealed(world, await request(world))
    first, rest = compact.split(".", 1)
    for more in ({"zip": "DEF"}, {"crit": ["exp"], "exp": 1}, {"enc": "A256GCM"}):
        changed = base64url.encode(orjson.dumps({**header_of(compact), **more}))
        refused(await send(world, f"{changed}.{rest}"))
    for broken in ("", "a.b.c", f"{first}.{rest}.x", compact[:-2] + "AA", "密" + compact):
        refused(await send(world, broken))


async def test_8_2_required_encryption_is_demanded(database: Database) -> None:
    world = await World(database, encryption=EncryptionPolicy(True, True)).prepare()
    metadata = (await call(MetadataEndpoint(world.issuer))).json
    for one in ("request", "response"):
        assert metadata[f"credential_{one}_encryption"]["encryption_required"] is True
    refused(await world.wallet().ask(await world.grant()))
    refused(await send(world, sealed(world, await request(world))))
    body = await request(world, credential_response_encryption=_WANTED)
    assert opened(await send(world, sealed(world, body)))["credentials"]


async def test_without_a_policy_it_is_neither_offered_nor_taken(database: Database) -> None:
    world = await World(database).prepare()
    metadata = (await call(MetadataEndpoint(world.issuer))).json
    assert "credential_request_encryption" not in metadata
    refused(await send(world, sealed(world, await request(world))))


async def test_a_rotated_key_opens_for_a_day_and_the_next_one_is_shown(world: World) -> None:
    endpoint = MetadataEndpoint(world.issuer)
    parts = (world.store, world.master, world.clock)
    certificates = Certificates(world.store, world.master, ISSUER, world.clock, lambda n: b"r" * n)
    rotation = KeyRotation(*parts, certificates)
    before, old = shown_key(world), sealed(world, await request(world))
    await rotation.rotate("encryption", "ECDH-ES", "operator:test", at_once=True)
    await world.keys.reload()
    shown = (await call(endpoint)).json["credential_request_encryption"]["jwks"]["keys"]
    assert [one["kid"] for one in shown] == [shown_key(world)["kid"]] != [before["kid"]]
    assert (await send(world, old)).status == 200, "wallets hold the metadata for a while"
    world.now += 24 * 3600 + 1
    await rotation.destroy_retired("operator:test")
    await world.keys.reload()
    refused(await send(world, old))
    held = {one.kid: one.sealed_private for one in await world.store.read.operations.keys()}
    assert held[before["kid"]] is None
