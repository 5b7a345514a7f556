"""Fixtures: a test that asks for `database` runs on SQLite and on PostgreSQL.

    database       an open Database, with the tables of `schema`, empty, the test's own
    database_url   the URL of such a database, for tests that open it themselves (or in a process)
    engine         "sqlite" or "postgresql"
    schema         the tables: override it in a module or conftest (scope "session" or "module")

A test for one engine says `@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)`.

In the process of the tests commits do not wait for the disk, on either engine: a disk may take ten
milliseconds for each, and no test cuts the power. The services that tests start as processes of
their own, and the PostgreSQL of those that kill them, wait for it as they do in production.

    durable        commits of this process wait for the disk as well

`schema` is a MetaData, or an async function that is given a URL and brings the (empty) database
there up to date, such as the migrations. It runs once per process and engine; each test gets a
copy of the result (on PostgreSQL one that an earlier test had, with the rows as they were).
"""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_mock_engine

from corpid.storage import sqlite_connection
from corpid.storage.database import Database, open_database
from tests.support import postgres
from tests.support.reused import Reused

Schema = MetaData | Callable[[str], Awaitable[None]]

ENGINES = ("sqlite", "postgresql")
_SYNCHRONOUS = sqlite_connection.SYNCHRONOUS


def pytest_configure() -> None:
    sqlite_connection.SYNCHRONOUS = "OFF"


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production."""
    monkeypatch.setattr(sqlite_connection, "SYNCHRONOUS", _SYNCHRONOUS)


def ddl(metadata: MetaData, engine: str) -> list[str]:
    """The statements that create all tables and indexes of `metadata`."""
    statements: list[str] = []
    url = {"sqlite": "sqlite://", "postgresql": "postgresql+asyncpg://"}[engine]

    def collect(construct: Any, *_: Any, **__: Any) -> None:
        statements.append(str(construct.compile(dialect=mock.dialect)))

    mock = create_mock_engine(url, collect)
    metadata.create_all(mock, checkfirst=False)
    return statements


class Templates:
    """One prepared database per schema and engine, to be copied."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # The schema is kept too, so that its id stays its own.
        self._made: dict[tuple[int, str], tuple[Schema, str]] = {}
        self._reused: Reused | None = None

    async def copy(self, schema: Schema, engine: str, directory: Path) -> str:
        """A database with the tables of `schema`, for one test; its URL."""
        key = (id(schema), engine)
        if key not in self._made:
            self._made[key] = (schema, await self._make(schema, engine))
        template = self._made[key][1]
        if engine == "postgresql":
            if self._reused is None:
                self._reused = Reused()
            return await self._reused.take(template)
        path = directory / "corpid.db"
        shutil.copyfile(template.removeprefix("sqlite:///"), path)
        path.chmod(0o600)
        return f"sqlite:///{path}"

    async def give_back(self, url: str) -> None:
        """The test is over."""
        if self._reused is not None and not url.startswith("sqlite:"):
            await self._reused.give_back(url)

    def close(self) -> None:
        """Nobody needs any more."""
        if self._reused is not None:
            self._reused.close()

    async def _make(self, schema: Schema, engine: str) -> str:
        if engine == "postgresql":
            url = await postgres.new_database()
        else:
            url = f"sqlite:///{self._directory / f'template-{len(self._made)}.db'}"
        if not isinstance(schema, MetaData):
            await schema(url)
        elif engine == "postgresql":
            await postgres.execute(url, *ddl(schema, engine))
        else:
            connection = sqlite3.connect(url.removeprefix("sqlite:///"))
            try:
                connection.executescript(";".join(ddl(schema, engine)))
            finally:
                connection.close()
        return url


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    made = Templates(tmp_path_factory.mktemp("database-templates"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def schema() -> Schema:
    """All tables of the product."""
    from sqlmodel import SQLModel

    import corpid.storage.tables  # noqa: F401 - fills the metadata

    return SQLModel.metadata


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the test runs on now."""
    return str(request.param)


@pytest.fixture
async def database_url(
    engine: str, schema: Schema, tmp_path: Path, _templates: Templates
) -> AsyncIterator[str]:
    """The URL of an empty database with the tables of `schema`."""
    url = await _templates.copy(schema, engine, tmp_path)
    yield url
    await _templates.give_back(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with the tables of `schema`."""
    opened = await open_database(database_url)
    yield opened
    await opened.close()
