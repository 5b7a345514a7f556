"""Signed and encrypted messages, made and read by PyJWT, joserfc, jwcrypto and our library."""

import time
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe as joserfc_jwe
from joserfc import jws as joserfc_jws
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk

from corpid.domain.languages import Names
from corpid.relying_party import DpopRequest, Policy, RelyingParty, errors
from corpid.services.client_metadata import Registration
from corpid.services.client_signing import Signing
from corpid.services.clients import Clients
from tests.support.fapi_client import FapiClient, new_verifier
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, CALLBACK, SCOPES, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE


async def _registered(cast: Cast, client: FapiClient, jwk: dict[str, Any], **changes: Any) -> None:
    """The client anew, with one more key."""
    wanted = Registration(
        names=Names("Sample Bank"),
        redirect_uris=(CALLBACK,),
        scopes=SCOPES,
        jwks={"keys": [*client.key.jwks["keys"], jwk]},
        sector=f"{client.client_id}.example",
        resources=(RESOURCE,),
        serves=(RESOURCE,),
        signing=Signing(**changes),
    )
    parts = cast.base.store, cast.base.clock, cast.base.random
    await Clients(*parts).replace(client.client_id, wanted, ACTOR)


async def _keys(http: Http, live: Live) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get(f"{live.path}/jwks")).expect(200).json
    return found


def _read_by_both(compact: str, keys: dict[str, Any], audience: str, issuer: str) -> dict[str, Any]:
    """The claims, when PyJWT and joserfc agree about them."""
    key = pyjwt.PyJWKSet.from_dict(keys)[pyjwt.get_unverified_header(compact)["kid"]]
    first: dict[str, Any] = pyjwt.decode(
        compact, key, algorithms=["ES256"], audience=audience, issuer=issuer
    )
    second = joserfc_jwt.decode(compact, KeySet.import_key_set(keys), algorithms=["ES256"])  # type: ignore[arg-type]
    assert second.claims == first
    return first


async def test_jarm_read_by_pyjwt_and_joserfc(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    _, answer = await answered(http, client, visitor, human, response_mode="jwt")
    claims = _read_by_both(
        answer["response"], await _keys(http, live), client.client_id, live.issuer
    )
    assert claims["code"]
    party = RelyingParty(live.issuer, client_id=client.client_id)
    found = await party.verify_authorization_response(
        answer["response"], state=str(claims["state"])
    )
    assert found.code == claims["code"]
    wrong = answer["response"][:-8] + "AAAAAAAA"
    with pytest.raises(pyjwt.InvalidSignatureError):
        _read_by_both(wrong, await _keys(http, live), client.client_id, live.issuer)


@pytest.mark.parametrize("by", ["pyjwt", "joserfc"])
async def test_request_objects_signed_by_pyjwt_and_joserfc(http: Http, cast: Cast, by: str) -> None:
    client = await cast.client()
    private = ec.generate_private_key(ec.SECP256R1())
    key = ECKey.import_key(private)
    public = {**key.as_dict(private=False), "kid": "theirs", "alg": "ES256", "use": "sig"}
    await _registered(cast, client, public, require_signed_request_object=True)
    now = int(time.time())
    claims = {
        "client_id": client.client_id,
        "aud": client.issuer,
        "nbf": now,
        "exp": now + 60,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": new_verifier(),
        "code_challenge_method": "S256",
    }
    header = {"typ": "oauth-authz-req+jwt", "kid": "theirs"}
    if by == "pyjwt":
        compact = pyjwt.encode(claims, private, algorithm="ES256", headers=header)
    else:
        compact = joserfc_jwt.encode({**header, "alg": "ES256"}, claims, key)
    fields = {**client.authentication(), "request": compact}
    (await http.form(f"{client.path}/par", fields)).expect(201)


@pytest.mark.parametrize(
    ("alg", "enc"), [("ECDH-ES+A256KW", "A256GCM"), ("RSA-OAEP-256", "A128CBC-HS256")]
)
async def test_encrypted_id_token_and_userinfo_opened_by_joserfc_and_jwcrypto(
    live: Live, http: Http, cast: Cast, visitor: Visitor, alg: str, enc: str
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    key: ECKey | RSAKey
    if alg == "RSA-OAEP-256":
        key = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
    else:
        key = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
    await _registered(
        cast,
        client,
        {**key.as_dict(private=False), "kid": "enc", "use": "enc"},
        userinfo_signed_response_alg="ES256",
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
    )
    _, answer = await answered(http, client, visitor, human)
    assert "code" in answer
    done = await _tokens(http, client, visitor)
    told = (await client.userinfo(http, done["access_token"])).expect(200)
    assert told.headers["content-type"] == "application/jwt"
    keys = await _keys(http, live)
    read = []
    for compact in (done["id_token"], told.body.decode()):
        opened = joserfc_jwe.decrypt_compact(compact, key, algorithms=[alg, enc])
        other = jwcrypto_jwe.JWE(algs=[alg, enc])
        other.deserialize(compact, jwcrypto_jwk.JWK(**key.as_dict(private=True)))
        assert other.payload == opened.plaintext
        inner = other.payload.decode()
        read.append(_read_by_both(inner, keys, client.client_id, live.issuer))
    id_token, userinfo = read
    assert userinfo["sub"] == id_token["sub"]
    assert userinfo["sub_attributes"]
    assert "exp" not in userinfo
    await _read_by_ours(live, client, key, done["id_token"], told.body.decode())


async def _read_by_ours(
    live: Live, client: FapiClient, key: ECKey | RSAKey, id_token: str, userinfo: str
) -> None:
    both = frozenset({"id_token", "userinfo"})
    party = RelyingParty(
        live.issuer,
        client_id=client.client_id,
        decryption_keys=key.as_dict(private=True),
        policy=Policy(require_encryption=both),
    )
    who = await party.verify_id_token(id_token, nonce=None)
    found = await party.verify_userinfo(userinfo, signed_in=who)
    assert (found.subject, found.actor) == (who.subject, who.actor)
    assert found.organisation is not None


async def _tokens(http: Http, client: FapiClient, visitor: Visitor) -> dict[str, Any]:
    verifier, answer = await answered(http, client, visitor, None)
    return await client.token(http, client.redemption(answer["code"], verifier))


async def test_signed_introspection_read_by_pyjwt_and_joserfc(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(with_resource=True)
    done = await sign_in(http, client, visitor, human, resource=RESOURCE)
    media_type = "application/token-introspection+jwt"
    fields = {"token": done.access_token, **client.authentication()}
    answer = await http.form(f"{live.path}/introspect", fields, {"Accept": media_type})
    assert answer.expect(200).headers["content-type"] == media_type
    compact = answer.body.decode()
    assert pyjwt.get_unverified_header(compact)["typ"] == "token-introspection+jwt"
    assert joserfc_jws.extract_compact(compact.encode()).headers()["alg"] == "ES256"
    claims = _read_by_both(compact, await _keys(http, live), client.client_id, live.issuer)
    told = claims["token_introspection"]
    assert (told["active"], told["aud"]) == (True, RESOURCE)
    assert not {"sub", "exp"} & claims.keys()
    party = RelyingParty(live.issuer, client_id=client.client_id, audience=RESOURCE)
    url = RESOURCE + "/accounts"
    proof = client.dpop_key.dpop("GET", url, token=done.access_token)
    found = await party.verify_introspection(
        compact,
        access_token=done.access_token,
        dpop=DpopRequest(proof, "GET", url),
        require_binding=True,
    )
    assert (found.client_id, found.subject) == (client.client_id, told["sub"])
    fields = {"token": "unknown", **client.authentication()}
    answer = await http.form(f"{live.path}/introspect", fields, {"Accept": media_type})
    with pytest.raises(errors.TokenInactive):
        await party.verify_introspection(answer.body.decode(), access_token="unknown")
