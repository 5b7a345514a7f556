"""The demo's wallet: it takes credential offers and presents what it holds.

    python wallet.py

A stand-in for any wallet that speaks OpenID4VCI 1.0; nothing here is part of the product.
"""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from corpid.keys import base64url, jws
from corpid.keys.signer import LocalSigner, generate
from corpid.oidc.formats.sd_jwt import key_binding, present
from http_json import Answer, request, serve

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


def inserted(issuer: str, name: str) -> str:
    """A well-known URL with the name inserted between host and path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


class Wallet:
    """Holds credentials, each bound to a key of its own."""

    def __init__(self) -> None:
        self._dpop_key = generate("ES256")
        self._held: dict[str, tuple[str, LocalSigner]] = {}

    def accept(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Take an offer link and its transaction code; fetch every credential offered."""
        offer = json.loads(parse_qs(urlsplit(body["offer"]).query)["credential_offer"][0])
        issuer = offer["credential_issuer"]
        _, _, metadata = request("GET", inserted(issuer, "openid-credential-issuer"))
        _, _, server = request("GET", f"{issuer}/.well-known/openid-configuration")
        form = {
            "grant_type": GRANT,
            "pre-authorized_code": offer["grants"][GRANT]["pre-authorized_code"],
            "tx_code": body["tx_code"],
        }
        endpoint = server["token_endpoint"]
        headers = {"DPoP": self._proof("POST", endpoint)}
        status, _, tokens = request("POST", endpoint, form=form, headers=headers)
        if status != 200:
            return 403, {"step": "token", **tokens}
        received = []
        for configuration in offer["credential_configuration_ids"]:
            status, answer = self._fetch(metadata, issuer, tokens["access_token"], configuration)
            if status != 200:
                return 403, {"step": "credential", **answer}
            received.append(configuration)
        return 200, {"received": received}

    def present(self, query: Mapping[str, str], body: Mapping[str, Any]) -> Answer:
        """Present a held credential to a verifier; `disclose` names the claims to show."""
        credential, key = self._held[body["type"]]
        chosen = present(credential, [(name,) for name in body["disclose"]])
        bound = asyncio.run(
            key_binding(
                key, chosen, audience=body["audience"], nonce=body["nonce"], now=time.time()
            )
        )
        return 200, {"presentation": bound}

    def _fetch(
        self, metadata: Mapping[str, Any], issuer: str, token: str, configuration: str
    ) -> tuple[int, dict[str, Any]]:
        _, _, fresh = request("POST", metadata["nonce_endpoint"])
        key = generate("ES256")
        public = {n: v for n, v in key.public_jwk.items() if n in ("kty", "crv", "x", "y")}
        claims = {"aud": issuer, "iat": int(time.time()), "nonce": fresh["c_nonce"]}
        proof = asyncio.run(
            jws.sign(key, claims, typ="openid4vci-proof+jwt", header={"jwk": public, "kid": None})
        )
        endpoint = metadata["credential_endpoint"]
        status, _, answer = request(
            "POST",
            endpoint,
            value={"credential_configuration_id": configuration, "proofs": {"jwt": [proof]}},
            headers={
                "Authorization": f"DPoP {token}",
                "DPoP": self._proof("POST", endpoint, token),
            },
        )
        if status != 200:
            return status, answer or {}
        self._held[configuration] = (answer["credentials"][0]["credential"], key)
        endpoint = metadata["notification_endpoint"]
        request(
            "POST",
            endpoint,
            value={
                "notification_id": answer["notification_id"],
                "event": "credential_accepted",
            },
            headers={
                "Authorization": f"DPoP {token}",
                "DPoP": self._proof("POST", endpoint, token),
            },
        )
        return status, answer

    def _proof(self, method: str, url: str, access_token: str | None = None) -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
        }
        if access_token is not None:
            claims["ath"] = base64url.encode(hashlib.sha256(access_token.encode()).digest())
        public = {
            n: v for n, v in self._dpop_key.public_jwk.items() if n in ("kty", "crv", "x", "y")
        }
        header = {"jwk": public, "kid": None}
        return asyncio.run(jws.sign(self._dpop_key, claims, typ="dpop+jwt", header=header))


def main() -> None:
    """Serve the wallet."""
    wallet = Wallet()
    serve({("POST", "/accept"): wallet.accept, ("POST", "/present"): wallet.present})


if __name__ == "__main__":
    main()
