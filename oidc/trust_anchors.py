"""Certificate chains in the ``x5c`` header (RFC 7515 4.1.6), up to anchors that an operator chose.

HAIP 1.0 (4.4.1, 4.5.1): the anchor itself is never in the chain, and the certificate that signs is
not self-signed. That holds here for everybody: a chain that brings its own anchor proves nothing.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm as UnknownToLibrary
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import verification

from keys.algorithms import LibraryPublicKey
from keys.errors import KeysError
from keys.jwk import PublicKey, parse_public, public_members

MAX_CERTIFICATES: Final = 5
MAX_CERTIFICATE_BYTES: Final = 8192
_CACHED: Final = 256
_KINDS: Final = LibraryPublicKey


class ChainRefused(Exception):
    """The chain is malformed, or leads to no anchor. For whoever made it; nothing secret."""


class TrustAnchors:
    """Certificates that vouch for others. Chains that were followed before are remembered."""

    def __init__(self, anchors: Iterable[x509.Certificate]) -> None:
        """Take the anchors, of which there must be one at least."""
        certificates = list(anchors)
        self._store = verification.Store(certificates)
        self._anchors = frozenset(one.fingerprint(SHA256()) for one in certificates)
        self._known: dict[bytes, tuple[PublicKey, float, float]] = {}

    def leaf_key(self, x5c: Sequence[str], now: float) -> PublicKey:
        """The key of the first certificate, where the chain leads to an anchor now (RFC 5280 6).

        Raises:
            ChainRefused: it does not, or is not a chain as it should be.
        """
        if not 0 < len(x5c) <= MAX_CERTIFICATES:
            raise ChainRefused(f"x5c has 1 to {MAX_CERTIFICATES} certificates")
        name = hashlib.sha256("\n".join(x5c).encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(name)
        if known is not None and known[1] <= now <= known[2]:
            return known[0]
        leaf, *others = [_read(one) for one in x5c]
        if not self._anchors.isdisjoint(one.fingerprint(SHA256()) for one in (leaf, *others)):
            raise ChainRefused("x5c must not have the trust anchor in it")
        if leaf.issuer == leaf.subject:
            raise ChainRefused("the certificate that signs must not be self-signed")
        chain = self._chain(leaf, others, now)
        key = _key_of(leaf)
        if len(self._known) >= _CACHED:
            del self._known[next(iter(self._known))]
        since = max(one.not_valid_before_utc.timestamp() for one in chain)
        until = min(one.not_valid_after_utc.timestamp() for one in chain)
        self._known[name] = key, since, until
        return key

    def _chain(
        self, leaf: x509.Certificate, others: list[x509.Certificate], now: float
    ) -> list[x509.Certificate]:
        policy = verification.ExtensionPolicy
        optional = verification.Criticality.AGNOSTIC
        end_entity = (
            policy.permit_all()
            .may_be_present(x509.BasicConstraints, optional, _no_authority)
            .may_be_present(x509.KeyUsage, optional, _signs)
        )
        authority = policy.webpki_defaults_ca().may_be_present(
            x509.KeyUsage, optional, _signs_certificates
        )
        builder = (
            verification.PolicyBuilder()
            .store(self._store)
            .time(datetime.fromtimestamp(now, UTC).replace(tzinfo=None))
            .max_chain_depth(MAX_CERTIFICATES)
            .extension_policies(ca_policy=authority, ee_policy=end_entity)
        )
        try:
            return builder.build_client_verifier().verify(leaf, others).chain
        except verification.VerificationError:
            raise ChainRefused("x5c leads to no trust anchor that is trusted for this") from None


def _read(text: str) -> x509.Certificate:
    if len(text) > MAX_CERTIFICATE_BYTES * 4 // 3 + 4:
        raise ChainRefused("a certificate in x5c is too large")
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnknownToLibrary):
        raise ChainRefused("a certificate in x5c is not one, in base64 of its DER") from None


def _key_of(leaf: x509.Certificate) -> PublicKey:
    try:
        key = leaf.public_key()
        if not isinstance(key, _KINDS):
            raise ChainRefused("the certificate's key is of a kind that signs nothing here")
        return parse_public(public_members(key))
    except (KeysError, ValueError, UnknownToLibrary):
        raise ChainRefused("the certificate's key is too weak or of no use here") from None


def _no_authority(
    _policy: verification.Policy,
    _certificate: x509.Certificate,
    found: x509.BasicConstraints | None,
) -> None:
    if found is not None and found.ca:
        raise ValueError("an authority signs certificates, not attestations")


def _signs(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.digital_signature:
        raise ValueError("not a key that signs")


def _signs_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("not a key that signs certificates")
