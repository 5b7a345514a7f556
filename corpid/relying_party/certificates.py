"""Access tokens that are bound to the TLS certificate of their client (RFC 8705, section 3)."""

import ssl
from hashlib import sha256
from hmac import compare_digest

from corpid.relying_party.errors import CertificateMismatch, CertificateMissing
from keys.base64url import encode


def check_certificate(certificate: bytes | str | None, thumbprint: str) -> None:
    """Compare the certificate of the connection, DER or PEM, with the token's `x5t#S256`.

    Raises CertificateMissing, CertificateMismatch.
    """
    if certificate is None:
        raise CertificateMissing
    try:
        der = ssl.PEM_cert_to_DER_cert(certificate) if isinstance(certificate, str) else certificate
    except ValueError:
        raise CertificateMismatch("not a certificate in PEM") from None
    if not compare_digest(encode(sha256(der).digest()), thumbprint):
        raise CertificateMismatch
