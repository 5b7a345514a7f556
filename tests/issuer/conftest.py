import pytest

from corpid.storage.database import Database
from tests.support.issuer_world import World


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).prepare()
