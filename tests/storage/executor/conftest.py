import pytest

from tests.storage.executor.tables import metadata
from tests.support.databases import Schema


@pytest.fixture(scope="session")
def schema() -> Schema:
    return metadata
