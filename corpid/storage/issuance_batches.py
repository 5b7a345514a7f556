"""How far bulk issuances have come."""

from typing import Final

from sqlalchemy import BigInteger, bindparam, select

from corpid.services.issuance_batches import KEPT_MS, IssuanceBatch
from corpid.storage.constructs import adding_once, changing, given, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_batch = table("issuance_batch")
_BY_ID: Final = Statement(
    select(
        _batch.c.batch_id,
        _batch.c.actor,
        _batch.c.started_at,
        _batch.c.turn,
        _batch.c.chunk_from,
        _batch.c.done_line,
        _batch.c.issued,
        _batch.c.refused,
        _batch.c.finished_at,
    ).where(given(_batch.c.batch_id))
)
_ADD: Final = adding_once(_batch)
_ADVANCE: Final = changing(
    _batch,
    given(_batch.c.batch_id),
    _batch.c.turn == bindparam("expected"),
    turn=bindparam("next_turn"),
    chunk_from=bindparam("first"),
    done_line=bindparam("done"),
    issued=bindparam("so_many"),
    refused=bindparam("so_few"),
    finished_at=bindparam("finished", type_=BigInteger()),
    expires_at=bindparam("until"),
)


class SqlIssuanceBatches(Repository):
    """``services.issuance_batches.IssuanceBatches``."""

    __slots__ = ()

    async def by_id(self, batch_id: str) -> IssuanceBatch | None:
        """See there."""
        row = await self._in.reads.one(_BY_ID, batch_id=batch_id)
        return None if row is None else IssuanceBatch(*row)

    async def add(self, batch: IssuanceBatch) -> bool:
        """See there."""
        added = await self._in.writes.execute(
            _ADD,
            batch_id=batch.batch_id,
            actor=batch.actor,
            turn=batch.turn,
            chunk_from=batch.chunk_from,
            done_line=batch.done_line,
            issued=batch.issued,
            refused=batch.refused,
            started_at=batch.started_at,
            finished_at=batch.finished_at,
            expires_at=batch.started_at + KEPT_MS,
        )
        return added == 1

    async def advance(self, batch: IssuanceBatch, turn: int, now_ms: int) -> bool:
        """See there."""
        changed = await self._in.writes.execute(
            _ADVANCE,
            batch_id=batch.batch_id,
            expected=turn,
            next_turn=batch.turn,
            first=batch.chunk_from,
            done=batch.done_line,
            so_many=batch.issued,
            so_few=batch.refused,
            finished=batch.finished_at,
            until=now_ms + KEPT_MS,
        )
        return changed == 1
