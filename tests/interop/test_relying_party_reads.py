"""What PyJWT, joserfc and jwcrypto sign and encrypt, read by the relying-party package."""

import json
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe as joserfc_jwe
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk

from corpid.relying_party import RelyingParty, errors
from keys.signer import LocalSigner, generate
from tests.support.relying_world import CLIENT, ISSUER, JWKS, NONCE, RESOURCE, STATE, World

Sign = Callable[[dict[str, Any], str], str]
OURS = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))


def by_pyjwt(signer: LocalSigner) -> Sign:
    key = pyjwt.PyJWK(dict(signer.private_jwk()))

    def sign(claims: dict[str, Any], typ: str) -> str:
        return pyjwt.encode(claims, key, "ES256", headers={"typ": typ, "kid": signer.kid})

    return sign


def by_joserfc(signer: LocalSigner) -> Sign:
    key = ECKey.import_key(dict(signer.private_jwk()))

    def sign(claims: dict[str, Any], typ: str) -> str:
        return joserfc_jwt.encode({"alg": "ES256", "typ": typ, "kid": signer.kid}, claims, key)

    return sign


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=[by_pyjwt, by_joserfc])
def sign(request: pytest.FixtureRequest, world: World) -> Sign:
    made: Sign = request.param(world.token_key)
    return made


def _common(world: World) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": CLIENT, "iat": int(world.now)}


async def test_jarm(world: World, sign: Sign) -> None:
    claims = {**_common(world), "exp": int(world.now) + 60, "code": "c", "state": STATE}
    found = await world.party().verify_authorization_response(sign(claims, "JWT"), state=STATE)
    assert found.code == "c"


async def test_introspection(world: World, sign: Sign) -> None:
    told = {
        "active": True,
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "org",
        "client_id": "other",
        "iat": int(world.now),
        "exp": int(world.now) + 60,
    }
    claims = {**_common(world), "token_introspection": told}
    answer = sign(claims, "token-introspection+jwt")
    found = await world.party().verify_introspection(answer, access_token="opaque")
    assert found.subject == "org"
    with pytest.raises(errors.TokenTypeWrong):
        await world.party().verify_introspection(sign(claims, "JWT"), access_token="opaque")


def _by_joserfc(signed: str, alg: str, enc: str) -> str:
    return joserfc_jwe.encrypt_compact(
        {"alg": alg, "enc": enc, "cty": "JWT"}, signed, OURS, algorithms=[alg, enc]
    )


def _by_jwcrypto(signed: str, alg: str, enc: str) -> str:
    header = json.dumps({"alg": alg, "enc": enc, "cty": "JWT"})
    token = jwcrypto_jwe.JWE(signed, header, algs=[alg, enc])
    token.add_recipient(jwcrypto_jwk.JWK(**OURS.as_dict(private=False)))
    return str(token.serialize(compact=True))


@pytest.mark.parametrize("encrypt", [_by_joserfc, _by_jwcrypto])
@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A256KW"])
@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A128GCM", "A256GCM"])
async def test_nested_id_tokens(
    world: World, encrypt: Callable[[str, str, str], str], alg: str, enc: str
) -> None:
    party: RelyingParty = world.party(decryption_keys=OURS.as_dict(private=True))
    compact = encrypt(await world.id_token(), alg, enc)
    assert (await party.verify_id_token(compact, nonce=NONCE)).subject == "org-pairwise-1"
    stranger = generate("ES256")
    forged = encrypt(await world.id_token(signer=stranger), alg, enc)
    with pytest.raises(errors.KeyUnknown):
        await party.verify_id_token(forged, nonce=NONCE)


async def test_an_hmac_with_the_public_key_is_refused(world: World) -> None:
    """The old confusion of a public key with a secret (RFC 8725 2.1)."""
    (jwk,) = world.documents[JWKS]["keys"]
    claims = {**_common(world), "exp": int(world.now) + 60, "code": "c", "state": STATE}
    secret = (jwk["x"] + jwk["y"]).encode()
    forged = pyjwt.encode(claims, secret, "HS256", headers={"kid": jwk["kid"]})
    unsigned = pyjwt.encode(claims, None, "none", headers={"kid": jwk["kid"]})
    with pytest.raises(errors.AlgorithmRefused):
        await world.party().verify_authorization_response(forged, state=STATE)
    with pytest.raises(errors.TokenMalformed):
        await world.party().verify_authorization_response(unsigned, state=STATE)
