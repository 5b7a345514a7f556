"""The storage executor: one asynchronous interface, two engines, chosen by URL."""

from typing import Final

from corpid.storage.errors import StorageError
from corpid.storage.interface import Connection, Database, Row, Transaction, Work
from corpid.storage.sqlite import open_sqlite
from corpid.storage.urls import sqlite_path

__all__ = ["Connection", "Database", "Row", "Transaction", "Work", "open_database"]

DEADLINE: Final = 5.0
"""Seconds that a read or a write may wait for a lock or a connection."""

MAX_CONNECTIONS: Final = 10
"""Pooled PostgreSQL connections per process."""


async def open_database(
    url: str, *, deadline: float = DEADLINE, max_connections: int = MAX_CONNECTIONS
) -> Database:
    """Open the database at `url`; `deadline` is in seconds.

    `sqlite:///relative.db`, `sqlite:////absolute/path.db`, or
    `postgresql://user:password@host:port/name`, where the query may give `host=` (a directory
    for a Unix socket), `sslmode=` and so on. Raises StorageError for any other URL and
    StorageUnavailable if the database cannot be opened. No message holds the URL, which may
    hold a password.
    """
    path = sqlite_path(url)
    if path is not None:
        return await open_sqlite(path, deadline=deadline)
    try:
        from corpid.storage.postgresql import open_postgresql
    except ModuleNotFoundError:
        raise StorageError(
            "PostgreSQL needs the extra of that name: pip install 'corpid[postgres]'"
        ) from None
    return await open_postgresql(url, deadline=deadline, max_connections=max_connections)
