"""A bank: signs businesses in by OpenID Connect, and checks credentials that they present.

    python bank.py ISSUER CLIENT_ID JWK_FILE

Only the installed `corpid` wheel and the standard library are used.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from http_json import Answer, serve
from oauth_client import FapiClient, OAuthError

from corpid.relying_party import Policy, RelyingParty, RelyingPartyError

AUDIENCE = "https://bank.example"
# For opening an account the status is asked for every time: nothing older will do.
FRESH = Policy(status_ttl=0, status_grace=0)
MAX_WAITING = 1000


class Bank:
    """Sign-in and credential checks of the example bank."""

    def __init__(self, issuer: str, client_id: str, jwk: Mapping[str, Any]) -> None:
        self._client = FapiClient(issuer, client_id, jwk)
        self._party = RelyingParty(issuer, client_id=client_id, policy=FRESH)
        self._pending: dict[str, dict[str, str]] = {}
        self._nonces: dict[str, None] = {}
        self._refresh_token: str | None = None

    def login(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Begin a sign-in; the browser is sent to `location`."""
        scope = "openid entity.identity user.name mandate offline_access"
        try:
            location, remembered = self._client.begin(body["redirect_uri"], scope)
        except OAuthError as error:
            return 502, {"error": error.code, "description": str(error)}
        self._pending[remembered["state"]] = remembered
        while len(self._pending) > MAX_WAITING:
            self._pending.pop(next(iter(self._pending)), None)
        return 200, {"location": location}

    def callback(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """The browser is back: who acts for which business, with what authority?"""
        remembered = self._pending.pop(query.get("state", ""), None)
        if remembered is None:
            return 400, {"error": "unknown_state"}
        try:
            tokens = self._client.finish(query, remembered)
            signed_in = asyncio.run(
                self._party.verify_id_token(
                    tokens["id_token"], nonce=remembered["nonce"], min_acr="loa2"
                )
            )
            claims = self._client.userinfo(tokens["access_token"])
        except OAuthError as error:
            return 403, {"error": error.code, "description": str(error)}
        except RelyingPartyError as error:
            return 403, {"error": error.code, "description": str(error)}
        self._refresh_token = tokens.get("refresh_token")
        return 200, {
            "subject": signed_in.subject,
            "actor": signed_in.actor.subject if signed_in.actor else None,
            "acr": signed_in.acr,
            "organisation": claims.get("sub_attributes"),
            "representative": claims.get("act"),
            "mandate": claims.get("mandate"),
            "expires_in": tokens["expires_in"],
        }

    def refresh(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Go on with an earlier sign-in."""
        if self._refresh_token is None:
            return 400, {"error": "no_session"}
        try:
            tokens = self._client.refresh(self._refresh_token)
        except OAuthError as error:
            return 403, {"error": error.code, "description": str(error)}
        return 200, {"expires_in": tokens["expires_in"]}

    def challenge(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """A fresh nonce for one presentation."""
        nonce = secrets.token_urlsafe(24)
        self._nonces[nonce] = None
        while len(self._nonces) > MAX_WAITING:
            self._nonces.pop(next(iter(self._nonces)), None)
        return 200, {"nonce": nonce, "audience": AUDIENCE}

    def present(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Verify a presentation: valid, invalid with a reason, or undetermined."""
        # Taken out by one atomic step: two presentations cannot share a nonce.
        if self._nonces.pop(body["nonce"], "unknown") == "unknown":
            return 400, {"error": "unknown_nonce"}
        try:
            verified = asyncio.run(
                self._party.verify_credential(
                    body["presentation"], audience=AUDIENCE, nonce=body["nonce"]
                )
            )
        except RelyingPartyError as error:
            return 200, {"outcome": "refused", "code": error.code, "reason": str(error)}
        return 200, {
            "outcome": "valid",
            "type": verified.type,
            "status": verified.status,
            "claims": dict(verified.claims),
        }


def main() -> None:
    """Serve the bank."""
    issuer, client_id, jwk_file = sys.argv[1:4]
    bank = Bank(issuer, client_id, json.loads(Path(jwk_file).read_text()))
    serve(
        {
            ("POST", "/login"): bank.login,
            ("GET", "/callback"): bank.callback,
            ("POST", "/refresh"): bank.refresh,
            ("POST", "/challenge"): bank.challenge,
            ("POST", "/present"): bank.present,
        }
    )


if __name__ == "__main__":
    main()
