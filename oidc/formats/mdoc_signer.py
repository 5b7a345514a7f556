"""The document signer: whose certificate is beside the signature (ISO/IEC 18013-5, 9.3.3, B.1)."""

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from keys.certificates import DOCUMENT_SIGNER, certified_key, load, verify_chain
from keys.errors import InvalidChain
from keys.jwk import PublicKey
from keys.record import record
from oidc.formats.mdoc_errors import SignerUnsuitable


@record
class DocumentSigner:
    """A document signer that a root of the caller's vouches for. Times are epoch seconds.

    `country` is ISO 3166-1 alpha-2 in upper case. `root` is the IACA certificate.
    """

    key: PublicKey
    country: str | None
    certificate: x509.Certificate
    root: x509.Certificate

    @property
    def valid_from(self) -> float:
        """The first instant of the certificate."""
        return self.certificate.not_valid_before_utc.timestamp()

    @property
    def valid_until(self) -> float:
        """The last instant of the certificate."""
        return self.certificate.not_valid_after_utc.timestamp()


def verify_signer(
    x5chain: Sequence[bytes], roots: Iterable[x509.Certificate], now: float
) -> DocumentSigner:
    """Verify the certificates beside a signature, DER, at `now` (epoch seconds).

    Raises:
        InvalidChain: not a certificate in force for this use that one of the roots issued.
        SignerUnsuitable: there is a certificate between, or root and signer differ in country.
    """
    # 1. One certificate: below an IACA root there are no others (B.1.1: path length 0).
    if len(x5chain) != 1:
        raise SignerUnsuitable("x5chain holds more than the document signer's certificate")
    signer = _read(x5chain[0])
    # 2. In force, for signing mdocs, issued by a root that may.
    root = verify_chain([signer], roots, now, usage=DOCUMENT_SIGNER)
    # 3. Of its root's country: one authority speaks for one country (B.1.4).
    country = _country(signer)
    if country != _country(root):
        raise SignerUnsuitable("document signer and root are of different countries")
    return DocumentSigner(certified_key(signer), country, signer, root)


def _read(der: bytes) -> x509.Certificate:
    try:
        return load(der)
    except ValueError as error:
        raise InvalidChain("malformed", "x5chain holds no certificate") from error


def _country(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    except ValueError as error:
        raise InvalidChain("malformed", "the subject of a certificate is malformed") from error
    if len(found) != 1 or not isinstance(found[0].value, str):
        return None
    return found[0].value.upper()
