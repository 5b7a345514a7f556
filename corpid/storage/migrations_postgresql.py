"""Migrations on PostgreSQL: the SQL that Alembic writes, run by asyncpg in one transaction."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]

from corpid.storage.errors import StorageError
from corpid.storage.postgresql_connection import DRIVER_ERRORS, translate

_TIMEOUT: Final = 10.0


async def current(url: str) -> str | None:
    """See ``migrations.current``."""
    connection = await _connect(url)
    try:
        return await _read_revision(connection)
    except DRIVER_ERRORS as error:
        raise translate(error) from error
    finally:
        await connection.close()


async def migrate(url: str, lock: int, script_from: Callable[[str | None], str]) -> str:
    """See ``migrations.migrate``; ``script_from`` gives the SQL that follows a revision."""
    connection = await _connect(url)
    try:
        async with connection.transaction():
            # Ends with the transaction. Whoever waited here finds the work done.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
            before = await _read_revision(connection)
            script = await asyncio.to_thread(script_from, before)
            if script:
                await connection.execute(script)
            after = await _read_revision(connection)
    except DRIVER_ERRORS as error:
        raise translate(error) from error
    finally:
        await connection.close()
    if after is None:
        raise StorageError("the migration has left no revision")
    return after


async def _connect(url: str) -> Any:
    try:
        return await asyncpg.connect(url, timeout=_TIMEOUT)
    except (ValueError, asyncpg.InternalClientError):
        # The message may quote the URL, which may hold a password.
        raise StorageError("the database URL is malformed") from None
    except DRIVER_ERRORS as error:
        raise translate(error) from error


async def _read_revision(connection: Any) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision
