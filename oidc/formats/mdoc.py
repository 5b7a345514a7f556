"""Mobile documents in one place (ISO/IEC 18013-5).

Issuers use `issue`; verifiers `parse_issuer_signed` or `parse_device_response`, then `verify`, then
`verify_device` with the transcript of their session. Everything is pure: no I/O, the time and the
randomness are arguments; only signing is awaited, since keys may live elsewhere.
"""

from oidc.formats.mdoc_device import (
    dc_api_transcript,
    device_authentication,
    openid4vp_transcript,
    verify_device,
)
from oidc.formats.mdoc_issue import IssuedMdoc, Validity, issue
from oidc.formats.mdoc_parse import (
    UnverifiedDocument,
    UnverifiedIssuerSigned,
    is_device_response,
    parse_device_response,
    parse_issuer_signed,
)
from oidc.formats.mdoc_signer import DocumentSigner
from oidc.formats.mdoc_verify import VerifiedMdoc, verify

__all__ = [
    "DocumentSigner",
    "IssuedMdoc",
    "UnverifiedDocument",
    "UnverifiedIssuerSigned",
    "Validity",
    "VerifiedMdoc",
    "dc_api_transcript",
    "device_authentication",
    "is_device_response",
    "issue",
    "openid4vp_transcript",
    "parse_device_response",
    "parse_issuer_signed",
    "verify",
    "verify_device",
]
