"""What can be wrong with an mdoc: one class, one stable code, per rule (ISO/IEC 18013-5).

Faults of signatures, algorithms, keys and certificate chains are `keys.errors`.
"""

from oidc.formats.errors import FormatsError


class MdocError(FormatsError):
    """The mdoc breaks a rule of ISO/IEC 18013-5, of COSE or of CBOR."""

    code = "mdoc_error"


class MalformedCbor(MdocError):
    """Not one CBOR item of the kinds an mdoc has, in definite lengths, with unique map keys."""

    code = "malformed_cbor"


class CborTooLarge(MdocError):
    """More bytes than the limit."""

    code = "cbor_too_large"


class MalformedCose(MdocError):
    """Not a COSE_Sign1, COSE_Mac0 or COSE_Key as RFC 9052 and ISO/IEC 18013-5 have them."""

    code = "malformed_cose"


class MalformedMdoc(MdocError):
    """A member of the IssuerSigned, the MSO or the DeviceResponse is missing or wrong."""

    code = "malformed_mdoc"


class UnsupportedMdocVersion(MdocError):
    """The MSO or the DeviceResponse is of a version that is not understood."""

    code = "unsupported_mdoc_version"


class UnknownDigestAlgorithm(MdocError):
    """`digestAlgorithm` is not one of SHA-256, SHA-384 and SHA-512 (9.1.2.5)."""

    code = "unknown_digest_algorithm"


class DigestMissing(MdocError):
    """The MSO has no digest for an element that is shown (9.3.1)."""

    code = "mdoc_digest_missing"


class DigestMismatch(MdocError):
    """An element is not the one whose digest the issuer signed (9.3.1)."""

    code = "mdoc_digest_mismatch"


class DuplicateElement(MdocError):
    """An element, or a digestID, occurs twice in a namespace."""

    code = "duplicate_element"


class DocTypeMismatch(MdocError):
    """The MSO is of another document type than the document, or than the one expected."""

    code = "doc_type_mismatch"


class MdocExpired(MdocError):
    """`validUntil` has passed."""

    code = "mdoc_expired"


class MdocNotYetValid(MdocError):
    """`validFrom` or `signed` lies in the future."""

    code = "mdoc_not_yet_valid"


class SignerUnsuitable(MdocError):
    """The document signer's certificate is not one that a root of the caller's issued itself, or
    of another country than the root (18013-5, annex B).
    """

    code = "document_signer_unsuitable"


class SignerMissing(MdocError):
    """The signing key has no certificate: an mdoc without one can be verified by nobody."""

    code = "document_signer_missing"


class DeviceAuthenticationMissing(MdocError):
    """The document has no signature or MAC of the device."""

    code = "device_authentication_missing"


class DeviceAuthenticationInvalid(MdocError):
    """The device's signature or MAC is not for this session, or not of this device."""

    code = "device_authentication_invalid"


class DeviceElementUnauthorized(MdocError):
    """The device signed an element that the issuer did not authorize it to (9.1.2.4)."""

    code = "device_element_unauthorized"


class DeviceResponseRefused(MdocError):
    """The DeviceResponse says that the wallet met an error: its status is not 0."""

    code = "device_response_refused"
