"""Certificate chains as signed objects carry them (``x5c``: RFC 7515 4.1.6; RFC 5280 6.1).

A chain is the leaf, then each certificate's issuer, without the trust anchor; nothing in it is
self-signed (HAIP 1.0, 4.4.1 and 4.5.1: a chain that brings its own anchor proves nothing). A key
usage counts where it is said (RFC 5280 4.2.1.3). What is not understood is refused: no name
constraints, no policies that are critical, no looking for another path.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from keys.algorithms import LibraryPublicKey
from keys.errors import InvalidChain, KeysError
from keys.jwk import PublicKey, parse_public, public_members

T = TypeVar("T", bound=x509.ExtensionType)
MAX_CERTIFICATES: Final = 5
MAX_CERTIFICATE_BYTES: Final = 8192
MIN_RSA_BITS: Final = 2048
MAX_DOCUMENT_SIGNER_DAYS: Final = 457
"""A document signer's certificate (ISO/IEC 18013-5, B.1.4)."""

DOCUMENT_SIGNER: Final = x509.ObjectIdentifier("1.0.18013.5.1.2")
"""Extended key usage of an mdoc document signer (ISO/IEC 18013-5, B.1.4)."""
STATUS_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.30")
"""id-kp-oauthStatusSigning (Token Status List, 10). The draft leaves the last number open; this is
the one that issuers and verifiers use until it is assigned."""

_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)
_STRONG: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.RSASSA_PSS,
        SignatureAlgorithmOID.ED25519,
    }
)
_EXPLICIT_0: Final = 0xA0
_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_MALFORMED: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


def texts_of(x5c: object) -> Sequence[str]:
    """Return an ``x5c`` header that is an array of a few texts; nothing is said about those.

    Raises:
        InvalidChain: it is not, or a text is too large.
    """
    if not isinstance(x5c, Sequence) or isinstance(x5c, str) or not x5c:
        _refuse("malformed", "x5c is not an array of certificates")
    if len(x5c) > MAX_CERTIFICATES:
        _refuse("too_long", f"the chain has more than {MAX_CERTIFICATES} certificates")
    if not all(isinstance(one, str) and len(one) <= 2 * MAX_CERTIFICATE_BYTES for one in x5c):
        _refuse("malformed", "a member of x5c is no text, or too large")
    return x5c


def read_chain(x5c: object) -> tuple[x509.Certificate, ...]:
    """Read an ``x5c`` header: base64 (not base64url) DER, leaf first.

    Raises:
        InvalidChain: no array of a few certificates, too large, or malformed.
    """
    return tuple(map(_read, texts_of(x5c)))


def load(der: bytes) -> x509.Certificate:
    """Read one certificate.

    Raises:
        ValueError: it is malformed, too large, or its serial number is not positive (RFC 5280
            4.1.2.2), which the library lets pass with a warning.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise ValueError("too large")
    if not _has_positive_serial(der):
        raise ValueError("the serial number is not positive")
    return x509.load_der_x509_certificate(der)


def to_x5c(chain: Iterable[x509.Certificate]) -> tuple[str, ...]:
    """Return a chain as ``x5c`` has it."""
    return tuple(base64.b64encode(one.public_bytes(Encoding.DER)).decode("ascii") for one in chain)


def verify_chain(
    chain: Sequence[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    now: float,
    *,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    """Verify a chain up to one of the anchors, at ``now`` (epoch seconds); return that anchor.

    ``usage`` is the extended key usage that the leaf must have.

    Raises:
        InvalidChain: and its ``rule`` says which one was broken.
    """
    if not 1 <= len(chain) <= MAX_CERTIFICATES:
        _refuse("too_long", f"a chain has one to {MAX_CERTIFICATES} certificates")
    try:
        # 1. Each by itself: in force, strong enough, nothing critical that we do not know.
        for one in chain:
            _check_one(one, now)
            if one.subject == one.issuer:
                _refuse("self_signed", "a certificate in x5c is self-signed")
        # 2. The leaf is no authority, and was certified for this use.
        _check_leaf(chain[0], usage)
        # 3. Each issued by the next, which may issue certificates, and so many below it.
        for below, (subject, issuer) in enumerate(pairwise(chain)):
            _check_authority(issuer, below)
            if not _is_issued_by(subject, issuer):
                _refuse("wrong_order", "a certificate was not issued by the one after it")
        # 4. The last one issued by an anchor, which is in force and may do so as well.
        return _anchor_of(chain, anchors, now)
    except _MALFORMED as error:
        raise InvalidChain("malformed", "a certificate is malformed") from error


def check_document_signer(leaf: x509.Certificate, root: x509.Certificate) -> None:
    """Check what ISO/IEC 18013-5, B.1.4, asks of a document signer beside a valid chain.

    Raises:
        InvalidChain: it lives too long, or its key usage, a name or the revocation list's address
            is missing.
    """
    lifetime = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    if lifetime > timedelta(days=MAX_DOCUMENT_SIGNER_DAYS):
        _refuse("lifetime", f"a document signer lives at most {MAX_DOCUMENT_SIGNER_DAYS} days")
    try:
        country = leaf.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
        if not country or country != root.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME):
            _refuse("country", "a document signer has the country of its root")
        if _extension(leaf, x509.KeyUsage) is None:
            _refuse("key_usage", "a document signer says that its key signs")
        if _extension(leaf, x509.IssuerAlternativeName) is None:
            _refuse("names", "a document signer names how its issuer is reached")
        if _extension(leaf, x509.CRLDistributionPoints) is None:
            _refuse("names", "a document signer names its revocation list")
    except _MALFORMED as error:
        raise InvalidChain("malformed", "a certificate is malformed") from error


def certified_key(certificate: x509.Certificate) -> PublicKey:
    """Return the key that a certificate certifies.

    Raises:
        InvalidChain: of a kind that signs nothing here.
    """
    try:
        key = certificate.public_key()
        if not isinstance(key, LibraryPublicKey):
            _refuse("weak", "the certified key is of no use here")
        return parse_public(public_members(key))
    except (KeysError, *_MALFORMED) as error:
        if isinstance(error, InvalidChain):
            raise
        raise InvalidChain("weak", "the certified key is of no use here") from error


def is_named(certificate: x509.Certificate, issuer: str) -> bool:
    """Whether a subject alternative name is the issuer: its URI, or the host of its URL.

    Hosts are compared as a whole: a wildcard names nobody.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_MALFORMED):
        return False
    host = urlsplit(issuer).hostname
    return issuer in found.get_values_for_type(x509.UniformResourceIdentifier) or host in {
        name.lower() for name in found.get_values_for_type(x509.DNSName)
    }


def uris_of(certificate: x509.Certificate) -> list[str]:
    """Return the URIs among the subject alternative names."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_MALFORMED):
        return []
    return found.get_values_for_type(x509.UniformResourceIdentifier)


def _read(text: str) -> x509.Certificate:
    try:
        return load(base64.b64decode(text, validate=True))
    except (binascii.Error, *_MALFORMED) as error:
        raise InvalidChain("malformed", "a member of x5c is no certificate in base64") from error


def _has_positive_serial(der: bytes) -> bool:
    # Certificate and TBSCertificate are sequences; [0] is the version (RFC 5280 4.1).
    try:
        at, _ = _der_value(der, 0)
        at, _ = _der_value(der, at)
        if der[at] == _EXPLICIT_0:
            _, at = _der_value(der, at)
        begin, end = _der_value(der, at)
    except IndexError:
        return False
    return int.from_bytes(der[begin:end], "big", signed=True) > 0


def _der_value(der: bytes, at: int) -> tuple[int, int]:
    """Where the value of the element at ``at`` begins and ends."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        more = length & 0x7F
        length = int.from_bytes(der[begin : begin + more], "big")
        begin += more
    return begin, begin + length


def _check_one(certificate: x509.Certificate, now: float) -> None:
    if certificate.version is not x509.Version.v3:
        _refuse("malformed", "a certificate is not of version 3")
    before = certificate.not_valid_before_utc.timestamp()
    if not before <= now <= certificate.not_valid_after_utc.timestamp():
        _refuse("not_in_force", "a certificate has expired, or is not in force yet")
    digest = certificate.signature_hash_algorithm  # None for Ed25519, which has its own
    named = digest is None or digest.name in _HASHES
    if certificate.signature_algorithm_oid not in _STRONG or not named:
        _refuse("weak", "a certificate is signed with a weak or unknown algorithm")
    if not _is_strong(certificate.public_key()):
        _refuse("weak", "a certified key is too weak, or of no use here")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            _refuse("critical_extension", "a certificate has a critical extension unknown here")


def _is_strong(key: object) -> bool:
    match key:
        case rsa.RSAPublicKey():
            return key.key_size >= MIN_RSA_BITS
        case ec.EllipticCurvePublicKey():
            return key.curve.name in _CURVES
        case _:
            return isinstance(key, ed25519.Ed25519PublicKey)


def _check_leaf(leaf: x509.Certificate, usage: x509.ObjectIdentifier | None) -> None:
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        _refuse("leaf_is_authority", "the leaf is the certificate of an authority")
    key_usage = _extension(leaf, x509.KeyUsage)
    if key_usage is not None and not key_usage.digital_signature:
        _refuse("key_usage", "the leaf's key may not sign")
    if usage is None:
        return
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    if extended is None or usage not in extended:
        _refuse("extended_key_usage", "the leaf was not certified for this use")


def _check_authority(issuer: x509.Certificate, below: int) -> None:
    """``below``: how many certificates of authorities are between it and the leaf."""
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        _refuse("not_an_authority", "an issuer is no certificate authority")
    if constraints.path_length is not None and constraints.path_length < below:
        _refuse("path_length", "an issuer may not have so many certificates below it")
    key_usage = _extension(issuer, x509.KeyUsage)
    if key_usage is not None and not key_usage.key_cert_sign:
        _refuse("key_usage", "an issuer's key may not sign certificates")


def _anchor_of(
    chain: Sequence[x509.Certificate], anchors: Iterable[x509.Certificate], now: float
) -> x509.Certificate:
    anchor = next((one for one in anchors if _is_issued_by(chain[-1], one)), None)
    if anchor is None:
        _refuse("untrusted", "the chain leads to no trust anchor")
    _check_one(anchor, now)
    _check_authority(anchor, len(chain) - 1)
    return anchor


def _is_issued_by(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    if subject.issuer != issuer.subject:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_MALFORMED):
        return False
    return True


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _refuse(rule: str, message: str) -> NoReturn:
    raise InvalidChain(rule, message)
