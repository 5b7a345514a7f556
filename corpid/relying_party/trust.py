"""Keys that come with their certificates: believed up to the trust anchors, for one issuer."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cryptography import x509

from corpid.relying_party.errors import CertificateChainInvalid
from keys.certificates import certified_key, is_named, read_chain, uris_of, verify_chain
from keys.clock import Clock
from keys.errors import InvalidChain
from keys.jwk import PublicKey

Anchor = x509.Certificate | bytes | str
_CACHED: Final = 256
_Name = tuple[tuple[str, ...], str | None]
_Known = tuple[x509.Certificate, PublicKey, float, float]


class Trust:
    """The trust anchors, and the chains that were verified up to them.

    Anchors are certificates, or such in DER or PEM, where there may be several in one text.
    ValueError for what is no certificate. Without anchors `x5c` is not looked at.
    """

    def __init__(self, anchors: Iterable[Anchor], clock: Clock) -> None:
        self._anchors = tuple(one for anchor in anchors for one in _certificates(anchor))
        self._clock = clock
        self._known: OrderedDict[_Name, _Known] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether there are anchors at all."""
        return bool(self._anchors)

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """The certificates that chains may lead to; among them the IACA roots of mdocs."""
        return self._anchors

    def comes_with(self, header: Mapping[str, Any]) -> bool:
        """Whether a chain is there that counts: one header, and anchors to lead to."""
        return bool(self._anchors) and "x5c" in header

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
    ) -> tuple[x509.Certificate, PublicKey]:
        now = self._clock() if at is None else at
        try:
            chain = read_chain(header.get("x5c"))
            name = (tuple(header["x5c"]), None if usage is None else usage.dotted_string)
            known = self._known.get(name)
            if known is None or not known[2] <= now <= known[3]:
                anchor = verify_chain(chain, self._anchors, now, usage=usage)
                known = (chain[0], certified_key(chain[0]), *_in_force((*chain, anchor)))
                self._known[name] = known
                if len(self._known) > _CACHED:
                    self._known.popitem(last=False)
        except InvalidChain as error:
            raise CertificateChainInvalid(error.rule) from error
        return known[0], known[1]


def _in_force(chain: Iterable[x509.Certificate]) -> tuple[float, float]:
    """From when until when all of them are."""
    certificates = list(chain)
    return (
        max(one.not_valid_before_utc.timestamp() for one in certificates),
        min(one.not_valid_after_utc.timestamp() for one in certificates),
    )


def _certificates(anchor: Anchor) -> list[x509.Certificate]:
    if isinstance(anchor, x509.Certificate):
        return [anchor]
    data = anchor.encode("ascii") if isinstance(anchor, str) else anchor
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]
