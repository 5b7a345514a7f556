"""What can go wrong with keys and signed objects.

Every class has a stable ``code`` that logs, tests and callers may rely on; the message is for a
developer and never holds key material or a whole token.
"""

from typing import ClassVar


class KeysError(Exception):
    """Base of all errors that this package raises on data from outside."""

    code: ClassVar[str] = "keys_error"


class MalformedEncoding(KeysError):
    """Text that is not canonical unpadded base64url (RFC 7515 section 2, RFC 4648 section 3.5)."""

    code = "malformed_encoding"


class MalformedKey(KeysError):
    """A JWK or JWK Set that breaks RFC 7517, RFC 7518 or our minimum strengths."""

    code = "malformed_key"


class UnsupportedKey(MalformedKey):
    """A JWK of a type or curve that we do not know; a JWK Set skips it (RFC 7517 section 5)."""

    code = "unsupported_key"


class MalformedJws(KeysError):
    """Not a compact JWS (RFC 7515 section 7.1), or its header or claims are no JSON object."""

    code = "malformed_jws"


class UnsupportedAlgorithm(KeysError):
    """The ``alg`` is unknown, not allowed by the caller, or not one of the key's."""

    code = "unsupported_algorithm"


class WrongType(KeysError):
    """The ``typ`` header is not the one that the caller expects (RFC 8725 section 3.11)."""

    code = "wrong_type"


class UnknownKey(KeysError):
    """No key of the set fits the header's ``kid`` and ``alg``."""

    code = "unknown_key"


class InvalidSignature(KeysError):
    """The signature does not verify under the key."""

    code = "invalid_signature"


class CriticalHeader(KeysError):
    """The header demands an extension (``crit``, ``b64``), and we understand none."""

    code = "critical_header"


class InvalidClaim(KeysError):
    """A registered claim is missing, of the wrong type, or not what the caller expects."""

    code = "invalid_claim"

    def __init__(self, claim: str, message: str) -> None:
        super().__init__(f"{claim}: {message}")
        self.claim = claim


class TokenExpired(InvalidClaim):
    """``exp`` has passed, leeway counted."""

    code = "token_expired"


class TokenNotYetValid(InvalidClaim):
    """``nbf`` or ``iat`` lies in the future, leeway counted."""

    code = "token_not_yet_valid"


class MalformedJwe(KeysError):
    """Not a compact JWE (RFC 7516 section 7.1), or its header is no JSON object."""

    code = "malformed_jwe"


class DecryptionFailed(KeysError):
    """It was not encrypted to this key, or was changed on the way."""

    code = "decryption_failed"


class SealError(KeysError):
    """A sealed box cannot be opened: damaged, of another context, or of another version."""

    code = "seal_error"


class WrongMasterKey(KeysError):
    """The master key is not the one under which the store was sealed."""

    code = "wrong_master_key"


class NoSigningKey(KeysError):
    """No key of this purpose and algorithm may sign now."""

    code = "no_signing_key"


class RotationPending(KeysError):
    """A new key of this purpose and algorithm already waits for its activation."""

    code = "rotation_pending"


class InvalidChain(KeysError):
    """A chain of certificates that does not verify; ``rule`` names what it broke, and is stable."""

    code = "invalid_chain"

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
