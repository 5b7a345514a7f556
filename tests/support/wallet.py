"""A wallet for tests: OpenID4VCI 1.0 by pre-authorized code, with DPoP, without client credentials.

The holder's key and the DPoP key are two keys, as a careful wallet has them.
"""

import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.support.fapi_client import Key, Sent
from tests.support.fapi_client_http import JSON, Answer, Http

PRE_AUTHORIZED_CODE = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@dataclass(slots=True)
class Wallet:
    """A wallet that gets credentials from one issuer."""

    issuer: str
    holder: Key = field(default_factory=Key)
    dpop_key: Key = field(default_factory=Key)

    @property
    def path(self) -> str:
        """The issuer's path, "" for a root issuer."""
        return urlsplit(self.issuer).path

    def _proof(self, endpoint: str, token: str | None = None, nonce: str | None = None) -> str:
        return self.dpop_key.dpop("POST", self.issuer + endpoint, token=token, nonce=nonce)

    async def redeem(self, http: Http, code: str, transaction_code: str) -> Sent:
        """Redeem a pre-authorized code; a demand for a DPoP nonce is met once."""
        fields = {
            "grant_type": PRE_AUTHORIZED_CODE,
            "pre-authorized_code": code,
            "tx_code": transaction_code,
        }
        proof = self._proof("/token")
        answer = await http.form(self.path + "/token", fields, {"DPoP": proof})
        if answer.error == "use_dpop_nonce":
            proof = self._proof("/token", nonce=answer.headers["dpop-nonce"])
            answer = await http.form(self.path + "/token", fields, {"DPoP": proof})
        return Sent(fields, None, proof, answer)

    async def nonce(self, http: Http) -> str:
        """A fresh c_nonce."""
        answer = await http.request("POST", self.path + "/nonce", {})
        value: str = answer.expect(200).json["c_nonce"]
        return value

    def key_proof(self, nonce: str) -> str:
        """A key proof (OpenID4VCI 1.0, F.1)."""
        header = {"typ": "openid4vci-proof+jwt", "jwk": self.holder.public}
        claims = {"aud": self.issuer, "iat": int(time.time()), "nonce": nonce}
        return self.holder.sign(header, claims)

    async def ask(self, http: Http, token: str, kind: str, nonce: str) -> Answer:
        """A credential request for that credential configuration."""
        wanted = {
            "credential_configuration_id": kind,
            "proofs": {"jwt": [self.key_proof(nonce)]},
        }
        return await self.post(http, "/credential", token, wanted)

    async def notify(self, http: Http, token: str, notification_id: str, event: str) -> Answer:
        """Tell what became of a credential."""
        told = {"notification_id": notification_id, "event": event}
        return await self.post(http, "/notification", token, told)

    async def post(
        self, http: Http, endpoint: str, token: str, body: Any, *, nonce: str | None = None
    ) -> Answer:
        """POST of JSON with the DPoP-bound token; `nonce` is one that the server demanded."""
        return await self.send(http, endpoint, token, JSON, orjson.dumps(body), nonce=nonce)

    async def send(
        self,
        http: Http,
        endpoint: str,
        token: str,
        media_type: str,
        body: bytes,
        *,
        nonce: str | None = None,
    ) -> Answer:
        """POST of anything; see ``post``."""
        headers = {
            "Content-Type": media_type,
            "Authorization": f"DPoP {token}",
            "DPoP": self._proof(endpoint, token, nonce),
        }
        return await http.request("POST", self.path + endpoint, headers, body)

    async def credential(self, http: Http, code: str, transaction_code: str, kind: str) -> Answer:
        """The whole way from an offer's code to the answer with the credential."""
        sent = await self.redeem(http, code, transaction_code)
        token: str = sent.answer.expect(200).json["access_token"]
        answer = await self.ask(http, token, kind, await self.nonce(http))
        return answer.expect(200)


def credential_of(answer: Answer) -> str:
    """The SD-JWT of a credential response."""
    value: str = answer.json["credentials"][0]["credential"]
    return value


def unverified_payload(jwt: str) -> dict[str, Any]:
    """The claims of a compact JWT."""
    payload = jwt.split(".")[1]
    claims: dict[str, Any] = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def status_of(credential: str) -> tuple[str, int]:
    """The status list's id and the index that a credential states, unverified."""
    entry = unverified_payload(credential.partition("~")[0])["status"]["status_list"]
    return entry["uri"].rpartition("/")[2], entry["idx"]
