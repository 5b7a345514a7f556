"""Bulk writing beside a service that must get its own writes in."""

import asyncio
import time
from typing import Final

from corpid.services.short_turns import Pace
from corpid.storage.group_commit import RETRY_BETWEEN
from corpid.storage.interface import Database, Transaction, Work

FREE_SECONDS: Final = RETRY_BETWEEN[1] + 0.001
"""SQLite: least time between two. Whoever waits for the lock tries in it at least once."""


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
        began = 0.0

        async def timed(transaction: Transaction) -> None:
            nonlocal began
            began = time.perf_counter()  # has the lock: waiting for it is no reason to do less
            await unit(transaction)

        await self._database.bulk(timed, repeatable=True)
        ended = time.perf_counter()
        self._free_until = ended + FREE_SECONDS
        pace.learn(items, ended - began)
