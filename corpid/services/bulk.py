"""Long work in short transactions, row by row of a file, beside a service that goes on.

What one row comes to is prepared first (reading, deciding, signing), then a chunk of rows is
written in one transaction that takes some milliseconds, then told. A row that cannot be written
does not take its chunk with it: the chunk is written again row by row.
"""

import asyncio
import time
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from corpid.domain.errors import DomainError
from corpid.services.ports import Store, UnitOfWork
from corpid.services.short_turns import Pace

T = TypeVar("T")
MAX_PROBLEMS: Final = 1000
"""Problems that are kept with line and reason; beyond, they are only counted."""
LEAST, MOST = 1, 200
"""Rows in one transaction: the bounds of the size, which follows the time it takes from one on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row with which nothing was or would be done. ``code`` is stable."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A line of a file that is no row, and why."""

    reason: str


Row = Mapping[str, Any] | UnusableRow


@dataclass(slots=True)
class BulkReport:
    """How far it has come. ``rows`` counts those of this run, ``refused`` the bad ones among them.

    ``counts`` are what was done, or would be, by name.
    """

    rows: int = 0
    line: int = 0
    refused: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def count(self, name: str) -> None:
        """One more of these."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def refuse(self, problem: Problem) -> None:
        """One more bad row."""
        self.refused += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


Told = Callable[[BulkReport], None]


class ShortTurns:
    """Writes chunks, and leaves the lock free between them where there is one lock for all.

    ``free_seconds`` is for how long; what is prepared meanwhile counts. ``elapsed`` is a clock of
    seconds that never goes back.
    """

    def __init__(
        self,
        store: Store,
        free_seconds: float,
        elapsed: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._store = store
        self._free_seconds = free_seconds
        self._elapsed = elapsed
        self._free_until = 0.0
        self._pace = Pace(LEAST, LEAST, MOST)

    @property
    def size(self) -> int:
        """How many rows go into the next transaction."""
        return self._pace.size

    async def write(self, work: Callable[[UnitOfWork], Awaitable[T]], rows: int) -> T:
        """One transaction of that many rows."""
        pause = self._free_until - self._elapsed()
        if pause > 0:
            await asyncio.sleep(pause)
        began, alone = 0.0, False

        async def timed(uow: UnitOfWork) -> T:
            nonlocal began, alone
            began, alone = self._elapsed(), uow.has_one_writer
            return await work(uow)

        try:
            return await self._store.write(timed)
        finally:
            ended = self._elapsed()
            if alone:
                self._free_until = ended + self._free_seconds
            if rows == self._pace.size and began:  # a short one tells little
                self._pace.learn(rows, max(ended - began, 1e-6))


async def steadily(rows: Iterable[T]) -> AsyncIterator[T]:
    """The rows of a file as those of a listing come."""
    for one in rows:
        yield one


async def in_chunks(
    rows: AsyncIterable[tuple[int, Row]],
    turns: ShortTurns,
    carry_out: Callable[[Sequence[tuple[int, Row]]], Awaitable[None]],
) -> None:
    """Give the rows to ``carry_out``, as many at a time as fit into a transaction."""
    chunk: list[tuple[int, Row]] = []
    async for one in rows:
        chunk.append(one)
        if len(chunk) >= turns.size:
            await carry_out(chunk)
            chunk = []
    if chunk:
        await carry_out(chunk)


class Stopped(DomainError):
    """The run cannot go on: what was done stays, and it can be continued."""

    code = "batch_stopped"
