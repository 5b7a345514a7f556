"""`world` is the application on SQLite and on PostgreSQL; a test may have `settings` of its own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.registration_world import RegistrationWorld, initialised, registration_world


@pytest.fixture(scope="session")
def schema() -> Any:
    return initialised


@pytest.fixture
def settings() -> dict[str, Any]:
    return {}


@pytest.fixture
async def world(database_url: str, settings: dict[str, Any]) -> AsyncIterator[RegistrationWorld]:
    async with registration_world(database_url, **settings) as made:
        yield made
