"""Ending authorizations with their tokens.

A grant's codes and tokens are only ever read together with it (`provider_statements`), so that
one row per grant is written here, however many tokens it has, and a token that is being added at
the same moment is dead as well.
"""

from typing import Final

from sqlalchemy import Column, ColumnElement, bindparam, literal, select

from corpid.services.records import ClientSession, GivenGrant
from corpid.storage.constructs import changing, given, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement
from oidc.records import OFFLINE_ACCESS

MAX_AT_ONE_SECOND: Final = 200
"""Sign-ins of one client at one second, beyond which nobody is looked for."""

_grant = table("authorization_grant")
_access = table("access_token")


def _ending(column: "Column[str]") -> Statement:
    return changing(
        _grant,
        given(column, "key"),
        _grant.c.ended_at.is_(None),
        _grant.c.expires_at > bindparam("now"),
        ended_at=bindparam("now"),
        end_reason=bindparam("reason"),
    )


def _sessions(*conditions: ColumnElement[bool]) -> Statement:
    return Statement(
        select(_grant.c.client_id, _grant.c.session_id, _grant.c.subject, _grant.c.actor)
        .distinct()
        .where(
            *conditions,
            _grant.c.session_id.is_not(None),
            _grant.c.subject.is_not(None),
            _grant.c.actor.is_not(None),
        )
    )


def _live_sessions(column: "Column[str]") -> Statement:
    return _sessions(
        given(column, "key"),
        _grant.c.ended_at.is_(None),
        _grant.c.expires_at > bindparam("now"),
    )


_SIGNED_IN_AT: Final = Statement(
    select(_grant.c.actor, _grant.c.subject)
    .distinct()
    .where(
        given(_grant.c.client_id),
        given(_grant.c.auth_time),
        _grant.c.actor.is_not(None),
        _grant.c.subject.is_not(None),
    )
    .limit(MAX_AT_ONE_SECOND)
)
_IN_SESSION: Final = _sessions(given(_grant.c.session_id))
_LIVE_BY_AUTHORITY: Final = _live_sessions(_grant.c.authority)
_LIVE_BY_ACTOR: Final = _live_sessions(_grant.c.actor)
_LIVE_BY_SUBJECT: Final = _live_sessions(_grant.c.subject)
_LIVE_IN_SESSION: Final = (
    given(_grant.c.session_id),
    _grant.c.ended_at.is_(None),
    _grant.c.expires_at > bindparam("now"),
)
_OFFLINE: Final = (literal(" ") + _grant.c.scope + literal(" ")).contains(f" {OFFLINE_ACCESS} ")
_SIGN_OUT: Final = changing(
    _grant,
    *_LIVE_IN_SESSION,
    ~_OFFLINE,
    ended_at=bindparam("now"),
    end_reason=bindparam("reason"),
)
_END_OFFLINE_ACCESS_TOKENS: Final = changing(
    _access,
    _access.c.grant_id.in_(select(_grant.c.grant_id).where(*_LIVE_IN_SESSION, _OFFLINE)),
    _access.c.ended_at.is_(None),
    _access.c.expires_at > bindparam("now"),
    ended_at=bindparam("now"),
)
_GIVEN: Final = Statement(
    select(
        _grant.c.grant_id,
        _grant.c.client_id,
        _grant.c.session_id,
        _grant.c.subject,
        _grant.c.actor,
    ).where(given(_grant.c.grant_id))
)
_BY_ID: Final = _ending(_grant.c.grant_id)
_BY_AUTHORITY: Final = _ending(_grant.c.authority)
_BY_ACTOR: Final = _ending(_grant.c.actor)
_BY_SUBJECT: Final = _ending(_grant.c.subject)
_BY_SESSION: Final = _ending(_grant.c.session_id)
_BY_CLIENT: Final = _ending(_grant.c.client_id)


class SqlGrants(Repository):
    """``services.ports.Grants``. The counts are of grants that were live."""

    __slots__ = ()

    async def in_session(self, session_id: str) -> list[ClientSession]:
        """See ``Grants.in_session``."""
        rows = await self._in.reads.all(_IN_SESSION, session_id=session_id)
        return [ClientSession(*row) for row in rows]

    async def live_sessions(
        self,
        now_ms: int,
        *,
        authority: str | None = None,
        person_id: str | None = None,
        organisation_id: str | None = None,
    ) -> list[ClientSession]:
        """See ``Grants.live_sessions``.

        Raises:
            ValueError: none is given.
        """
        for statement, key in (
            (_LIVE_BY_AUTHORITY, authority),
            (_LIVE_BY_ACTOR, person_id),
            (_LIVE_BY_SUBJECT, organisation_id),
        ):
            if key is not None:
                rows = await self._in.reads.all(statement, key=key, now=now_ms)
                return [ClientSession(*row) for row in rows]
        raise ValueError("live_sessions needs an authority, a person or an organisation")

    async def signed_in_at(self, client_id: str, auth_time: int) -> list[tuple[str, str]]:
        """See ``Grants.signed_in_at``."""
        rows = await self._in.reads.all(_SIGNED_IN_AT, client_id=client_id, auth_time=auth_time)
        return [(actor, subject) for actor, subject in rows]

    async def end_signed_out(self, session_id: str, now_ms: int, reason: str) -> int:
        """See ``Grants.end_signed_out``."""
        execute = self._in.writes.execute
        await execute(_END_OFFLINE_ACCESS_TOKENS, session_id=session_id, now=now_ms)
        return await execute(_SIGN_OUT, session_id=session_id, now=now_ms, reason=reason)

    async def by_id(self, grant_id: str) -> GivenGrant | None:
        """See ``Grants.by_id``."""
        row = await self._in.reads.one(_GIVEN, grant_id=grant_id)
        return None if row is None else GivenGrant(*row)

    async def end(self, grant_id: str, now_ms: int, reason: str) -> int:
        """End one grant."""
        return await self._end(_BY_ID, grant_id, now_ms, reason)

    async def end_by_authority(self, authority: str, now_ms: int, reason: str) -> int:
        """End the grants that rest on a mandate or representation."""
        return await self._end(_BY_AUTHORITY, authority, now_ms, reason)

    async def end_by_actor(self, person_id: str, now_ms: int, reason: str) -> int:
        """End the grants under which a person acts."""
        return await self._end(_BY_ACTOR, person_id, now_ms, reason)

    async def end_by_subject(self, organisation_id: str, now_ms: int, reason: str) -> int:
        """End the grants about an organisation."""
        return await self._end(_BY_SUBJECT, organisation_id, now_ms, reason)

    async def end_by_session(self, session_id: str, now_ms: int, reason: str) -> int:
        """End the grants that were given in a browser session."""
        return await self._end(_BY_SESSION, session_id, now_ms, reason)

    async def end_by_client(self, client_id: str, now_ms: int, reason: str) -> int:
        """End the grants given to a client."""
        return await self._end(_BY_CLIENT, client_id, now_ms, reason)

    async def _end(self, statement: Statement, key: str, now_ms: int, reason: str) -> int:
        return await self._in.writes.execute(statement, key=key, now=now_ms, reason=reason)
