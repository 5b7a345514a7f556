"""Ending authorizations with their tokens.

A grant's codes and tokens are only ever read together with it (`provider_statements`), so that
one row per grant is written here, however many tokens it has, and a token that is being added at
the same moment is dead as well.
"""

from typing import Final

from sqlalchemy import Column, bindparam

from corpid.storage.constructs import changing, given, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_grant = table("authorization_grant")


def _ending(column: "Column[str]") -> Statement:
    return changing(
        _grant,
        given(column, "key"),
        _grant.c.ended_at.is_(None),
        _grant.c.expires_at > bindparam("now"),
        ended_at=bindparam("now"),
        end_reason=bindparam("reason"),
    )


_BY_AUTHORITY: Final = _ending(_grant.c.authority)
_BY_ACTOR: Final = _ending(_grant.c.actor)
_BY_SUBJECT: Final = _ending(_grant.c.subject)
_BY_SESSION: Final = _ending(_grant.c.session_id)
_BY_CLIENT: Final = _ending(_grant.c.client_id)


class SqlGrants(Repository):
    """``services.ports.Grants``. The counts are of grants that were live."""

    __slots__ = ()

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
