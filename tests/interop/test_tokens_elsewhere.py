"""Libraries that are not ours verify what the service signs, by its published keys alone."""

import json
from typing import Any

import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from corpid.relying_party import RelyingParty
from corpid.relying_party.dpop import DpopRequest
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import SignedIn, sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE


@pytest.fixture
async def signed(http: Http, cast: Cast, visitor: Visitor) -> tuple[FapiClient, SignedIn]:
    """A sign-in whose access token is a JWT for a resource."""
    _, human = await cast.acting()
    client = await cast.client(with_resource=True)
    return client, await sign_in(http, client, visitor, human, resource=RESOURCE, nonce="n")


async def _jwks(live: Live, http: Http) -> dict[str, Any]:
    found = (await http.get(f"{live.path}/.well-known/openid-configuration")).expect(200).json
    answer = await http.get(found["jwks_uri"].removeprefix(live.origin))
    keys: dict[str, Any] = answer.expect(200).json
    return keys


def _key_of(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    kid = jwt.get_unverified_header(token)["kid"]
    (found,) = [key for key in keys["keys"] if key["kid"] == kid]
    assert isinstance(found, dict)
    return found


async def test_pyjwt(live: Live, http: Http, signed: tuple[FapiClient, SignedIn]) -> None:
    client, done = signed
    keys = await _jwks(live, http)
    for token, audience, typ in (
        (done.tokens["id_token"], client.client_id, "JWT"),
        (done.access_token, RESOURCE, "at+jwt"),
    ):
        key = jwt.PyJWK(_key_of(token, keys))
        decoded = jwt.decode_complete(
            token, key, algorithms=["ES256"], audience=audience, issuer=live.issuer,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )  # fmt: skip
        assert decoded["header"]["typ"] == typ
        with pytest.raises(jwt.InvalidAudienceError):
            jwt.decode(token, key, algorithms=["ES256"], audience="another")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jose")
async def test_python_jose(live: Live, http: Http, signed: tuple[FapiClient, SignedIn]) -> None:
    """As a witness only, with ES256 allowed alone and the key as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from jose import jwt as jose_jwt
    from jose.exceptions import JWTError

    client, done = signed
    keys = await _jwks(live, http)
    for token, audience in (
        (done.tokens["id_token"], client.client_id),
        (done.access_token, RESOURCE),
    ):
        public: Any = jwt.PyJWK(_key_of(token, keys)).key
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        asked = {"algorithms": ["ES256"], "audience": audience, "issuer": live.issuer}
        checked = {"verify_at_hash": False}
        claims = jose_jwt.decode(token, pem, options=checked, **asked)
        assert claims["iss"] == live.issuer
        if audience == client.client_id:
            jose_jwt.decode(token, pem, access_token=done.access_token, **asked)
        head, payload, signature = token.split(".")
        broken = f"{head}.{payload}.{signature[:-8]}AAAAAAAA"
        with pytest.raises(JWTError):
            jose_jwt.decode(broken, pem, options=checked, **asked)


async def test_joserfc(live: Live, http: Http, signed: tuple[FapiClient, SignedIn]) -> None:
    client, done = signed
    keys = KeySet.import_key_set(json.loads(json.dumps(await _jwks(live, http))))
    for token, audience in (
        (done.tokens["id_token"], client.client_id),
        (done.access_token, RESOURCE),
    ):
        decoded = joserfc_jwt.decode(token, keys, algorithms=["ES256"])
        joserfc_jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": live.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        ).validate(decoded.claims)


async def test_our_own_package_at_a_resource_server(
    live: Live, signed: tuple[FapiClient, SignedIn]
) -> None:
    client, done = signed
    party = RelyingParty(live.issuer, audience=RESOURCE)
    url = f"{RESOURCE}?page=2"
    proof = client.dpop_key.dpop("GET", url, token=done.access_token)
    verified = await party.verify_access_token(
        done.access_token, dpop=DpopRequest(proof, "GET", url), require_binding=True
    )
    assert verified.client_id == client.client_id
    assert verified.subject != done.claims["sub"], "pairwise for the resource's own sector"
    assert verified.key_thumbprint == client.dpop_key.thumbprint
    assert verified.mandate is not None
