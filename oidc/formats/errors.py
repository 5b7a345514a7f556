"""What can be wrong with a credential or a status list: one class, one stable code, per rule.

Faults of the JWS that carries it (encoding, algorithm, signature, typ) are `keys.errors`.
"""


class FormatsError(Exception):
    """Base of every error that this package raises; `code` is stable, the text is for people."""

    code = "format_error"


class SdJwtError(FormatsError):
    """The SD-JWT breaks a rule of RFC 9901 or of SD-JWT VC."""

    code = "sd_jwt_error"


class MalformedSdJwt(SdJwtError):
    """The text is not `<jwt>~<disclosure>~...~[<kb-jwt>]`, or its payload is no JSON object."""

    code = "malformed_sd_jwt"


class MissingTilde(SdJwtError):
    """The tilde after the issuer's JWT or the last disclosure is missing (RFC 9901, 4)."""

    code = "missing_tilde"


class SdJwtTooLarge(SdJwtError):
    """The text, or the number of disclosures, is beyond the limits."""

    code = "sd_jwt_too_large"


class SdJwtTooDeep(SdJwtError):
    """Claims are nested deeper than the limits allow."""

    code = "sd_jwt_too_deep"


class MalformedDisclosure(SdJwtError):
    """A disclosure is not base64url of a JSON array of strings where they must be (4.2)."""

    code = "malformed_disclosure"


class WrongDisclosureLength(SdJwtError):
    """A digest in `_sd` needs a disclosure of three items, one in an array of two (7.1, 3.3)."""

    code = "wrong_disclosure_length"


class ReservedClaimName(SdJwtError):
    """A claim is named `_sd` or `...` where these words are not the mechanism itself (7.1)."""

    code = "reserved_claim_name"


class DuplicateClaimName(SdJwtError):
    """A disclosed claim already exists at its level (7.1, 3.3.2.3)."""

    code = "duplicate_claim_name"


class DuplicateDigest(SdJwtError):
    """The same digest, or the same disclosure, occurs more than once (7.1, 4)."""

    code = "duplicate_digest"


class MalformedDigest(SdJwtError):
    """`_sd` is not an array of strings, or `...` does not stand alone with a string (4.2.4)."""

    code = "malformed_digest"


class UnreferencedDisclosure(SdJwtError):
    """A disclosure matches no digest of the signed content (7.1, 5)."""

    code = "unreferenced_disclosure"


class UnknownHashAlgorithm(SdJwtError):
    """`_sd_alg` is not one that is understood and thought secure (4.1.1)."""

    code = "unknown_sd_alg"


class MisplacedHashAlgorithm(SdJwtError):
    """`_sd_alg` stands below the top level, or in a disclosure (4.1.1)."""

    code = "misplaced_sd_alg"


class ProtectedClaimDisclosed(SdJwtError):
    """A claim that controls validity is, or has members that are, selectively disclosable."""

    code = "protected_claim_disclosed"


class FrameMismatch(SdJwtError):
    """A path to disclose does not fit the claims: an object, array or scalar was expected."""

    code = "frame_mismatch"


class UnknownDisclosure(SdJwtError):
    """A path that the holder asked to present has no disclosure here."""

    code = "unknown_disclosure"


class KeyBindingMissing(SdJwtError):
    """A key binding JWT was required and the presentation has none (7.3)."""

    code = "key_binding_missing"


class KeyBindingUnexpected(SdJwtError):
    """A key binding JWT stands where none may be."""

    code = "key_binding_unexpected"


class MalformedKeyBinding(SdJwtError):
    """The key binding JWT lacks a claim, or a claim is of the wrong type (4.3)."""

    code = "malformed_key_binding"


class KeyBindingAudience(SdJwtError):
    """The key binding JWT was made for another verifier."""

    code = "key_binding_audience"


class KeyBindingNonce(SdJwtError):
    """The key binding JWT answers another request."""

    code = "key_binding_nonce"


class KeyBindingTime(SdJwtError):
    """The key binding JWT is too old, or of the future."""

    code = "key_binding_time"


class KeyBindingHash(SdJwtError):
    """`sd_hash` does not match what was presented: a disclosure was added, removed or changed."""

    code = "key_binding_hash"


class HolderKeyMissing(SdJwtError):
    """`cnf.jwk` is absent or unusable: the credential is bound to no key."""

    code = "holder_key_missing"


class MissingType(SdJwtError):
    """`vct` is missing or not a non-empty string."""

    code = "missing_vct"


class InvalidCredentialClaim(SdJwtError):
    """A registered claim of the credential has the wrong type or value; `claim` names it."""

    code = "invalid_credential_claim"

    def __init__(self, claim: str, message: str) -> None:
        super().__init__(message)
        self.claim = claim


class CredentialExpired(InvalidCredentialClaim):
    """`exp` has passed."""

    code = "credential_expired"


class CredentialNotYetValid(InvalidCredentialClaim):
    """`nbf` or `iat` lies in the future."""

    code = "credential_not_yet_valid"


class StatusListError(FormatsError):
    """The status list or its token breaks a rule of Token Status List."""

    code = "status_list_error"


class MalformedStatusList(StatusListError):
    """`bits` or `lst` is missing or wrong, or the compressed stream is damaged."""

    code = "malformed_status_list"


class StatusListTooLarge(StatusListError):
    """The token or the decompressed list is beyond the limit."""

    code = "status_list_too_large"


class StatusIndexOutOfRange(StatusListError):
    """The index is not in the list: the referenced token must be rejected."""

    code = "status_index_out_of_range"


class MalformedStatusReference(StatusListError):
    """`status.status_list` lacks a whole-number `idx` or a text `uri`."""

    code = "malformed_status_reference"


class StatusSubjectMismatch(StatusListError):
    """`sub` of the status list token is not the URI that was asked for."""

    code = "status_subject_mismatch"


class StatusTokenExpired(StatusListError):
    """The status list token is past its `exp`: it says nothing any more."""

    code = "status_token_expired"


class StatusTokenNotYetValid(StatusListError):
    """`iat` of the status list token lies in the future."""

    code = "status_token_not_yet_valid"
