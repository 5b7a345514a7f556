from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.pages_world import PagesWorld, pages_world, populate


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages") / "template.db"


@pytest.fixture
async def world(tmp_path: Path, database_template: Path) -> AsyncIterator[PagesWorld]:
    async with pages_world(tmp_path, database_template) as made:
        await populate(made)
        yield made
