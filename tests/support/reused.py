"""PostgreSQL databases that serve one test after another, each time with the template's rows only.

Making and dropping a database costs PostgreSQL more than most tests cost; deleting the few rows
that a test left takes two milliseconds. What was left otherwise (another schema, much data) is not
undone: such a database is dropped, and the next test gets a new copy of the template.
"""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

import asyncpg

from tests.support import postgres

T = TypeVar("T")

MOST_GROWTH = 4_000_000
"""Bytes; deleted rows stay in the files, since nothing vacuums."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_REFERENCES = (
    "SELECT f.relname, t.relname FROM pg_constraint c"
    " JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid"
    " WHERE c.contype = 'f' AND f.oid <> t.oid"
)
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_SCHEMA = "SELECT " + ", ".join(
    f"(SELECT count(*) || '/' || sum(hashtext({row}::text)::bigint) FROM {catalog})"
    for catalog, row in {
        "pg_namespace": "oid",
        "pg_class": "(oid, relname)",
        "pg_attribute": "(attrelid, attname, atttypid, attnotnull)",
        "pg_constraint": "(oid, conname)",
        "pg_trigger": "oid",
        "pg_proc": "oid",
        "pg_db_role_setting": "(setdatabase, setconfig)",
    }.items()
)
_SIZE = "SELECT pg_database_size(current_database())"
_DISCONNECT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class _Loop:
    """A loop of its own, in a thread: connections outlive the loops of the tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def close(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(slots=True)
class _Kept:
    """A database between two tests. `schema` and `size` are those of a new one."""

    template: str
    connection: asyncpg.Connection
    schema: tuple[str, ...]
    size: int


class Reused:
    """Copies of templates, by their URL."""

    def __init__(self) -> None:
        self._loop = _Loop()
        self._resets: dict[str, str | None] = {}
        self._kept: dict[str, _Kept] = {}
        self._free: dict[str, list[str]] = {}

    async def take(self, template: str) -> str:
        """The URL of a database like the template; nobody else has it."""
        free = self._free.setdefault(template, [])
        return free.pop() if free else await self._loop.run(self._new(template))

    async def give_back(self, url: str) -> None:
        """The test is over."""
        template = self._kept[url].template
        if await self._loop.run(self._reset(url)):
            self._free[template].append(url)
        else:
            await postgres.drop_database(url)

    def close(self) -> None:
        """Drop them all."""
        self._loop.close(self._drop_all())

    async def _new(self, template: str) -> str:
        if template not in self._resets:
            self._resets[template] = await _statements(template)
        url = await postgres.new_database(template=template)
        connection = await asyncpg.connect(url)
        schema = tuple(await connection.fetchrow(_SCHEMA))
        self._kept[url] = _Kept(template, connection, schema, await connection.fetchval(_SIZE))
        return url

    async def _reset(self, url: str) -> bool:
        kept = self._kept[url]
        statements = self._resets[kept.template]
        try:
            await kept.connection.execute(_DISCONNECT)
            is_usual = (
                statements is not None
                and tuple(await kept.connection.fetchrow(_SCHEMA)) == kept.schema
                and await kept.connection.fetchval(_SIZE) < kept.size + MOST_GROWTH
            )
            if is_usual:
                await kept.connection.execute(statements)
                return True
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pass  # the test has disconnected all, or more: let it go
        del self._kept[url]
        await kept.connection.close()
        return False

    async def _drop_all(self) -> None:
        for url, kept in self._kept.items():
            await kept.connection.close()
            await postgres.drop_database(url)


async def _statements(template: str) -> str | None:
    """What brings the template's rows back; None if its tables refer to each other in a circle."""
    connection = await asyncpg.connect(template)
    try:
        tables = [name for (name,) in await connection.fetch(_TABLES)]
        references: dict[str, set[str]] = {name: set() for name in tables}
        for one, other in await connection.fetch(_REFERENCES):
            references[one].add(other)
        try:
            order = list(TopologicalSorter(references).static_order())
        except CycleError:
            return None
        found = ["BEGIN", *(f'DELETE FROM "{name}"' for name in reversed(order))]
        for name in order:
            rows = await connection.fetch(f'SELECT (t.*)::text FROM "{name}" t')
            values = ", ".join(f'({_quoted(row)}::"{name}")' for (row,) in rows)
            if rows:
                found.append(
                    f'INSERT INTO "{name}" OVERRIDING SYSTEM VALUE'
                    f" SELECT (v.r).* FROM (VALUES {values}) AS v (r)"
                )
        for name, last in await connection.fetch(_SEQUENCES):
            is_called = last is not None
            found.append(f"SELECT setval('\"{name}\"', {last if is_called else 1}, {is_called})")
        return "; ".join([*found, "COMMIT"])
    finally:
        await connection.close()


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
