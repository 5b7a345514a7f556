"""Every way in which a verification can end without a value.

Two families. `VerificationFailed`: the thing is not valid, and asking again will not help.
`Undetermined`: whether it is valid cannot be known now, because something could not be fetched or
read; that is no statement about the thing. Codes are stable; sentences are for a log or a person
and never contain the token. docs/relying-party-errors.md is this table.
"""

from typing import ClassVar


class RelyingPartyError(Exception):
    """Something was not verified.

    `code` is stable; `sentence` says it plainly and is the class's docstring; `detail`, if known,
    narrows it down (for a malformed credential it is the code of the rule that was broken).
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something was not verified."

    def __init_subclass__(cls) -> None:
        # Optimised interpreters (-OO) drop docstrings; the code is then all there is.
        cls.sentence = cls.__doc__.split("\n", 1)[0] if cls.__doc__ else cls.code

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(self.sentence if detail is None else f"{self.sentence} ({detail})")
        self.detail = detail


class VerificationFailed(RelyingPartyError):
    """The token, credential or proof is not valid for this use."""

    code = "verification_failed"


class Undetermined(RelyingPartyError):
    """Nothing can be said now; the caller's policy decides."""

    code = "undetermined"


# Tokens


class NotRecognised(VerificationFailed):
    """This is not a token or credential of a kind that is known."""

    code = "not_recognised"


class TokenMalformed(VerificationFailed):
    """The token is not well formed."""

    code = "token_malformed"


class TokenTypeWrong(VerificationFailed):
    """This is another type of token than the one expected here."""

    code = "token_type_wrong"


class AlgorithmRefused(VerificationFailed):
    """The token is signed with an algorithm that is not accepted."""

    code = "algorithm_refused"


class KeyUnknown(VerificationFailed):
    """The issuer does not publish the key that the token names."""

    code = "key_unknown"


class SignatureInvalid(VerificationFailed):
    """The signature is not valid."""

    code = "signature_invalid"


class IssuerUnexpected(VerificationFailed):
    """The token or credential comes from an issuer that is not trusted here."""

    code = "issuer_unexpected"


class AudienceUnexpected(VerificationFailed):
    """The token was made for somebody else."""

    code = "audience_unexpected"


class AuthorizedPartyUnexpected(VerificationFailed):
    """The ID token was issued to another client."""

    code = "authorized_party_unexpected"


class TokenExpired(VerificationFailed):
    """The token has expired."""

    code = "token_expired"


class TokenNotYetValid(VerificationFailed):
    """The token is dated in the future."""

    code = "token_not_yet_valid"


class ClaimInvalid(VerificationFailed):
    """A claim is missing or has a wrong form."""

    code = "claim_invalid"


class NonceMismatch(VerificationFailed):
    """The ID token answers another sign-in than the one that was started."""

    code = "nonce_mismatch"


class HashMismatch(VerificationFailed):
    """The access token or code does not belong to this ID token."""

    code = "hash_mismatch"


class AuthenticationTooOld(VerificationFailed):
    """The person signed in too long ago."""

    code = "authentication_too_old"


class AssuranceTooLow(VerificationFailed):
    """The person signed in with a lower level of assurance than required."""

    code = "assurance_too_low"


class ScopeMissing(VerificationFailed):
    """The access token does not cover what is asked for."""

    code = "scope_missing"


class LogoutInvalid(VerificationFailed):
    """This is not a valid logout token."""

    code = "logout_invalid"


# Encryption, and answers that are signed


class DecryptionFailed(VerificationFailed):
    """The token is not encrypted to a key of this relying party."""

    code = "decryption_failed"


class NotEncrypted(VerificationFailed):
    """The token is not encrypted, and encryption is required here."""

    code = "not_encrypted"


class StateMismatch(VerificationFailed):
    """The authorization response answers another request than the one that was sent."""

    code = "state_mismatch"


class SubjectMismatch(VerificationFailed):
    """The answer speaks of somebody else than the one who signed in."""

    code = "subject_mismatch"


class TokenInactive(VerificationFailed):
    """The access token is not active: unknown, over, ended, or for somebody else."""

    code = "token_inactive"


class AnswerTooOld(VerificationFailed):
    """The signed answer was made too long ago."""

    code = "answer_too_old"


# Sender-constrained access tokens


class DpopMissing(VerificationFailed):
    """The access token is bound to a key and no proof of that key was sent."""

    code = "dpop_missing"


class DpopInvalid(VerificationFailed):
    """The DPoP proof is not valid for this request."""

    code = "dpop_invalid"


class DpopReplayed(VerificationFailed):
    """The DPoP proof was used before."""

    code = "dpop_replayed"


class DpopKeyMismatch(VerificationFailed):
    """The DPoP proof was made with another key than the access token's."""

    code = "dpop_key_mismatch"


class CertificateMissing(VerificationFailed):
    """The access token is bound to a client certificate and none was presented."""

    code = "certificate_missing"


class CertificateMismatch(VerificationFailed):
    """The access token is bound to another client certificate than the one presented."""

    code = "certificate_mismatch"


class TokenNotBound(VerificationFailed):
    """The access token is not bound to its sender, and binding is required here."""

    code = "token_not_bound"


# Credentials


class CredentialMalformed(VerificationFailed):
    """The credential is not well formed."""

    code = "credential_malformed"


class CredentialTypeUnexpected(VerificationFailed):
    """This is another type of credential than the one asked for."""

    code = "credential_type_unexpected"


class CredentialExpired(VerificationFailed):
    """The credential has expired."""

    code = "credential_expired"


class CredentialNotYetValid(VerificationFailed):
    """The credential is not valid yet."""

    code = "credential_not_yet_valid"


class KeyBindingMissing(VerificationFailed):
    """The presentation has no proof that the holder of the credential made it."""

    code = "key_binding_missing"


class KeyBindingInvalid(VerificationFailed):
    """The holder's proof is not valid for this request."""

    code = "key_binding_invalid"


class CredentialRevoked(VerificationFailed):
    """The credential has been revoked."""

    code = "credential_revoked"


class CredentialSuspended(VerificationFailed):
    """The credential is suspended."""

    code = "credential_suspended"


class CredentialStatusNotValid(VerificationFailed):
    """The credential has a status that is not known to mean valid."""

    code = "credential_status_not_valid"


class CertificateChainInvalid(VerificationFailed):
    """The certificates that came with the key do not lead to a trust anchor for this issuer."""

    code = "certificate_chain_invalid"


class CredentialStatusMissing(VerificationFailed):
    """The credential names no status list, and one is required here."""

    code = "credential_status_missing"


class StatusIndexOutOfRange(VerificationFailed):
    """The status list has no such entry."""

    code = "status_index_out_of_range"


class MandateRevoked(VerificationFailed):
    """The mandate has been ended."""

    code = "mandate_revoked"


class MandateSuspended(VerificationFailed):
    """The mandate is suspended."""

    code = "mandate_suspended"


class MandateRefused(VerificationFailed):
    """The mandate does not permit this act."""

    code = "mandate_refused"


# Undetermined


class KeysUnavailable(Undetermined):
    """The issuer's keys could not be fetched."""

    code = "keys_unavailable"


class MetadataInvalid(Undetermined):
    """The issuer's metadata or key set is not usable."""

    code = "metadata_invalid"


class StatusUnavailable(Undetermined):
    """The status list could not be fetched."""

    code = "status_unavailable"


class StatusExpired(Undetermined):
    """The status list that was served has expired."""

    code = "status_expired"


class StatusTokenInvalid(Undetermined):
    """The status list that was served is not a valid one."""

    code = "status_token_invalid"


def table() -> list[type[RelyingPartyError]]:
    """Return the class of every code: first what failed, then what is undetermined."""
    return [*VerificationFailed.__subclasses__(), *Undetermined.__subclasses__()]


def as_markdown() -> str:
    """Return the table as the document that developers read."""
    lines = [
        "# Errors of the relying party package",
        "",
        "Every error has a stable `code`. Those that derive from `VerificationFailed` mean that",
        "the token or credential is not valid for this use. Those that derive from `Undetermined`",
        "mean that nothing could be found out now: no statement about the token or credential.",
        "`error.detail` narrows the cause down where more is known.",
        "",
        "This page equals the table in `corpid/relying_party/errors.py`; a test compares them.",
        "",
    ]
    for title, family in (("Not valid", VerificationFailed), ("Undetermined", Undetermined)):
        lines += [f"## {title}", "", "| Code | Class | Meaning |", "| --- | --- | --- |"]
        lines += [
            f"| `{one.code}` | `{one.__name__}` | {one.sentence} |"
            for one in table()
            if issubclass(one, family)
        ]
        lines.append("")
    return "\n".join(lines)
