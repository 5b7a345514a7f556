"""Certificates of clients, the authority that issues them, and the headers of a proxy."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.algorithms import PrivateKey

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
_serial = itertools.count(1000)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


BANK = name(
    (NameOID.COUNTRY_NAME, "HK"),
    (NameOID.ORGANIZATION_NAME, "Sample Bank"),
    (NameOID.COMMON_NAME, "bank client"),
)


class Authority:
    """Issues certificates; ``now`` (epoch seconds) is the middle of their validity."""

    def __init__(self, now: float, common_name: str = "Sample Authority") -> None:
        self._now = datetime.fromtimestamp(int(now), UTC)
        self._key = ec_key()
        self.name = name((NameOID.COMMON_NAME, common_name))
        self.certificate = self._sign(
            self._builder(self.name, self._key, days=1000)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_certificates_only(), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False)
        )

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    def issue(
        self,
        *names: x509.GeneralName,
        subject: x509.Name = BANK,
        key: PrivateKey | None = None,
        usage: x509.ObjectIdentifier | None = CLIENT,
        days: int = 10,
    ) -> x509.Certificate:
        """A certificate for a client, with these alternative names."""
        builder = self._builder(subject, key or ec_key(), days=days).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        return self._sign(builder)

    def _builder(
        self, subject: x509.Name, key: PrivateKey, *, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(next(_serial))
            .not_valid_before(self._now - timedelta(days=abs(days)))
            .not_valid_after(self._now + timedelta(days=days))
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, SHA256())


def self_signed(now: float, key: PrivateKey | None = None, days: int = 10) -> x509.Certificate:
    """A certificate that nobody but its key vouches for."""
    own = key or ec_key()
    instant = datetime.fromtimestamp(int(now), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(BANK)
        .issuer_name(BANK)
        .public_key(own.public_key())
        .serial_number(next(_serial))
        .not_valid_before(instant - timedelta(days=abs(days)))
        .not_valid_after(instant + timedelta(days=days))
        .sign(own, SHA256())
    )


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def rfc9440(certificate: x509.Certificate) -> bytes:
    """The value of a Client-Cert header."""
    return b":" + base64.b64encode(der(certificate)) + b":"


def escaped(certificate: x509.Certificate) -> bytes:
    """What nginx has in $ssl_client_escaped_cert."""
    return quote(pem(certificate), safe="").encode("ascii")


def x5c(certificate: x509.Certificate, members: dict[str, Any]) -> dict[str, Any]:
    """A JWK with its certificate."""
    return {**members, "x5c": [base64.b64encode(der(certificate)).decode("ascii")]}


def _certificates_only() -> x509.KeyUsage:
    no = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **no)
