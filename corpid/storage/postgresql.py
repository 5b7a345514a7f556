"""PostgreSQL behind the storage interface, through a pool of asyncpg connections."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import asyncpg  # type: ignore[import-untyped]

from corpid.storage import fork_guard
from corpid.storage.errors import AwaitedInsideTransaction, StorageError, StorageUnavailable
from corpid.storage.interface import Row, Work
from corpid.storage.postgresql_connection import (
    DRIVER_ERRORS,
    Conflict,
    fetch_all,
    fetch_one,
    run,
    translate,
)
from corpid.storage.postgresql_listener import Listener
from corpid.storage.statement import DialectName, Statement

T = TypeVar("T")

_MIN_CONNECTIONS: Final = 2
_ATTEMPTS: Final = 5
_BACK_OFF: Final = 0.002
_CACHED_STATEMENTS: Final = 1024
_CONNECTIONS_TRIED: Final = 3
"""The server may have closed idle ones: a read or a BEGIN may go to another instead."""
_COMMAND_TIMEOUT: Final = 60.0
_IDLE_IN_TRANSACTION_MS: Final = 60_000

_inside: Final[ContextVar[bool]] = ContextVar("inside_a_transaction", default=False)


class PostgresqlDatabase:
    """A pool of connections; see `Database`."""

    dialect: Final[DialectName] = "postgresql"

    def __init__(self, pool: Any, listener: Listener, *, deadline: float) -> None:
        self._pool = pool
        self._listener = listener
        self._deadline = deadline
        self._refusal: str | None = None
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        fork_guard.guard(self)

    def __repr__(self) -> str:
        return "PostgresqlDatabase()"

    def refuse(self, reason: str) -> None:
        """See `fork_guard.Refusable`."""
        self._refusal = reason

    def _enter(self) -> None:
        if self._refusal is not None:
            raise StorageUnavailable(self._refusal)
        if _inside.get():
            raise AwaitedInsideTransaction(
                "inside a transaction use the transaction, not the database"
            )
        self._calls += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=self._deadline)
        except DRIVER_ERRORS as error:
            raise translate(error) from error

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        """See `Connection.one`."""
        return await self._read(fetch_one, statement, params)

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """See `Connection.all`."""
        return await self._read(fetch_all, statement, params)

    async def _read(
        self,
        fetch: Callable[[Any, Statement, Mapping[str, Any]], Awaitable[T]],
        statement: Statement,
        params: Mapping[str, Any],
    ) -> T:
        if statement.writes:
            raise TypeError("a statement that writes belongs in write()")
        self._enter()
        try:
            for _ in range(_CONNECTIONS_TRIED - 1):
                with contextlib.suppress(StorageUnavailable):
                    return await self._read_once(fetch, statement, params)
            return await self._read_once(fetch, statement, params)
        finally:
            self._leave()

    async def _read_once(
        self,
        fetch: Callable[[Any, Statement, Mapping[str, Any]], Awaitable[T]],
        statement: Statement,
        params: Mapping[str, Any],
    ) -> T:
        connection = await self._acquire()
        try:
            return await fetch(connection, statement, params)
        except DRIVER_ERRORS as error:
            failure = _failed(error, connection)
            raise failure from failure.__cause__
        finally:
            await self._pool.release(connection)

    async def write(self, work: Work[T], /) -> T:
        """See `Database.write`."""
        self._enter()
        try:
            for attempt in range(1, _ATTEMPTS):
                try:
                    return await self._unit(work)
                except Conflict:
                    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                    await asyncio.sleep(_BACK_OFF * jitter * 2**attempt)
            return await self._unit(work)
        finally:
            self._leave()

    async def bulk(self, work: Work[T], /, *, repeatable: bool = False) -> T:
        """See `Database.bulk`."""
        return await self.write(work)

    async def _unit(self, work: Work[T]) -> T:
        connection, block = await self._begin()
        try:
            return await _run_and_commit(work, connection, block)
        finally:
            await self._pool.release(connection)

    async def _begin(self) -> tuple[Any, Any]:
        """A connection in a transaction, and that transaction."""
        tried = 0
        while True:
            connection = await self._acquire()
            block = connection.transaction()
            try:
                await block.start()
            except BaseException as error:
                failure = _failed(error, connection) if isinstance(error, DRIVER_ERRORS) else error
                await self._pool.release(connection)
                tried += 1
                if not isinstance(failure, StorageUnavailable) or tried == _CONNECTIONS_TRIED:
                    raise failure from failure.__cause__
            else:
                return connection, block

    async def subscribe(self, channel: str, callback: Callable[[], None], /) -> None:
        """See `Database.subscribe`."""
        if self._refusal is not None:
            raise StorageUnavailable(self._refusal)
        await self._listener.subscribe(channel, callback)

    async def close(self) -> None:
        """See `Database.close`."""
        if self._refusal is not None:
            return
        self._refusal = "the database is closed"
        await self._idle.wait()
        await self._listener.close()
        await self._pool.close()
        fork_guard.release(self)


async def _run_and_commit(work: Work[T], connection: Any, block: Any) -> T:
    inside = _inside.set(True)
    try:
        result = await run(work, connection)
    except BaseException:
        try:
            await block.rollback()
        except DRIVER_ERRORS:
            # The connection is broken; when it goes, the server rolls back by itself.
            _drop(connection)
        raise
    finally:
        _inside.reset(inside)
    try:
        await block.commit()
    except DRIVER_ERRORS as error:
        failure = _failed(error, connection)
        raise failure from failure.__cause__
    return result


def _failed(error: BaseException, connection: Any) -> StorageError:
    failure = translate(error)
    if isinstance(failure, StorageUnavailable):
        _drop(connection)  # or the pool might hand out a connection that is about to break
    return failure


def _drop(connection: Any) -> None:
    # The pool may have taken it away already, and says so.
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _keep(_: Any) -> None:
    """Connections need no reset between users: nobody changes a setting, transactions end."""


async def open_postgresql(url: str, *, deadline: float, max_connections: int) -> PostgresqlDatabase:
    """Connect to `url`. Raises StorageUnavailable, and StorageError for a malformed URL."""
    settings = {
        "application_name": "corpid",
        "jit": "off",
        "lock_timeout": str(int(deadline * 1000)),
        "idle_in_transaction_session_timeout": str(_IDLE_IN_TRANSACTION_MS),
    }
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=min(_MIN_CONNECTIONS, max_connections),
            max_size=max_connections,
            reset=_keep,
            timeout=deadline,
            command_timeout=_COMMAND_TIMEOUT,
            statement_cache_size=_CACHED_STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings=settings,
        )
    except (ValueError, asyncpg.InternalClientError):
        # The message may quote the URL, which may hold a password.
        raise StorageError("the database URL is malformed") from None
    except DRIVER_ERRORS as error:
        raise translate(error) from error
    return PostgresqlDatabase(pool, Listener(url, timeout=deadline), deadline=deadline)
