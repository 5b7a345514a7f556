"""Client certificates: what of them counts for authentication and binding (RFC 8705).

Reading one says nothing about whether it may be believed: that the client has its key was proven
to whoever terminated TLS, and who vouches for it is asked in ``mutual_tls``.
"""

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from keys import base64url
from keys.certificates import MAX_CERTIFICATE_BYTES, load
from oidc.distinguished_name import DistinguishedName, name_of, parse_name
from oidc.records import EXPECTATIONS

SUBJECT_DN, SAN_DNS, SAN_URI, SAN_IP, SAN_EMAIL = EXPECTATIONS

MAX_NAMES: Final = 100
MIN_RSA_BITS: Final = 2048  # FAPI 2.0, 5.4.1
MIN_EC_BITS: Final = 224
_CACHED: Final = 1024


class UnusableCertificate(ValueError):
    """It is malformed, or its key is too weak. The message says which, and nothing of it."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate as it was presented. Instants are epoch seconds.

    ``thumbprint`` is the ``x5t#S256`` of RFC 8705 3.1; ``names`` are the subject alternative names
    in the form of ``expected``, each with what a client would have registered it as.
    """

    thumbprint: str
    subject: DistinguishedName = field(repr=False)
    names: frozenset[tuple[str, str]] = field(repr=False)
    not_before: float
    not_after: float
    certificate: x509.Certificate = field(repr=False, compare=False)

    def is_in_force(self, now: float) -> bool:
        """Whether ``now`` is within its validity."""
        return self.not_before <= now <= self.not_after

    def is_expected(self, name: str, value: str) -> bool:
        """Whether it is the certificate that a client registered by ``name`` and ``value``.

        Raises:
            ValueError: what was registered is malformed, which registration refuses.
        """
        wanted = expected(name, value)
        return self.subject == wanted if name == SUBJECT_DN else (name, wanted) in self.names


def thumbprint_of(der: bytes) -> str:
    """The ``x5t#S256`` of a certificate: SHA-256 of its DER, in base64url (RFC 8705 3.1)."""
    return base64url.encode(hashlib.sha256(der).digest())


def certificate_thumbprints(jwk: Mapping[str, Any]) -> Iterator[str]:
    """The thumbprints of the certificate that a JWK names as its own (RFC 7517 4.7, 4.9)."""
    named = jwk.get("x5t#S256")
    if isinstance(named, str):
        yield named
    chain = jwk.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        try:
            yield thumbprint_of(base64.b64decode(chain[0], validate=True))
        except (binascii.Error, ValueError):
            return


@lru_cache(maxsize=_CACHED)
def expected(name: str, value: str) -> DistinguishedName | str:
    """A registered expectation in the form that is compared (RFC 8705 2.1.2).

    Raises:
        ValueError: it is malformed; the message says how.
    """
    if name == SUBJECT_DN:
        return parse_name(value)
    if not value or len(value) > 2048 or not value.isascii() or value.split() != [value]:
        raise ValueError("it is empty, too long, or has characters that no such name has")
    if name == SAN_IP:
        return str(ipaddress.ip_address(value))  # the same address may be written in many ways
    if name == SAN_DNS:
        return _host(value)
    if name == SAN_EMAIL:
        return _email(value)
    if ":" not in value:
        raise ValueError("it is not an absolute URI")
    return value


def read_certificate(der: bytes) -> ClientCertificate:
    """Read one certificate.

    Raises:
        UnusableCertificate: it is malformed, too large, or its key too weak (FAPI 2.0, 5.4.1).
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise UnusableCertificate("the client certificate is too large")
    try:
        found = load(der)
        _check_key(found)
        names = frozenset(_alternative_names(found))
        return ClientCertificate(
            thumbprint=thumbprint_of(found.public_bytes(Encoding.DER)),
            subject=name_of(found.subject),
            names=names,
            not_before=found.not_valid_before_utc.timestamp(),
            not_after=found.not_valid_after_utc.timestamp(),
            certificate=found,
        )
    except UnusableCertificate:
        raise
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension,
            x509.UnsupportedGeneralNameType) as error:  # fmt: skip
        raise UnusableCertificate("the client certificate is malformed") from error


def _check_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    match key:
        case rsa.RSAPublicKey():
            strong = key.key_size >= MIN_RSA_BITS
        case ec.EllipticCurvePublicKey():
            strong = key.key_size >= MIN_EC_BITS
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            strong = True
        case _:
            strong = False
    if not strong:
        raise UnusableCertificate("the key of the client certificate is too weak or of no use here")


def _alternative_names(certificate: x509.Certificate) -> list[tuple[str, str]]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = extension.value
    if len(list(names)) > MAX_NAMES:
        raise UnusableCertificate("the client certificate has too many names")
    return [
        *((SAN_DNS, _host(one)) for one in names.get_values_for_type(x509.DNSName)),
        *((SAN_URI, one) for one in names.get_values_for_type(x509.UniformResourceIdentifier)),
        *((SAN_IP, str(one)) for one in names.get_values_for_type(x509.IPAddress)),
        *((SAN_EMAIL, _email(one)) for one in names.get_values_for_type(x509.RFC822Name)),
    ]


def _host(name: str) -> str:
    return name.lower().removesuffix(".")


def _email(address: str) -> str:
    local, at, host = address.rpartition("@")
    if not at:
        raise ValueError("it is not an e-mail address")
    return f"{local}@{host.lower()}"
