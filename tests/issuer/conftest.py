import pytest

from corpid.storage.database import Database
from tests.support.databases import Schema
from tests.support.issuer_world import World, prepared


@pytest.fixture(scope="session")
def schema() -> Schema:
    return prepared


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).prepare()
