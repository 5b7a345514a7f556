"""Chains of certificates as signed objects carry them, and every way to break them."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keys.jwk import library_key

_serial = itertools.count(5000)
ISSUER = "https://id.example/corp"


@dataclass
class Certified:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Any


def certify(
    now: float,
    common_name: str,
    by: Certified | None = None,
    *,
    authority: bool = False,
    path_length: int | None = None,
    key_usage: bool | None = True,
    usage: x509.ObjectIdentifier | None = None,
    names: tuple[x509.GeneralName, ...] = (),
    begins: float = -86_400,
    ends: float = 30 * 86_400,
    key: Any = None,
    public_jwk: Any = None,
    digest: hashes.HashAlgorithm | None = None,
    country: str | None = "HK",
    more: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    constraints: bool = True,
    signed_by: Any = None,
    issuer: x509.Name | None = None,
) -> Certified:
    """A certificate; ``by`` None signs itself. ``key_usage`` None leaves the extension out."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if country is not None:
        parts.insert(0, x509.NameAttribute(NameOID.COUNTRY_NAME, country))
    subject = x509.Name(parts)
    moment = datetime.fromtimestamp(int(now), UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or (subject if by is None else by.certificate.subject))
        .public_key(own.public_key() if public_jwk is None else library_key(public_jwk))
        .serial_number(next(_serial))
        .not_valid_before(moment + timedelta(seconds=begins))
        .not_valid_after(moment + timedelta(seconds=ends))
    )
    if constraints:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), True)
    if key_usage is not None:
        builder = builder.add_extension(_key_usage(authority, allowed=key_usage), True)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    signer = signed_by or (own if by is None else by.key)
    return Certified(builder.sign(signer, digest or hashes.SHA256()), own)


def for_issuer(issuer: str = ISSUER) -> tuple[x509.GeneralName, ...]:
    host = urlsplit(issuer).hostname or ""
    return (x509.DNSName(host), x509.UniformResourceIdentifier(issuer))


def _key_usage(authority: bool, *, allowed: bool) -> x509.KeyUsage:
    no = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    signs, certifies = (not authority) == allowed, authority == allowed
    return x509.KeyUsage(digital_signature=signs, key_cert_sign=certifies, crl_sign=False, **no)
