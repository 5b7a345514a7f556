"""Who may look at the credentials of a business, and who may suspend, resume or revoke one.

Whoever stands for the business as a whole manages all of its credentials: who acts for it by the
register, or holds a SOLE mandate to represent it that is not confined to some services. Everybody
else who acts for it, alone or with others, sees their own and may stop them, for a lost telephone
cannot wait; and they lift only what they suspended themselves. What an operator of the service
suspended, only an operator resumes: it may be the business itself that is looked into.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from corpid.domain.authority_need import REGISTER_POWERS, AuthorityNeed
from corpid.domain.credential import Credential, CredentialChange, CredentialState, Standing
from corpid.domain.mandate import Mandate

OPERATOR: Final = "operator:"
"""How the name of an operator begins, where it says who did something."""
_REPRESENTS = AuthorityNeed(powers=REGISTER_POWERS)


class Act(StrEnum):
    """What can be done to an issued credential."""

    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


def manages(mandate: Mandate | None) -> bool:
    """Whether an authority that counts now is one over all credentials of its business.

    ``mandate`` is None where the authority is by the register.
    """
    if mandate is None:
        return True
    return not mandate.terms.services and _REPRESENTS.met_by(mandate.terms)


def may_see(credential: Credential, person_id: str, *, manager: bool) -> bool:
    """Whether somebody who acts for the credential's business may know of it."""
    return manager or credential.person_id == person_id


def allowed_acts(
    credential: Credential,
    person_id: str,
    *,
    manager: bool,
    history: Sequence[CredentialChange],
    now_ms: int,
) -> tuple[Act, ...]:
    """What somebody who acts for the credential's business may do to it now."""
    if not may_see(credential, person_id, manager=manager):
        return ()
    standing = credential.standing(now_ms)
    if standing is Standing.VALID:
        return Act.SUSPEND, Act.REVOKE
    if standing is not Standing.SUSPENDED:
        return ()
    # What is suspended with its mandate or business comes back with that.
    if not credential.on_hold or held_by_operator(credential, history):
        return (Act.REVOKE,)
    resumable = manager or _suspended_by(history) == person_id
    return (Act.RESUME, Act.REVOKE) if resumable else (Act.REVOKE,)


def held_by_operator(credential: Credential, history: Sequence[CredentialChange]) -> bool:
    """Whether an operator suspended the credential by itself, and it is so still."""
    by = _suspended_by(history)
    return credential.on_hold and by is not None and by.startswith(OPERATOR)


def _suspended_by(history: Sequence[CredentialChange]) -> str | None:
    """Who suspended a credential last, by its history, oldest first."""
    found = [one.actor for one in history if one.state is CredentialState.SUSPENDED]
    return found[-1] if found else None
