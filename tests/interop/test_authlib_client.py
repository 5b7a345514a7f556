"""Authlib's client signs in as an `oidc` relying party: it knows nothing of us but the metadata."""

from typing import Any
from urllib.parse import urlencode

import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.fapi_client import new_verifier, unique
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_visitor import Visitor, answer_in

AFTER = "https://shop.example/signed-out"


@pytest.fixture(autouse=True)
def _loopback_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "true")


async def _discovered(live: Live, http: Http) -> dict[str, Any]:
    found = await http.get(f"{live.path}/.well-known/openid-configuration")
    metadata: dict[str, Any] = found.expect(200).json
    return metadata


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlib_signs_in_refreshes_and_asks_userinfo(
    live: Live, http: Http, cast: Cast, visitor: Visitor, method: str
) -> None:
    organisation, human = await cast.acting()
    registered = await cast.plain_client(method=method)
    metadata = await _discovered(live, http)
    async with AsyncOAuth2Client(
        registered.client_id,
        registered.secret,
        token_endpoint_auth_method=method,
        scope="openid entity.identity offline_access",
        redirect_uri=registered.redirect_uri,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    ) as client:
        verifier, nonce = new_verifier(), unique()
        url, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        visitor.open(url)
        visitor.through(human)
        token = await client.fetch_token(
            authorization_response=visitor.address, state=state, code_verifier=verifier
        )
        assert token["token_type"] == "Bearer"
        keys = (await client.get(metadata["jwks_uri"])).json()
        claims = jwt.decode(token["id_token"], KeySet.import_key_set(keys)).claims
        assert (claims["iss"], claims["aud"]) == (live.issuer, registered.client_id)
        assert claims["nonce"] == nonce

        told = (await client.get(metadata["userinfo_endpoint"])).json()
        assert told["sub"] == claims["sub"]
        assert told["sub_attributes"]["entity_reg_number"] == organisation.number

        fresh = await client.refresh_token()
        assert fresh["access_token"] != token["access_token"]
        introspected = await client.introspect_token(
            metadata["introspection_endpoint"], token=fresh["access_token"]
        )
        assert introspected.json()["active"] is True


async def test_authlib_gives_its_tokens_back_and_signs_the_person_out(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    registered = await cast.plain_client(post_logout_redirect_uris=(AFTER,))
    metadata = await _discovered(live, http)
    async with AsyncOAuth2Client(
        registered.client_id,
        registered.secret,
        scope="openid offline_access",
        redirect_uri=registered.redirect_uri,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
    ) as client:
        verifier = new_verifier()
        start = metadata["authorization_endpoint"]
        url, state = client.create_authorization_url(start, code_verifier=verifier)
        visitor.open(url)
        visitor.through(human)
        token = await client.fetch_token(
            authorization_response=visitor.address, state=state, code_verifier=verifier
        )
        fresh = await client.refresh_token()
        revoked = await client.revoke_token(
            metadata["revocation_endpoint"],
            token=fresh["refresh_token"],
            token_type_hint="refresh_token",
        )
        assert revoked.status_code == 200
        with pytest.raises(OAuthError) as refused:
            await client.refresh_token(refresh_token=fresh["refresh_token"])
        assert refused.value.error == "invalid_grant"

        asked = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": AFTER}
        ended = visitor.open(
            f"{metadata['end_session_endpoint']}?{urlencode({**asked, 'state': state})}"
        )
        assert ended == f"{AFTER}?{urlencode({'state': state})}"
        url, _ = client.create_authorization_url(start, code_verifier=verifier, prompt="none")
        assert answer_in(visitor.open(url))["error"] == "login_required"


async def test_authlib_is_told_of_a_wrong_code_in_the_standards_words(
    live: Live, http: Http, cast: Cast
) -> None:
    registered = await cast.plain_client()
    metadata = await _discovered(live, http)
    async with AsyncOAuth2Client(
        registered.client_id, registered.secret, redirect_uri=registered.redirect_uri
    ) as client:
        with pytest.raises(OAuthError) as refused:
            await client.fetch_token(
                metadata["token_endpoint"], code="cid_ac_unknown", code_verifier=new_verifier()
            )
    assert refused.value.error == "invalid_grant"


async def test_authlib_validates_our_metadata(live: Live, http: Http) -> None:
    metadata = await _discovered(live, http)
    # Its validators want https; loopback may have http, and nothing else differs.
    secure = {
        name: value.replace("http://", "https://") if isinstance(value, str) else value
        for name, value in metadata.items()
    }
    OpenIDProviderMetadata(secure).validate()
    AuthorizationServerMetadata(secure).validate()
