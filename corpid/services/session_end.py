"""The end of a sign-in session: what it takes with it, inside one transaction.

The person, an operator and another person's sign-in in the same browser all end it in the same
way. Ending an account or an authority is ``revocation``'s.
"""

from dataclasses import dataclass

from corpid.services.logout_notices import tell
from corpid.services.ports import UnitOfWork
from keys.clock import Random
from oidc.errors import LoginRequired


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """What ended: grants with all their tokens, and the clients that will be told."""

    authorizations: int
    logouts: int


async def end_session(
    uow: UnitOfWork,
    session_id: str,
    now_ms: int,
    random: Random,
    *,
    actor: str,
    reason: str,
) -> SessionEnd | None:
    """End a session, its tokens, and have its clients told; None when it has ended before.

    Refresh tokens end unless they were granted for access while away (offline_access: Back-Channel
    Logout 1.0, 2.7), access tokens all. ``actor`` is a person's internal id or ``operator:NAME``.
    """
    if not await uow.sign_ins.end_session(session_id, now_ms):
        return None
    sessions = await uow.grants.in_session(session_id)
    ended = await uow.grants.end_signed_out(session_id, now_ms, reason)
    told = await tell(uow, sessions, now_ms, random)
    facts = {
        "session_id": session_id,
        "actor": actor,
        "reason": reason,
        "authorizations": ended,
        "logouts": told,
    }
    await uow.operations.audit("session.ended", facts)
    return SessionEnd(ended, told)


async def require_open(uow: UnitOfWork, session_id: str) -> None:
    """Refuse, inside a write, what rests on a session that has ended since it was looked at.

    Whoever ends a session ends the grants that there are: none may come after.

    Raises:
        LoginRequired: it has ended.
    """
    session = await uow.sign_ins.session_by_id(session_id)
    if session is None or session.ended_at is not None:
        raise LoginRequired("the person has just signed out")
