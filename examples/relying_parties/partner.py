"""A business partner: checks who it deals with before it ships, by credential alone.

    python partner.py ISSUER

It is no client of the issuer: it needs no registration, only the installed `corpid` wheel.
"""

import asyncio
import secrets
import sys
from collections.abc import Mapping
from typing import Any

from http_json import Answer, serve

from corpid.relying_party import Policy, RelyingParty, RelyingPartyError

AUDIENCE = "https://partner.example"
FRESH = Policy(status_ttl=0, status_grace=0)
MAX_WAITING = 1000


class Partner:
    """Credential checks of the example partner."""

    def __init__(self, issuer: str) -> None:
        self._party = RelyingParty(issuer, policy=FRESH)
        self._nonces: dict[str, None] = {}

    def challenge(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """A fresh nonce for one presentation."""
        nonce = secrets.token_urlsafe(24)
        self._nonces[nonce] = None
        while len(self._nonces) > MAX_WAITING:
            self._nonces.pop(next(iter(self._nonces)), None)
        return 200, {"nonce": nonce, "audience": AUDIENCE}

    def present(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Verify a presentation."""
        if self._nonces.pop(body["nonce"], "unknown") == "unknown":
            return 200, {"outcome": "refused", "code": "unknown_nonce"}
        try:
            verified = asyncio.run(
                self._party.verify_credential(
                    body["presentation"], audience=AUDIENCE, nonce=body["nonce"]
                )
            )
        except RelyingPartyError as error:
            return 200, {"outcome": "refused", "code": error.code, "reason": str(error)}
        return 200, {"outcome": "valid", "type": verified.type, "claims": dict(verified.claims)}


def main() -> None:
    """Serve the partner."""
    partner = Partner(sys.argv[1])
    serve(
        {
            ("POST", "/challenge"): partner.challenge,
            ("POST", "/present"): partner.present,
        }
    )


if __name__ == "__main__":
    main()
