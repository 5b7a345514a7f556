"""Making certificates: requests for a real authority, and a small authority for development.

The profiles are those of ISO/IEC 18013-5, annex B, for mdoc (an IACA root, B.1.1, and document
signers under it, B.1.4), and the plainest that verifiers accept for everything else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from keys.algorithms import LibraryPublicKey
from keys.certificates import DOCUMENT_SIGNER, MAX_DOCUMENT_SIGNER_DAYS, STATUS_SIGNING
from keys.clock import Random
from keys.jwk import library_key
from keys.signer import LocalSigner

DAY: Final = 86_400
ROOT_DAYS: Final = 3650
"""An IACA root lives at most 20 years (B.1.1)."""
LEAF_DAYS: Final = 90
CRL_DAYS: Final = 30
_BACKDATED: Final = timedelta(minutes=5)  # clocks differ
_SERIAL_BYTES: Final = 16  # 63 bits at least, 20 bytes at most (B.1)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a leaf is certified for. ``usage`` is critical, and None for any signature.

    ``document_signer``: the names, and the address of the revocation list, that B.1.4 asks for.
    """

    title: str
    usage: x509.ObjectIdentifier | None = None
    document_signer: bool = False


PROFILES: Final = {
    "credentials": Profile("credentials"),
    "status": Profile("status lists", STATUS_SIGNING),
    "metadata": Profile("metadata"),
    "mdoc": Profile("document signer", DOCUMENT_SIGNER, document_signer=True),
}
"""By the purpose of the ring."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is certified: the issuer's URL, and its country (ISO 3166-1) and name."""

    issuer: str
    country: str
    organisation: str

    def name(self, title: str) -> x509.Name:
        """Return the distinguished name of one of its certificates."""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, self.country),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{self.organisation} {title}"[:64]),
            ]
        )

    def alternative_names(self) -> x509.SubjectAlternativeName:
        """Return its host and its URL: what verifiers compare with ``iss``."""
        host = urlsplit(self.issuer).hostname or ""
        named: x509.GeneralName
        try:
            named = x509.IPAddress(ip_address(host))
        except ValueError:
            named = x509.DNSName(host)
        return x509.SubjectAlternativeName([named, x509.UniformResourceIdentifier(self.issuer)])


@dataclass(frozen=True, slots=True)
class Authority:
    """A root that issues leaves itself. ``crl_url`` is where its revocation list is."""

    certificate: x509.Certificate
    signer: LocalSigner
    crl_url: str | None = None

    def issue(
        self,
        profile: Profile,
        subject: Subject,
        public_key: LibraryPublicKey,
        now: float,
        random: Random,
        days: int = LEAF_DAYS,
    ) -> x509.Certificate:
        """Certify a key for a profile, never beyond this root's own end.

        Raises:
            ValueError: a document signer for longer than it may be.
        """
        if profile.document_signer and days >= MAX_DOCUMENT_SIGNER_DAYS:  # it begins in the past
            raise ValueError(f"a document signer lives at most {MAX_DOCUMENT_SIGNER_DAYS} days")
        since = max(_instant(now) - _BACKDATED, self.certificate.not_valid_before_utc)
        until = min(_instant(now) + timedelta(days=days), self.certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject.name(profile.title))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(_serial(random))
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(_identifier(public_key), critical=False)
            .add_extension(self._authority_identifier(), critical=False)
            .add_extension(subject.alternative_names(), critical=False)
        )
        if not profile.document_signer:  # B.1.4 knows no such extension
            plain = x509.BasicConstraints(ca=False, path_length=None)
            builder = builder.add_extension(plain, critical=True)
        if profile.usage is not None:
            usage = x509.ExtendedKeyUsage([profile.usage])
            builder = builder.add_extension(usage, critical=profile.document_signer)
        if profile.document_signer:
            builder = builder.add_extension(_issuer_names(subject), critical=False)
        if self.crl_url is not None:
            builder = builder.add_extension(_distribution(self.crl_url), critical=False)
        return self.signer.certify(builder)

    def revocation_list(
        self, revoked: Iterable[int], number: int, now: float
    ) -> x509.CertificateRevocationList:
        """Sign the list of these serial numbers (RFC 5280 5); ``number`` must grow."""
        instant = _instant(now)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(instant)
            .next_update(instant + timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._authority_identifier(), critical=False)
        )
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(instant)
            builder = builder.add_revoked_certificate(entry.build())
        return self.signer.revoke(builder)

    def _authority_identifier(self) -> x509.AuthorityKeyIdentifier:
        found = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def new_root(
    signer: LocalSigner,
    title: str,
    subject: Subject,
    now: float,
    random: Random,
    *,
    crl_url: str | None = None,
) -> Authority:
    """Make a root over ``signer``; it issues leaves only (path length 0)."""
    name = subject.name(title)
    public_key = library_key(signer.public_jwk)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public_key)
        .serial_number(_serial(random))
        .not_valid_before(_instant(now) - _BACKDATED)
        .not_valid_after(_instant(now) + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(_identifier(public_key), critical=False)
        .add_extension(_issuer_names(subject), critical=False)
    )
    if crl_url is not None:
        builder = builder.add_extension(_distribution(crl_url), critical=False)
    return Authority(signer.certify(builder), signer, crl_url)


def request(signer: LocalSigner, profile: Profile, subject: Subject) -> bytes:
    """Return a certificate signing request (PEM) for a key and what it shall be certified for."""
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject.name(profile.title))
        .add_extension(subject.alternative_names(), critical=False)
        .add_extension(_key_usage(authority=False), critical=True)
    )
    if profile.usage is not None:
        usage = x509.ExtendedKeyUsage([profile.usage])
        builder = builder.add_extension(usage, critical=profile.document_signer)
    return signer.request(builder).public_bytes(Encoding.PEM)


def _instant(now: float) -> datetime:
    return datetime.fromtimestamp(int(now), UTC)


def _serial(random: Random) -> int:
    return int.from_bytes(random(_SERIAL_BYTES), "big") >> 1 | 1 << 64


def _identifier(public_key: LibraryPublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(public_key)


def _issuer_names(subject: Subject) -> x509.IssuerAlternativeName:
    return x509.IssuerAlternativeName([x509.UniformResourceIdentifier(subject.issuer)])


def _distribution(url: str) -> x509.CRLDistributionPoints:
    place = [x509.UniformResourceIdentifier(url)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
