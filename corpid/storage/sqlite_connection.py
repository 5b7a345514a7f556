"""SQLite connections, their errors, and the transaction that a unit of work sees."""

import os
import re
import sqlite3
from collections.abc import Awaitable, Mapping, Sequence
from types import CoroutineType
from typing import Any, Final, TypeVar

from sqlalchemy import Table

from corpid.storage.errors import (
    AwaitedInsideTransaction,
    IntegrityViolation,
    InvalidValue,
    StorageBusy,
    StorageError,
    StorageUnavailable,
    UniqueViolation,
)
from corpid.storage.interface import Row, Work
from corpid.storage.statement import Statement

T = TypeVar("T")

SYNCHRONOUS: Final = "FULL"
"""A commit that was answered must survive a power cut."""

_CACHED_STATEMENTS: Final = 1024
_OPEN_TIMEOUT: Final = 5.0
_CHECKPOINT_PAGES: Final = 4000
_PRIMARY_CODE: Final = 0xFF
_UNIQUE: Final = re.compile(r"UNIQUE constraint failed: (?P<columns>.+)")
_INTEGRITY_KINDS: Final = {
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign_key",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not_null",
}
_UNAVAILABLE: Final = {
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened: does its directory exist?",
    sqlite3.SQLITE_READONLY: "the database is read-only: check the permissions of file and folder",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database",
    sqlite3.SQLITE_PERM: "the database file may not be accessed",
    sqlite3.SQLITE_AUTH: "the database file may not be accessed",
    sqlite3.SQLITE_NOMEM: "out of memory",
}


def translate(error: Exception) -> StorageError:
    """The engine-independent error for one of the driver's."""
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & _PRIMARY_CODE
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StorageBusy("another process holds the database")
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return _constraint(code, str(error))
    if primary in _UNAVAILABLE:
        return StorageUnavailable(_UNAVAILABLE[primary])
    if isinstance(error, (UnicodeEncodeError, OverflowError)):
        return InvalidValue("a parameter is no valid text or is out of range")
    return StorageError(f"the database refused a statement: {error}")


def _constraint(code: int, message: str) -> StorageError:
    unique = _UNIQUE.match(message)
    if unique:
        names = [name.rpartition(".") for name in unique["columns"].split(", ")]
        if any(not dot for _, dot, _ in names):
            index = unique["columns"].removeprefix("index ").strip("'")
            return UniqueViolation(index, ())  # over expressions
        return UniqueViolation(names[0][0], tuple(column for _, _, column in names))
    kind = _INTEGRITY_KINDS.get(code, "other")
    return IntegrityViolation(kind, message.partition(": ")[2])


def connect(
    path: str, *, read_only: bool, busy_timeout: float = 0.0, one_thread: bool = True
) -> sqlite3.Connection:
    """A connection with this project's settings; `busy_timeout` is in seconds.

    Without `one_thread` several threads may use it, one after another. The file is made, readable
    by its owner only, if it is not there (its journal and index inherit that). Raises
    StorageUnavailable, or StorageBusy if another process will not let go.
    """
    _make_private_file(path)
    connection = None
    try:
        # Opening may wait for another process that is recovering the journal.
        connection = sqlite3.connect(
            path,
            timeout=_OPEN_TIMEOUT,
            isolation_level=None,
            cached_statements=_CACHED_STATEMENTS,
            check_same_thread=one_thread,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={SYNCHRONOUS}")
        # Keys are random, so a page is written again and again: copy it back less often than every
        # 1000 pages. The journal stays at some 16 MB.
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute("PRAGMA foreign_keys=ON")
        # As on PostgreSQL.
        connection.execute("PRAGMA case_sensitive_like=ON")
        connection.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        connection.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise translate(error) from error
    return connection


def _make_private_file(path: str) -> None:
    # Never open a file that is there: closing it again would drop the locks that this process
    # holds on it through SQLite (POSIX locks belong to the process, not to the descriptor).
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise StorageUnavailable("the database file may not be read and written") from None
    except OSError as error:
        raise StorageUnavailable(f"cannot make the database file: {error.strerror}") from error


class SqliteTransaction:
    """A transaction whose calls finish at once: nothing in it ever suspends."""

    __slots__ = ("_connection", "failure")
    has_one_writer: Final = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection
        self.failure: StorageError | None = None

    def end(self) -> None:
        """Make it unusable: its work is over."""
        self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError("the transaction is over")
        if self.failure is not None:
            raise StorageError("a statement of this transaction has failed") from self.failure
        return self._connection

    def _failed(self, error: Exception) -> StorageError:
        self.failure = translate(error)
        return self.failure

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        """See `Connection.one`."""
        connection = self._open()
        compiled = statement.compiled("sqlite")
        values = compiled.bind(params)
        try:
            return fetch_one(connection, compiled.sql, values)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise self._failed(error) from error

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """See `Connection.all`."""
        connection = self._open()
        compiled = statement.compiled("sqlite")
        values = compiled.bind(params)
        try:
            return connection.execute(compiled.sql, values).fetchall()
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise self._failed(error) from error

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """See `Transaction.execute`."""
        connection = self._open()
        compiled = statement.compiled("sqlite")
        values = compiled.bind(params)
        try:
            cursor = connection.execute(compiled.sql, values)
            if statement.returns_rows:
                return len(cursor.fetchall())
            return cursor.rowcount
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise self._failed(error) from error

    async def lock(self, _statement: Statement, /, **_params: Any) -> None:
        """Nothing to do: see `Transaction.lock`."""
        self._open()

    async def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Transaction.many`."""
        connection = self._open()
        compiled = statement.compiled("sqlite")
        values = [compiled.bind(row) for row in rows]
        try:
            connection.executemany(compiled.sql, values)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise self._failed(error) from error

    async def load(self, table: Table, rows: Sequence[Row], /) -> None:
        """See `Transaction.load`."""
        connection = self._open()
        if "\0" in "".join([one for row in rows for one in row if one.__class__ is str]):
            self.failure = InvalidValue("a value has a NUL character")  # as on PostgreSQL
            raise self.failure
        names = [column.name for column in table.columns]
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        try:
            connection.executemany(sql, rows)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise self._failed(error) from error

    async def notify(self, channel: str) -> None:
        """Nothing to do: see `Transaction.notify`."""
        self._open()


def fetch_one(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> Row | None:
    """The first row. The statement is reset, for an open one would pin an old snapshot."""
    cursor = connection.execute(sql, values)
    row: Row | None = cursor.fetchone()
    if row is not None:
        cursor.close()
    return row


def run(work: Work[T], connection: sqlite3.Connection) -> T:
    """Drive `work` to its end at once, without an event loop.

    Raises what it raises, AwaitedInsideTransaction if it would have waited, and the error of a
    failed statement even if the work has swallowed it.
    """
    transaction = SqliteTransaction(connection)
    try:
        result = _drive(work(transaction))
    finally:
        transaction.end()
    if transaction.failure is not None:
        raise transaction.failure
    return result


def _drive(awaitable: Awaitable[T]) -> T:
    steps = awaitable if isinstance(awaitable, CoroutineType) else awaitable.__await__()
    try:
        steps.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    refusal = AwaitedInsideTransaction("a transaction's work may await only its transaction")
    try:
        steps.close()
    except Exception as error:
        # Its clean-up failed or waited too: worth seeing, but the refusal is the answer.
        raise refusal from error
    raise refusal
