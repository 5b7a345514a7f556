"""Who may have which credential: each type's rule, and the reason where the answer is no.

Two more things are shown by a request, and not by the facts: that the sign-in is as sure as
``least_assurance`` (who signed in less surely is asked to do better, not refused for good), and
that the holder's key is theirs, by a proof of possession or, where the rule lets it, by an
operator's word.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from corpid.domain.mandate import Mandate, RepresentationType
from corpid.domain.person import Assurance, Person


class Reason(StrEnum):
    """Why a credential is refused; stable, meant for programs."""

    ACCOUNT_CLOSED = "account_closed"
    NO_AUTHORITY = "no_authority"
    AUTHORITY_ENDED = "authority_ended"
    MANDATE_NEEDED = "mandate_needed"
    JOINT_AUTHORITY = "joint_authority"
    NO_BRANCH = "no_branch"
    BRANCH_NOT_NAMED = "branch_not_named"
    BRANCH_UNKNOWN = "branch_unknown"
    KEY_NOT_PROVEN = "key_not_proven"
    KEY_NOT_ATTESTED = "key_not_attested"
    KEY_REVOKED = "key_revoked"
    KEY_SUSPENDED = "key_suspended"
    TOO_MANY_WAIT = "too_many_wait"
    TOO_MANY_LIVE = "too_many_live"
    WALLET_PROFILE = "wallet_profile"


class KeyEvidence(StrEnum):
    """By what the key that a credential is bound to is known to be the holder's."""

    PROOF = "proof"  # the key signed that it wants the credential, with a nonce of ours
    OPERATOR = "operator"  # an operator says so


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no. ``text`` is a sentence for the person who asked."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class IssuanceRule:
    """What one credential type demands of whoever asks for it.

    ``by_mandate``: it states a mandate, so there must be one. ``joint``: it says itself whether the
    holder acts alone, so it is given for a JOINT mandate too; every other type would look like the
    authority to act alone. ``of_branch``: it is about one branch. ``operator_keys``: an operator's
    word may stand for the proof of possession, which is for what gives nobody authority: with the
    wrong key in it such a credential lets nobody act for the business.
    """

    least_assurance: Assurance = Assurance.LOA2
    by_mandate: bool = False
    joint: bool = False
    of_branch: bool = False
    operator_keys: bool = False

    def refusal(self, person: Person | None, mandate: Mandate | None) -> Refusal | None:
        """Why the holder of an authority that counts now may not have it; None when they may.

        ``mandate`` is None where the authority is by the register.
        """
        if person is None or person.closed_at is not None:
            return Refusal(Reason.ACCOUNT_CLOSED, "the account of this person is closed")
        if mandate is None:
            if self.by_mandate:
                return Refusal(
                    Reason.MANDATE_NEEDED,
                    "this credential states a mandate, and the authority here is by the register",
                )
            return None
        terms = mandate.terms
        if terms.representation_type is RepresentationType.JOINT and not self.joint:
            signers = terms.signing_rule.min_signers if terms.signing_rule else 2
            return Refusal(
                Reason.JOINT_AUTHORITY,
                f"the mandate is joint: {signers} signers must act together, and this credential "
                "would be taken for authority to act alone",
            )
        return None

    def key_refusal(self, evidence: KeyEvidence) -> Refusal | None:
        """Why a key that is known so may not have it; None when it may."""
        if evidence is KeyEvidence.OPERATOR and not self.operator_keys:
            return Refusal(
                Reason.KEY_NOT_PROVEN,
                "this credential lets its holder act for the business: the key must be proven, by "
                "a proof of the wallet or by an offer that it redeems",
            )
        return None


def chosen_branch(named: str | None, codes: Collection[str]) -> str | Refusal:
    """The branch that a credential is about: the one that is named, or the only one there is."""
    if named is None:
        if not codes:
            return Refusal(Reason.NO_BRANCH, "this business has no branch")
        if len(codes) > 1:
            return Refusal(
                Reason.BRANCH_NOT_NAMED,
                "this business has several branches: an offer names the one that is meant",
            )
        (only,) = codes
        return only
    if named not in codes:
        return Refusal(Reason.BRANCH_UNKNOWN, f"this business has no branch {named}")
    return named
