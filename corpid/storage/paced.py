"""Bulk writing beside a service that must get its own writes in."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from corpid.storage.group_commit import RETRY_BETWEEN
from corpid.storage.interface import Database, Work

T = TypeVar("T")

HELD_SECONDS: Final = 0.012
"""SQLite: aim for one transaction, during which nobody else can write; the bound is 20 ms."""

FREE_SECONDS: Final = RETRY_BETWEEN[1] + 0.001
"""SQLite: least time between two. Whoever waits for the lock tries in it at least once."""


@dataclass(slots=True)
class Pace:
    """How many items of one kind go into one transaction: as many as fit into the time."""

    size: int
    least: int
    most: int

    def learn(self, items: int, seconds: float) -> None:
        """Come nearer to the size that takes ``HELD_SECONDS``: down fast, up slowly."""
        fitting = items * HELD_SECONDS / seconds
        self.size = int(min(max(fitting, self.size / 2, self.least), self.size * 1.2, self.most))

    def batches(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """``items`` in batches of the size that fits at the time."""
        start = 0
        while start < len(items):
            size = self.size
            yield items[start : start + size]
            start += size


class PacedWriter:
    """Runs repeatable bulk transactions (`Database.bulk`) and leaves room between them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._locks_rows = database.dialect == "postgresql"
        self._free_until = 0.0

    def pace(self, *, start: int, least: int, most: int, with_row_locks: int) -> Pace:
        """A pace; on PostgreSQL nobody waits for the lock, so there it stands still."""
        if self._locks_rows:
            return Pace(with_row_locks, with_row_locks, with_row_locks)
        return Pace(start, least, most)

    async def write(self, unit: Work[None], items: int, pace: Pace) -> None:
        """One transaction with that many items, after the lock was free for a while."""
        if self._locks_rows:
            await self._database.bulk(unit, repeatable=True)
            return
        # The lock is not handed on in order; what is read and prepared meanwhile counts as pause.
        pause = self._free_until - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        began = time.perf_counter()
        await self._database.bulk(unit, repeatable=True)
        ended = time.perf_counter()
        self._free_until = ended + FREE_SECONDS
        pace.learn(items, ended - began)
