"""A wallet provider with generated keys: it attests wallets and the keys that they hold."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from keys import jws
from keys.jwk import JwkSet, required_members
from keys.signer import LocalSigner
from keys.trust_anchors import TrustAnchors
from oidc.attestation_status import AttestationStatuses
from oidc.attesters import KEYS, WALLETS, Attester
from tests.support.certificates import Authority, der, ec_key, name, pem

SUBJECT = name((NameOID.COMMON_NAME, "sample wallet provider: attestations"))
KEY_ATTESTATION = "key-attestation+jwt"
WALLET_ATTESTATION = "oauth-client-attestation+jwt"
POP = "oauth-client-attestation-pop+jwt"


def bare(signer: LocalSigner) -> dict[str, str]:
    """The public members of a key, as an attestation has them."""
    return required_members(signer.public_jwk)


def x5c(*chain: x509.Certificate) -> list[str]:
    """The header of that name."""
    return [base64.b64encode(der(one)).decode("ascii") for one in chain]


class WalletProvider:
    """``now`` (epoch seconds) is when it works; its certificates are good before and after."""

    def __init__(self, now: float, title: str = "Sample Wallet Provider") -> None:
        self.now = now
        self.title = title
        self.issuer = "https://wallet-provider.example"
        self.root = Authority(now, f"{title} Root")
        key = ec_key()
        self.signer = LocalSigner(key, "attestation-key-1", "ES256")
        self.certificate = self.root.issue(subject=SUBJECT, key=key, usage=None)
        self.header: Mapping[str, Any] = {"x5c": x5c(self.certificate)}

    @property
    def anchors_pem(self) -> str:
        """What an operator is given to trust it by."""
        return pem(self.root.certificate)

    @property
    def jwks(self) -> dict[str, Any]:
        """The same as a key set, for attestations that name their key by kid."""
        return {"keys": [dict(self.signer.public_jwk)]}

    def trusted(
        self, attester_id: str = "sample", *, by: str = "x5c", attests: Sequence[str] = ()
    ) -> Attester:
        """It as a trusted attester."""
        return Attester(
            attester_id,
            self.issuer,
            TrustAnchors([self.root.certificate]) if by == "x5c" else None,
            JwkSet.parse(self.jwks) if by == "jwks" else None,
            frozenset(attests or (WALLETS, KEYS)),
        )

    async def key_attestation(
        self,
        *keys: LocalSigner,
        nonce: str | None = None,
        typ: str | None = KEY_ATTESTATION,
        signer: LocalSigner | None = None,
        header: Mapping[str, Any] | None = None,
        without: Sequence[str] = (),
        **claims: Any,
    ) -> str:
        """A key attestation (OpenID4VCI 1.0, D.1)."""
        body: dict[str, Any] = {
            "iss": self.issuer,
            "iat": int(self.now),
            "exp": int(self.now) + 3600,
            "attested_keys": [bare(one) for one in keys],
            "key_storage": ["iso_18045_high"],
            "user_authentication": ["iso_18045_moderate"],
            "nonce": nonce,
            **claims,
        }
        body = {key: value for key, value in body.items() if key not in without}
        if body.get("nonce", "") is None:
            del body["nonce"]
        return await jws.sign(
            signer or self.signer, body, typ=typ, header=self.header if header is None else header
        )

    async def wallet_attestation(
        self,
        client_id: str,
        instance: LocalSigner,
        *,
        typ: str | None = WALLET_ATTESTATION,
        signer: LocalSigner | None = None,
        header: Mapping[str, Any] | None = None,
        without: Sequence[str] = (),
        **claims: Any,
    ) -> str:
        """A wallet attestation (OpenID4VCI 1.0, Appendix E), in the shape that 1.0 pins."""
        body: dict[str, Any] = {
            "iss": self.issuer,
            "sub": client_id,
            "iat": int(self.now),
            "nbf": int(self.now),
            "exp": int(self.now) + 3600,
            "wallet_name": "Sample Wallet",
            "cnf": {"jwk": bare(instance)},
            **claims,
        }
        body = {key: value for key, value in body.items() if key not in without}
        return await jws.sign(
            signer or self.signer, body, typ=typ, header=self.header if header is None else header
        )


async def proof_of_possession(
    instance: LocalSigner,
    audience: object,
    now: float,
    *,
    typ: str | None = POP,
    without: Sequence[str] = (),
    **claims: Any,
) -> str:
    """The PoP that goes with a wallet attestation."""
    body = {"aud": audience, "iat": int(now), "jti": secrets.token_urlsafe(12), **claims}
    body = {key: value for key, value in body.items() if key not in without}
    return await jws.sign(instance, body, typ=typ, header={"kid": None})


class TableAttesters:
    """``oidc.attesters.Attesters`` over a list that a test changes at will."""

    def __init__(self, *attesters: Attester, statuses: AttestationStatuses | None = None) -> None:
        self.trusted = list(attesters)
        self._statuses = statuses

    async def by_id(self, attester_id: str) -> Attester | None:
        """See the port."""
        return next((one for one in self.trusted if one.attester_id == attester_id), None)

    async def of(self, what: str) -> list[Attester]:
        """See the port."""
        return [one for one in self.trusted if what in one.attests]

    async def check_status(self, claims: Mapping[str, Any], attester: Attester) -> None:
        """See the port; without a way to others nothing is looked up."""
        if self._statuses is not None:
            await self._statuses.check(claims, attester)
