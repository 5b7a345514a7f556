"""Keys that come with their certificates: believed up to the trust anchors, for one issuer."""

from collections.abc import Iterable, Mapping
from typing import Any

from cryptography import x509

from corpid.relying_party.errors import CertificateChainInvalid
from keys.certificates import is_named, uris_of
from keys.clock import Clock
from keys.errors import InvalidChain
from keys.jwk import PublicKey
from keys.trust_anchors import Certified, TrustAnchors

Anchor = x509.Certificate | bytes | str


class Trust:
    """The relying party's trust anchors.

    Anchors are certificates, or such in DER or PEM, where there may be several in one text.
    ValueError for what is no certificate. Without anchors `x5c` is not looked at.
    """

    def __init__(self, anchors: Iterable[Anchor], clock: Clock) -> None:
        self._trusted = TrustAnchors(one for anchor in anchors for one in _certificates(anchor))
        self._clock = clock

    def __bool__(self) -> bool:
        """Whether there are anchors at all."""
        return bool(self.anchors)

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """The certificates that chains may lead to; among them the IACA roots of mdocs."""
        return self._trusted.anchors

    def comes_with(self, header: Mapping[str, Any]) -> bool:
        """Whether a chain is there that counts: one header, and anchors to lead to."""
        return bool(self) and "x5c" in header

    def key(
        self,
        header: Mapping[str, Any],
        issuer: str,
        *,
        usage: x509.ObjectIdentifier | None = None,
        at: float | None = None,
    ) -> PublicKey:
        """Return the key that the chain certifies for this issuer, and this extended key usage;
        `at` that instant, by default now.

        Raises CertificateChainInvalid; its detail names the rule.
        """
        leaf, key = self._verified(header, usage, at)
        if not is_named(leaf, issuer):
            raise CertificateChainInvalid("name")
        return key

    def issuer(
        self, header: Mapping[str, Any], among: frozenset[str], at: float | None = None
    ) -> str | None:
        """Return which of these issuers the leaf names by URI, for a credential without `iss`.

        Raises CertificateChainInvalid.
        """
        leaf, _ = self._verified(header, None, at)
        return next((one for one in uris_of(leaf) if one in among), None)

    def _verified(
        self, header: Mapping[str, Any], usage: x509.ObjectIdentifier | None, at: float | None
    ) -> Certified:
        try:
            return self._trusted.certified(
                header.get("x5c"), self._clock() if at is None else at, usage=usage
            )
        except InvalidChain as error:
            raise CertificateChainInvalid(error.rule) from error


def _certificates(anchor: Anchor) -> list[x509.Certificate]:
    if isinstance(anchor, x509.Certificate):
        return [anchor]
    data = anchor.encode("ascii") if isinstance(anchor, str) else anchor
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]
