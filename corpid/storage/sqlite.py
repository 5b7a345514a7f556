"""SQLite behind the storage interface, on the event loop and without threads.

A read is some microseconds, less than a hop to a thread would cost. The busy timeout is 0,
because a wait inside the driver would stop the loop; waiting for another process is awaited.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from corpid.storage import fork_guard
from corpid.storage.errors import (
    AwaitedInsideTransaction,
    StorageBusy,
    StorageUnavailable,
)
from corpid.storage.group_commit import RETRY_BETWEEN, GroupCommit
from corpid.storage.interface import Row, Work
from corpid.storage.sqlite_bulk import BulkWriter
from corpid.storage.sqlite_connection import connect, fetch_one, run, translate
from corpid.storage.sqlite_disk import MAX_FRAMES, Checkpoints
from corpid.storage.statement import DialectName, Statement

T = TypeVar("T")


class SqliteDatabase:
    """A file and the connection to it; see `Database`.

    Reads go by the connection that writes, between whose transactions they come, so they see
    committed state only. A connection throws its page cache away when another one has committed,
    which a reading connection of its own would do at every request. So there is one for the time
    only that a slow commit takes in its thread (`GroupCommit.reading`).
    """

    dialect: Final[DialectName] = "sqlite"

    def __init__(self, path: str, *, deadline: float) -> None:
        self._deadline = deadline
        # A relative path must mean the same file for `bulk`, whatever the working directory then.
        self._path = str(Path(path).absolute())
        self._connection = connect(self._path, read_only=False, one_thread=False)
        # Far beyond `Checkpoints`, which moves the journal where nobody waits for it.
        self._connection.execute(f"PRAGMA wal_autocheckpoint={2 * MAX_FRAMES}")
        self._aside = connect(self._path, read_only=True)
        self._checkpoints = Checkpoints(self._path)
        self._group = GroupCommit(
            self._connection, self._aside, self._checkpoints, deadline=deadline
        )
        self._bulk: ThreadPoolExecutor | None = None
        self._repeatable: BulkWriter | None = None
        self._refusal: str | None = None
        fork_guard.guard(self)

    def __repr__(self) -> str:
        return f"SqliteDatabase({self._path!r})"

    def refuse(self, reason: str) -> None:
        """See `fork_guard.Refusable`."""
        self._refusal = reason

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise StorageUnavailable(self._refusal)
        if self._group.working:
            raise AwaitedInsideTransaction(
                "inside a transaction use the transaction, not the database"
            )

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        """See `Connection.one`."""
        compiled = statement.compiled("sqlite")
        values = compiled.bind(params)
        if self._refusal is not None or self._group.working or statement.writes:
            self._check_readable(statement)
        try:
            return fetch_one(self._group.reading, compiled.sql, values)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            first = error
        return await self._patiently(
            lambda: fetch_one(self._group.reading, compiled.sql, values), first
        )

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """See `Connection.all`."""
        compiled = statement.compiled("sqlite")
        values = compiled.bind(params)
        if self._refusal is not None or self._group.working or statement.writes:
            self._check_readable(statement)
        try:
            return self._group.reading.execute(compiled.sql, values).fetchall()
        except (sqlite3.Error, UnicodeEncodeError) as error:
            first = error
        return await self._patiently(
            lambda: self._group.reading.execute(compiled.sql, values).fetchall(), first
        )

    def _check_readable(self, statement: Statement) -> None:
        self._check_usable()
        if statement.writes:
            raise TypeError("a statement that writes belongs in write()")

    async def _patiently(self, read: Callable[[], T], first: Exception) -> T:
        """Readers wait for nobody, except while another process recovers or drops the journal."""
        loop = asyncio.get_running_loop()
        expires = loop.time() + self._deadline
        error = first
        while True:
            failure = translate(error)
            if not isinstance(failure, StorageBusy) or loop.time() >= expires:
                raise failure from error
            await asyncio.sleep(random.uniform(*RETRY_BETWEEN))  # noqa: S311 - jitter, no secret
            self._check_usable()
            try:
                return read()
            except sqlite3.Error as again:
                error = again

    async def write(self, work: Work[T], /) -> T:
        """See `Database.write`."""
        self._check_usable()
        return await self._group.write(work)

    async def bulk(self, work: Work[T], /, *, repeatable: bool = False) -> T:
        """See `Database.bulk`."""
        self._check_usable()
        if repeatable:
            if self._repeatable is None:
                self._repeatable = BulkWriter(self._path)
            return await self._repeatable.write(work)
        if self._bulk is None:
            self._bulk = ThreadPoolExecutor(1, thread_name_prefix="storage-bulk")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._bulk, self._bulk_unit, work)

    def _bulk_unit(self, work: Work[T]) -> T:
        connection = connect(self._path, read_only=False, busy_timeout=self._deadline)
        try:
            connection.execute("BEGIN IMMEDIATE")
            result = run(work, connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error) from error
        finally:
            connection.close()  # which rolls back what was not committed
        return result

    async def subscribe(self, channel: str, callback: Callable[[], None], /) -> None:
        """Nothing to do: see `Database.subscribe`."""

    async def close(self) -> None:
        """See `Database.close`."""
        if self._refusal is None:
            self._refusal = "the database is closed"
        await self._group.close()
        await self._checkpoints.close()
        if self._bulk is not None:
            bulk, self._bulk = self._bulk, None
            await asyncio.get_running_loop().run_in_executor(None, bulk.shutdown)
        if self._repeatable is not None:
            repeatable, self._repeatable = self._repeatable, None
            await repeatable.close()
        self._aside.close()
        self._connection.close()
        fork_guard.release(self)


async def open_sqlite(path: str, *, deadline: float) -> SqliteDatabase:
    """Open or make the file at `path`. Raises StorageUnavailable, StorageBusy."""
    return SqliteDatabase(path, deadline=deadline)
