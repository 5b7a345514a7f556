"""The outbox: claimed by moving ``due_at``, so that a process that dies lets go by itself."""

from typing import Final

from sqlalchemy import bindparam, delete, select, update

from corpid.services.records import OutboxMessage
from corpid.storage.constructs import changing, given, removing, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_outbox = table("outbox")

_WAITING: Final = (given(_outbox.c.topic), _outbox.c.delivered_at.is_(None))
_OF_ONE: Final = (*_WAITING, given(_outbox.c.recipient))
_DUE: Final = _outbox.c.due_at <= bindparam("now")
_NEXT_RECIPIENT: Final = Statement(
    select(_outbox.c.recipient, _outbox.c.due_at)
    .where(*_WAITING, _outbox.c.recipient > bindparam("after"))
    .order_by(_outbox.c.recipient, _outbox.c.due_at)
    .limit(1)
)
# On PostgreSQL rows that another process is taking are passed over; SQLite has one writer.
_FREE: Final = (
    select(_outbox.c.message_id)
    .where(*_OF_ONE, _DUE)
    .order_by(_outbox.c.due_at)
    .limit(bindparam("batch"))
    .with_for_update(skip_locked=True)
)
_CLAIM: Final = Statement(
    update(_outbox)
    .where(_outbox.c.message_id.in_(_FREE), _DUE)
    .values(due_at=bindparam("until"), attempts=_outbox.c.attempts + 1)
    .returning(
        _outbox.c.message_id,
        _outbox.c.topic,
        _outbox.c.body,
        _outbox.c.created_at,
        _outbox.c.due_at,
        _outbox.c.recipient,
        _outbox.c.attempts,
    )
)
_OPEN: Final = (given(_outbox.c.message_id), _outbox.c.delivered_at.is_(None))
_DELIVERED: Final = changing(_outbox, *_OPEN, delivered_at=bindparam("now"))
_POSTPONE: Final = changing(_outbox, *_OPEN, due_at=bindparam("due"))
_DROP: Final = removing(_outbox, *_OPEN)
_OLD: Final = (
    select(_outbox.c.message_id)
    .where(*_OF_ONE, _outbox.c.created_at < bindparam("before"))
    .limit(bindparam("batch"))
)
_DROP_OLDER: Final = Statement(delete(_outbox).where(_outbox.c.message_id.in_(_OLD)))


class SqlOutbox(Repository):
    """``services.ports.Outbox``."""

    __slots__ = ()

    async def next_recipient(self, topic: str, after: str) -> tuple[str, int] | None:
        """See ``Outbox.next_recipient``."""
        row = await self._in.reads.one(_NEXT_RECIPIENT, topic=topic, after=after)
        return None if row is None else (row[0], row[1])

    async def claim(
        self, topic: str, recipient: str, now_ms: int, until_ms: int, limit: int
    ) -> list[OutboxMessage]:
        """See ``Outbox.claim``."""
        rows = await self._in.writes.all(
            _CLAIM, topic=topic, recipient=recipient, now=now_ms, until=until_ms, batch=limit
        )
        return sorted((OutboxMessage(*row) for row in rows), key=lambda one: one.message_id)

    async def delivered(self, message_id: bytes, now_ms: int) -> None:
        """Keep it as delivered, until the purge."""
        await self._in.writes.execute(_DELIVERED, message_id=message_id, now=now_ms)

    async def postpone(self, message_id: bytes, due_at: int) -> None:
        """Let it be claimed again from ``due_at`` on."""
        await self._in.writes.execute(_POSTPONE, message_id=message_id, due=due_at)

    async def drop(self, message_id: bytes) -> None:
        """See ``Outbox.drop``."""
        await self._in.writes.execute(_DROP, message_id=message_id)

    async def drop_older(self, topic: str, recipient: str, before_ms: int, limit: int) -> int:
        """See ``Outbox.drop_older``."""
        return await self._in.writes.execute(
            _DROP_OLDER, topic=topic, recipient=recipient, before=before_ms, batch=limit
        )
