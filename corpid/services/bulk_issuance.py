"""Issuing from a file: each line once, however often the run is broken off and begun again.

The batch's row says how far it has come, and is written in the transaction that records the
credentials of a chunk: two runs of one file do not both get past it, and no line is done twice.
What a chunk gave is told (``deliver``) after it is durable and before the next chunk is begun. So
of a run that died at most one chunk is recorded and was not told; those lines are issued again, and
what they gave before ends in the same transaction, as if a wallet asks again that saw no answer.
An offer that was not told expires by itself: nobody has its link or its transaction code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from corpid.domain.errors import DomainError, InvalidValue, ListFull, NotAllowed
from corpid.services.bulk import (
    BulkReport,
    Problem,
    Row,
    ShortTurns,
    Stopped,
    Told,
    UnusableRow,
    in_chunks,
    steadily,
)
from corpid.services.credential_facts import Denied
from corpid.services.issuance_batches import IssuanceBatch
from corpid.services.issuance_requests import IssuanceRequest, read_request
from corpid.services.operator_issuance import REFUSALS, OperatorIssuance, Prepared, reason_of
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock
from oidc.errors import OAuthError, TemporarilyUnavailable
from oidc.issuer.ports import BasisChanged

_ATTEMPTS: Final = 3
_NO: Final = (DomainError, OAuthError)
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Item:
    """One line: what is to be recorded, or why nothing is."""

    line: int
    row: Row
    prepared: Prepared | None
    problem: Problem | None
    audited: bool = False

    @property
    def result(self) -> Result:
        if self.prepared is not None:
            return {"line": self.line, **self.prepared.result}
        assert self.problem is not None
        return {"line": self.line, "error": self.problem.code, "reason": self.problem.reason}


class BulkIssuance:
    """One run. ``deliver`` makes the lines of a chunk durable where the operator wants them."""

    def __init__(
        self,
        store: Store,
        operator: OperatorIssuance,
        turns: ShortTurns,
        clock: Clock,
        *,
        actor: str,
        deliver: Callable[[Sequence[Result]], None],
        progress: Told,
    ) -> None:
        self._store = store
        self._operator = operator
        self._turns = turns
        self._clock = clock
        self._actor = actor
        self._deliver = deliver
        self._progress = progress
        self.report = BulkReport()

    async def rehearse(self, batch_id: str, rows: Iterable[tuple[int, Row]]) -> BulkReport:
        """What a run would do: each row is decided upon, and nothing is written."""
        known = await self._store.read.issuance_batches.by_id(batch_id)
        done_line = 0 if known is None else known.done_line
        for line, row in rows:
            self._seen(line)
            if line <= done_line:
                self.report.count("done_before")
                continue
            try:
                plan = await self._operator.plan(_request(row))
            except _NO as error:
                self.report.refuse(_problem(line, error))
            else:
                self.report.count("offered" if plan.offer is not None else "issued")
            self._progress(self.report)
        return self.report

    async def begin(self, batch_id: str) -> IssuanceBatch:
        """The batch of that file, known or new."""
        now_ms = self._now_ms()
        fresh = IssuanceBatch(batch_id, self._actor, now_ms)

        async def work(uow: UnitOfWork) -> IssuanceBatch | None:
            if not await uow.issuance_batches.add(fresh):
                return await uow.issuance_batches.by_id(batch_id)
            facts = {"batch": batch_id, "actor": self._actor}
            await uow.operations.audit("issuance_batch.started", facts)
            return fresh

        found = await self._store.write(work)
        assert found is not None
        return found

    async def run(
        self, batch: IssuanceBatch, rows: Iterable[tuple[int, Row]], delivered: int
    ) -> BulkReport:
        """Go on after the line ``delivered``, the last whose result the operator has.

        Raises:
            Stopped: another run of the same file goes on, or results of lines are missing that
                were issued.
        """
        lost = batch.done_line if batch.finished_at is not None else batch.chunk_from - 1
        if delivered < lost:
            raise Stopped(
                f"lines up to {batch.done_line} of this file were done, but the results end at "
                f"line {delivered}: name the file that the run before wrote its results to"
            )
        self._batch = batch
        left = ((line, row) for line, row in rows if line > delivered)
        await in_chunks(steadily(left), self._turns, self._carry_out)
        await self._finish()
        return self.report

    async def _carry_out(self, chunk: Sequence[tuple[int, Row]]) -> None:
        await self._commit([await self._prepare(line, row) for line, row in chunk])

    async def _prepare(self, line: int, row: Row) -> _Item:
        # What was recorded and not told was lost, like an answer that no wallet saw.
        since = self._batch.started_at if line <= self._batch.done_line else None
        told = {"batch": self._batch.batch_id, "line": line}
        try:
            prepared = await self._operator.prepare(_request(row), told, since)
        except (ListFull, TemporarilyUnavailable):
            raise  # no row can be issued just now: the run stops, and goes on when it is mended
        except _NO as error:
            # A refusal is for the audit trail; a row that says nothing usable is not.
            return _Item(line, row, None, _problem(line, error), isinstance(error, REFUSALS))
        return _Item(line, row, prepared, None)

    async def _commit(self, items: Sequence[_Item], attempt: int = 1) -> None:
        """One transaction: the records of these lines, and that they are done."""
        after = self._after(items)

        async def work(uow: UnitOfWork) -> None:
            for one in items:
                await self._record(uow, one)
            if not await uow.issuance_batches.advance(after, self._batch.turn, self._now_ms()):
                raise Stopped("another run of this file goes on: let it end")

        try:
            await self._turns.write(work, len(items))
        except (BasisChanged, Denied, NotAllowed, InvalidValue) as error:
            await self._one_by_one(items, error, attempt)
            return
        self._batch = after
        self._deliver([one.result for one in items])
        for one in items:
            self._told(one)
        self._progress(self.report)

    async def _one_by_one(
        self,
        items: Sequence[_Item],
        error: BasisChanged | Denied | NotAllowed | InvalidValue,
        attempt: int,
    ) -> None:
        """After a chunk was rolled back: the rows that can be written, and why the others not."""
        if len(items) > 1:
            for one in items:
                await self._commit([one])
            return
        (item,) = items
        if isinstance(error, BasisChanged) and attempt < _ATTEMPTS:
            await self._commit([await self._prepare(item.line, item.row)], attempt + 1)
            return
        if isinstance(error, BasisChanged):
            error = NotAllowed("what this credential says is changing just now")
        problem = _problem(item.line, error)
        await self._commit([replace(item, prepared=None, problem=problem, audited=True)])

    async def _record(self, uow: UnitOfWork, item: _Item) -> None:
        if item.prepared is not None:
            await item.prepared.record(uow)
        elif item.problem is not None and item.audited:
            await self._operator.tell_refusal(
                uow,
                item.problem.code,
                item.problem.reason,
                {"batch": self._batch.batch_id, "line": item.line, **_named(item.row)},
            )

    def _after(self, items: Sequence[_Item]) -> IssuanceBatch:
        batch = self._batch
        # What is done again, for nobody was told of it, was counted then.
        fresh = [one for one in items if one.line > batch.done_line]
        refused = sum(one.prepared is None for one in fresh)
        return replace(
            batch,
            turn=batch.turn + 1,
            chunk_from=items[0].line,
            done_line=max(batch.done_line, items[-1].line),
            issued=batch.issued + len(fresh) - refused,
            refused=batch.refused + refused,
        )

    async def _finish(self) -> None:
        batch = self._batch
        if batch.finished_at is not None:
            return
        now_ms = self._now_ms()
        ended = replace(batch, turn=batch.turn + 1, finished_at=now_ms)

        async def work(uow: UnitOfWork) -> None:
            if await uow.issuance_batches.advance(ended, batch.turn, now_ms):
                facts: Mapping[str, object] = {
                    "batch": batch.batch_id,
                    "actor": self._actor,
                    "issued": batch.issued,
                    "refused": batch.refused,
                }
                await uow.operations.audit("issuance_batch.finished", facts)

        await self._store.write(work)

    def _seen(self, line: int) -> None:
        self.report.rows += 1
        self.report.line = line

    def _told(self, item: _Item) -> None:
        self._seen(item.line)
        if item.problem is not None:
            self.report.refuse(item.problem)
        else:
            self.report.count("offered" if "offer_id" in item.result else "issued")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _named(row: Row) -> dict[str, object]:
    """What a row that could be read asked for."""
    if isinstance(row, UnusableRow):
        return {}
    return {"organisation": row.get("organisation"), "configuration": row.get("type")}


def _problem(line: int, error: DomainError | OAuthError) -> Problem:
    return Problem(line, reason_of(error), str(error))


def _request(row: Row) -> IssuanceRequest:
    if isinstance(row, UnusableRow):
        raise InvalidValue(row.reason)
    return read_request(row)
