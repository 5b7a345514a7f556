"""The real commands in this process, against a database of the test's own.

cli            on SQLite
any_cli        on SQLite and on PostgreSQL
empty          a directory where nothing was set up yet
empty_postgresql   the same with a database on PostgreSQL
"""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.cli import Cli, add_person, environment


@pytest.fixture
def empty(tmp_path: Path) -> Cli:
    return Cli(tmp_path, environment(tmp_path, f"sqlite:///{tmp_path / 'corpid.db'}"))


def _set_up(folder: Path, url: str) -> Cli:
    made = Cli(folder, environment(folder, url))
    made.json("init")
    made.json("register", "import", "--sample")
    return made


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that was set up and has the sample businesses, with its key."""
    folder = tmp_path_factory.mktemp("cli-template")
    return _set_up(folder, f"sqlite:///{folder / 'corpid.db'}").folder


@pytest.fixture
def cli(empty: Cli, _template: Path) -> Cli:
    for name in ("corpid.db", "master.key"):
        shutil.copy(_template / name, empty.folder / name)
    return empty


@pytest.fixture(scope="session")
def _postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The same on PostgreSQL."""
    folder = tmp_path_factory.mktemp("cli-postgresql-template")
    return _set_up(folder, asyncio.run(postgres.new_database()))


def _on_postgresql(folder: Path, template: str | None = None) -> Iterator[Cli]:
    url = asyncio.run(postgres.new_database(template=template))
    yield Cli(folder, environment(folder, url))
    asyncio.run(postgres.drop_database(url))


@pytest.fixture
def empty_postgresql(tmp_path: Path) -> Iterator[Cli]:
    yield from _on_postgresql(tmp_path)


@pytest.fixture
def postgresql_cli(tmp_path: Path, _postgresql_template: Cli) -> Iterator[Cli]:
    shutil.copy(_postgresql_template.folder / "master.key", tmp_path)
    yield from _on_postgresql(tmp_path, _postgresql_template.environment["CORPID_DATABASE_URL"])


@pytest.fixture(params=["sqlite", "postgresql"])
def any_cli(request: pytest.FixtureRequest) -> Cli:
    name = "cli" if request.param == "sqlite" else "postgresql_cli"
    ready: Cli = request.getfixturevalue(name)
    return ready


@pytest.fixture
def person(cli: Cli) -> str:
    """The id of a person who can sign in as sample.person."""
    return add_person(cli)
