"""The real commands in this process, against a database of the test's own.

cli            on SQLite
any_cli        on SQLite and on PostgreSQL
empty          a directory where nothing was set up yet
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


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that was set up and has the sample businesses, with its key."""
    folder = tmp_path_factory.mktemp("cli-template")
    made = Cli(folder, environment(folder, f"sqlite:///{folder / 'corpid.db'}"))
    made.json("init")
    made.json("register", "import", "--sample")
    return folder


@pytest.fixture
def cli(empty: Cli, _template: Path) -> Cli:
    for name in ("corpid.db", "master.key"):
        shutil.copy(_template / name, empty.folder / name)
    return empty


@pytest.fixture
def postgresql_cli(tmp_path: Path) -> Iterator[Cli]:
    url = asyncio.run(postgres.new_database())
    yield Cli(tmp_path, environment(tmp_path, url))
    asyncio.run(postgres.drop_database(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def any_cli(request: pytest.FixtureRequest) -> Cli:
    if request.param == "sqlite":
        ready: Cli = request.getfixturevalue("cli")
        return ready
    fresh: Cli = request.getfixturevalue("postgresql_cli")
    fresh.json("init")
    fresh.json("register", "import", "--sample")
    return fresh


@pytest.fixture
def person(cli: Cli) -> str:
    """The id of a person who can sign in as sample.person."""
    return add_person(cli)
