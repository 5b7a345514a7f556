"""Bulk writing on SQLite: imports that can be repeated, in a thread, by a kept connection."""

import asyncio
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from corpid.storage.errors import StorageBusy
from corpid.storage.interface import Work
from corpid.storage.sqlite_connection import connect, run, translate
from corpid.storage.sqlite_disk import checkpoint

T = TypeVar("T")

CACHE_KIB: Final = 64 * 1024
"""Page cache of the connection: an import touches a page of every index again and again."""

CHECKPOINT_EVERY: Final = 8
"""Transactions between two checkpoints: about 16 MB of journal."""

PATIENCE: Final = 60.0
"""Seconds that a unit waits for the write lock: longer than a request may, for it is no hurry."""

RETRY_BETWEEN: Final = (0.0005, 0.002)
"""Seconds between two attempts: short, for a busy service leaves the lock free for moments only,
and SQLite's own waiting, which grows to 100 ms, would miss them all."""


class BulkWriter:
    """Runs units of work one after another in a thread, on one connection that is kept.

    Its commits do not wait for the disk (synchronous=NORMAL). With a write-ahead journal a power
    cut may then take the last of them, never a part of one, and never anything else: a commit of
    another connection (FULL) syncs the whole journal up to itself, and with it all that was
    written here before. So this is for work that can be done again from its source.

    Checkpoints run here between two units, when nobody needs the write lock for them, and not
    within a commit; and so often that a commit of the service finds little journal to sync.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-bulk-kept")
        self._connection: sqlite3.Connection | None = None
        self._commits = 0

    async def write(self, work: Work[T]) -> T:
        """One transaction; see `Database.bulk`."""
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._thread, self._unit, work)
        self._commits += 1
        if self._commits % CHECKPOINT_EVERY == 0:
            self._thread.submit(self._checkpoint)
        return result

    def _unit(self, work: Work[T]) -> T:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._open()
        try:
            _begin(connection)
            result = run(work, connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error) from error
        finally:
            if connection.in_transaction:
                connection.rollback()
        return result

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._path, read_only=False)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        return connection

    def _checkpoint(self) -> None:
        """Move the journal into the file. A failure shows at the next write, or does no harm."""
        connection = self._connection
        if connection is None:
            return
        try:
            checkpoint(connection)
        except sqlite3.Error as error:
            self._discard()
            raise translate(error) from error

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        """Finish what runs, and close the connection in its thread."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._discard)
        await loop.run_in_executor(None, self._thread.shutdown)


def _begin(connection: sqlite3.Connection) -> None:
    expires = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not isinstance(translate(error), StorageBusy) or time.monotonic() > expires:
                raise
            time.sleep(random.uniform(*RETRY_BETWEEN))  # noqa: S311 - jitter, no secret
        else:
            return
