"""A wallet that encrypts what it asks and opens what comes back (OpenID4VCI 1.0, 8.2 and 10).

By jwcrypto, so that no code of ours is on both sides.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from tests.support.fapi_client_http import Answer, Http
from tests.support.wallet import Wallet

ENC = "A256GCM"


class SealingWallet:
    """A wallet's requests to the key in the issuer's metadata, and a key for the answers."""

    def __init__(self, wallet: Wallet, metadata: Mapping[str, Any]) -> None:
        self.wallet = wallet
        (self._theirs,) = metadata["credential_request_encryption"]["jwks"]["keys"]
        self._own = JWK.generate(kty="EC", crv="P-256", use="enc", alg="ECDH-ES", kid="answers-1")

    async def ask(
        self, http: Http, token: str, kind: str, nonce: str, *, answer_sealed: bool = True
    ) -> Answer:
        """A credential request."""
        proofs = {"jwt": [self.wallet.key_proof(nonce)]}
        body: dict[str, Any] = {"credential_configuration_id": kind, "proofs": proofs}
        return await self.post(http, "/credential", token, body, answer_sealed=answer_sealed)

    async def collect(self, http: Http, token: str, transaction_id: str) -> Answer:
        """A request for what had to wait."""
        return await self.post(
            http, "/deferred-credential", token, {"transaction_id": transaction_id}
        )

    async def post(
        self,
        http: Http,
        endpoint: str,
        token: str,
        body: Mapping[str, Any],
        *,
        answer_sealed: bool = True,
    ) -> Answer:
        """An encrypted request; whether its answer shall be encrypted, it says itself."""
        if answer_sealed:
            own = self._own.export_public(as_dict=True)
            body = {**body, "credential_response_encryption": {"jwk": own, "enc": ENC}}
        header = {"alg": self._theirs["alg"], "enc": ENC, "kid": self._theirs["kid"]}
        sealed = JWE(orjson.dumps(body), header)
        sealed.add_recipient(JWK(**self._theirs))
        text: str = sealed.serialize(compact=True)
        return await self.wallet.send(http, endpoint, token, "application/jwt", text.encode())

    def opened(self, answer: Answer) -> dict[str, Any]:
        """What is in an encrypted answer; it says that it is one, and to which key."""
        assert answer.headers["content-type"] == "application/jwt", answer
        sealed = JWE()
        sealed.deserialize(answer.body.decode("ascii"), self._own)
        assert sealed.jose_header["kid"] == "answers-1"
        found: dict[str, Any] = orjson.loads(sealed.payload)
        return found
