"""PostgreSQL's errors in this project's words, and the transaction that a unit of work sees."""

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from types import CoroutineType, coroutine
from typing import Any, Final, TypeVar

import asyncpg  # type: ignore[import-untyped]
from asyncpg import exceptions as pg
from sqlalchemy import Table, Text, bindparam, func, select

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

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server is about to close
    OSError,
    UnicodeError,
)

_KEY: Final = re.compile(r"\((?P<columns>[^=]*)\)=\(")
_PLAIN_COLUMNS: Final = re.compile(r'"?\w+"?(, "?\w+"?)*')
_NOTIFY: Final = Statement(
    select(func.length(func.pg_notify(bindparam("channel", type_=Text()), "").cast(Text())))
)


class Conflict(StorageBusy):
    """The unit lost against another one and may be run again."""


# First match wins; a class stands before its base.
_CONDITIONS: Final[tuple[tuple[tuple[type, ...], type[StorageError], str], ...]] = (
    (
        (pg.SerializationError, pg.DeadlockDetectedError, pg.InvalidCachedStatementError),
        Conflict,
        "lost against another transaction",
    ),
    (
        (TimeoutError, pg.LockNotAvailableError, pg.QueryCanceledError),
        StorageBusy,
        "waited too long for a lock, a connection or an answer",
    ),
    ((pg.TooManyConnectionsError,), StorageBusy, "the database server has no connection left"),
    (
        (pg.InvalidAuthorizationSpecificationError,),
        StorageUnavailable,
        "the database server refused the user or the password",
    ),
    (
        (pg.InvalidCatalogNameError,),
        StorageUnavailable,
        "there is no such database on the server: create it first",
    ),
    (
        (pg.ReadOnlySQLTransactionError,),
        StorageUnavailable,
        "the database is read-only: is this a standby?",
    ),
    (
        (pg.InsufficientResourcesError,),
        StorageUnavailable,
        "the database server lacks disk space or memory",
    ),
    (
        (
            pg.PostgresConnectionError,
            pg.OperatorInterventionError,
            pg.PostgresSystemError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            OSError,
        ),
        StorageUnavailable,
        "the connection to the database server failed",
    ),
)
_CONSTRAINTS: Final[tuple[tuple[type, str], ...]] = (
    (pg.ForeignKeyViolationError, "foreign_key"),
    (pg.CheckViolationError, "check"),
    (pg.IntegrityConstraintViolationError, "other"),
)


def translate(error: BaseException) -> StorageError:
    """The engine-independent error for one of the driver's, with `__cause__` set.

    The cause is left out where its text quotes stored values.
    """
    if isinstance(error, pg.IntegrityConstraintViolationError):
        return _constraint(error)
    if isinstance(error, (pg._base.DataError, pg.DataError, UnicodeError)):
        return InvalidValue("a parameter is no valid text or is out of range")
    for types, failure_type, message in _CONDITIONS:
        if isinstance(error, types):
            failure = failure_type(message)
            break
    else:
        failure = StorageError(f"the database refused a statement: {error.args[0]}")
    failure.__cause__ = error
    return failure


def _constraint(error: Any) -> StorageError:
    if isinstance(error, pg.UniqueViolationError):
        key = _KEY.search(error.detail or "")
        columns = key["columns"] if key else ""
        if not _PLAIN_COLUMNS.fullmatch(columns):
            return UniqueViolation(error.constraint_name or "", ())  # over expressions
        names = tuple(name.strip('"') for name in columns.split(", "))
        return UniqueViolation(error.table_name, names)
    if isinstance(error, pg.NotNullViolationError):
        return IntegrityViolation("not_null", f"{error.table_name}.{error.column_name}")
    kind = next(kind for type_, kind in _CONSTRAINTS if isinstance(error, type_))
    return IntegrityViolation(kind, error.constraint_name or "")


async def fetch_one(connection: Any, statement: Statement, params: Mapping[str, Any]) -> Row | None:
    """The first row; driver errors pass."""
    compiled = statement.compiled("postgresql")
    record = await connection.fetchrow(compiled.sql, *compiled.bind(params))
    return None if record is None else tuple(record)


async def fetch_all(connection: Any, statement: Statement, params: Mapping[str, Any]) -> list[Row]:
    """All rows; driver errors pass."""
    compiled = statement.compiled("postgresql")
    records = await connection.fetch(compiled.sql, *compiled.bind(params))
    return [tuple(record) for record in records]


class PostgresqlTransaction:
    """A transaction on one connection; `waiting` while it waits for the server."""

    __slots__ = ("_connection", "failure", "waiting")
    has_one_writer: Final = False

    def __init__(self, connection: Any) -> None:
        self._connection: Any = connection
        self.failure: StorageError | None = None
        self.waiting = False

    def end(self) -> None:
        """Make it unusable: its work is over."""
        self._connection = None

    def _open(self) -> Any:
        if self._connection is None:
            raise StorageError("the transaction is over")
        if self.failure is not None:
            raise StorageError("a statement of this transaction has failed") from self.failure
        return self._connection

    def _failed(self, error: BaseException) -> StorageError:
        self.failure = translate(error)
        return self.failure

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        """See `Connection.one`."""
        connection = self._open()
        self.waiting = True
        try:
            return await fetch_one(connection, statement, params)
        except DRIVER_ERRORS as error:
            failure = self._failed(error)
            raise failure from failure.__cause__
        finally:
            self.waiting = False

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """See `Connection.all`."""
        connection = self._open()
        self.waiting = True
        try:
            return await fetch_all(connection, statement, params)
        except DRIVER_ERRORS as error:
            failure = self._failed(error)
            raise failure from failure.__cause__
        finally:
            self.waiting = False

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """See `Transaction.execute`."""
        connection = self._open()
        compiled = statement.compiled("postgresql")
        values = compiled.bind(params)
        self.waiting = True
        try:
            status: str = await connection.execute(compiled.sql, *values)
        except DRIVER_ERRORS as error:
            failure = self._failed(error)
            raise failure from failure.__cause__
        finally:
            self.waiting = False
        return int(status.rpartition(" ")[2])

    async def lock(self, statement: Statement, /, **params: Any) -> None:
        """See `Transaction.lock`."""
        await self.all(statement, **params)

    async def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `Transaction.many`."""
        connection = self._open()
        compiled = statement.compiled("postgresql")
        values = [compiled.bind(row) for row in rows]
        self.waiting = True
        try:
            await connection.executemany(compiled.sql, values)
        except DRIVER_ERRORS as error:
            failure = self._failed(error)
            raise failure from failure.__cause__
        finally:
            self.waiting = False

    async def load(self, table: Table, rows: Sequence[Row], /) -> None:
        """See `Transaction.load`."""
        connection = self._open()
        self.waiting = True
        try:
            await connection.copy_records_to_table(
                table.name, records=rows, columns=[column.name for column in table.columns]
            )
        except DRIVER_ERRORS as error:
            failure = self._failed(error)
            raise failure from failure.__cause__
        finally:
            self.waiting = False

    async def notify(self, channel: str) -> None:
        """See `Transaction.notify`."""
        await self.one(_NOTIFY, channel=channel)


async def run(work: Work[T], connection: Any) -> T:
    """Run `work` on a connection that has begun a transaction.

    Raises what it raises, AwaitedInsideTransaction if it would wait for anything but the server,
    and the error of a failed statement even if the work has swallowed it.
    """
    transaction = PostgresqlTransaction(connection)
    try:
        result = await _watched(work, transaction)
    finally:
        transaction.end()
    if transaction.failure is not None:
        raise transaction.failure
    return result


@coroutine
def _watched(work: Work[T], transaction: PostgresqlTransaction) -> Generator[Any, Any, T]:
    """Pass on what `work` waits for as long as it is the transaction that waits."""
    awaitable = work(transaction)
    steps = awaitable if isinstance(awaitable, CoroutineType) else awaitable.__await__()
    step: Callable[[Any], Any] = steps.send
    passed: Any = None
    while True:
        try:
            waited = step(passed)
        except StopIteration as end:
            value: T = end.value
            return value
        if not transaction.waiting:
            refusal = AwaitedInsideTransaction(
                "a transaction's work may await only its transaction"
            )
            try:
                steps.close()
            except Exception as error:
                # Its clean-up failed or waited too: worth seeing, but the refusal is the answer.
                raise refusal from error
            raise refusal
        try:
            passed = yield waited
            step = steps.send
        except BaseException as thrown:  # a cancellation, for one: it is the work's to handle
            passed = thrown
            step = steps.throw
