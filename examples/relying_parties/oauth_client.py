"""A FAPI 2.0 client in a page: pushed requests, PKCE, private_key_jwt, DPoP.

Only the installed `corpid` wheel and the standard library are used.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from corpid.keys import base64url, jws
from corpid.keys.signer import LocalSigner, generate
from http_json import request

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class OAuthError(Exception):
    """The authorization server refused; `code` is its error code."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


class FapiClient:
    """One client of one issuer, with a DPoP key of its own."""

    def __init__(self, issuer: str, client_id: str, jwk: Mapping[str, Any]) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._signer = LocalSigner.from_jwk(jwk)
        self._dpop_key = generate("ES256")
        self._dpop_nonce: str | None = None
        _, _, self.metadata = request("GET", f"{issuer}/.well-known/openid-configuration")
        assert self.metadata["issuer"] == issuer

    def begin(self, redirect_uri: str, scope: str) -> tuple[str, dict[str, str]]:
        """Push an authorization request; the URL for the browser, and what to remember."""
        verifier = secrets.token_urlsafe(48)
        state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        pushed = self._post(
            self.metadata["pushed_authorization_request_endpoint"],
            {
                "response_type": "code",
                "redirect_uri": redirect_uri,
                "scope": scope,
                "state": state,
                "nonce": nonce,
                "code_challenge": base64url.encode(hashlib.sha256(verifier.encode()).digest()),
                "code_challenge_method": "S256",
            },
        )
        query = urlencode({"client_id": self.client_id, "request_uri": pushed["request_uri"]})
        url = f"{self.metadata['authorization_endpoint']}?{query}"
        remembered = {"verifier": verifier, "state": state, "nonce": nonce}
        return url, remembered | {"redirect_uri": redirect_uri}

    def finish(self, callback: Mapping[str, str], remembered: Mapping[str, str]) -> dict[str, Any]:
        """Exchange the code of a callback; the token response."""
        if callback.get("iss") != self.issuer or callback.get("state") != remembered["state"]:
            raise OAuthError("mix_up", "the callback is not the answer to this request")
        if "error" in callback:
            raise OAuthError(callback["error"], callback.get("error_description", ""))
        return self._post(
            self.metadata["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": callback["code"],
                "redirect_uri": remembered["redirect_uri"],
                "code_verifier": remembered["verifier"],
            },
        )

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """New tokens by refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._post(self.metadata["token_endpoint"], form)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """The UserInfo response."""
        url = self.metadata["userinfo_endpoint"]
        headers = {
            "Authorization": f"DPoP {access_token}",
            "DPoP": self._proof("GET", url, access_token),
        }
        status, _, body = request("GET", url, headers=headers)
        if status != 200:
            raise OAuthError((body or {}).get("error", str(status)), "userinfo refused")
        return body

    def _post(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        for _ in range(2):
            body = {
                **form,
                "client_id": self.client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._assertion(),
            }
            headers = {"DPoP": self._proof("POST", url)}
            status, received, value = request("POST", url, form=body, headers=headers)
            self._dpop_nonce = received.get("dpop-nonce", self._dpop_nonce)
            if status in (200, 201):
                return value
            if value and value.get("error") != "use_dpop_nonce":
                break
        error = value or {}
        raise OAuthError(error.get("error", str(status)), error.get("error_description", ""))

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        return asyncio.run(jws.sign(self._signer, claims, typ="client-authentication+jwt"))

    def _proof(self, method: str, url: str, access_token: str | None = None) -> str:
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
        }
        if access_token is not None:
            claims["ath"] = base64url.encode(hashlib.sha256(access_token.encode()).digest())
        if self._dpop_nonce is not None:
            claims["nonce"] = self._dpop_nonce
        public = {
            name: value
            for name, value in self._dpop_key.public_jwk.items()
            if name in ("kty", "crv", "x", "y")
        }
        header = {"jwk": public, "kid": None}
        return asyncio.run(jws.sign(self._dpop_key, claims, typ="dpop+jwt", header=header))
