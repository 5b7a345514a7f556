"""Fixtures: a site of the test's own on each engine, with people in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.population import Population, populate
from tests.support.service_process import Site, new_site


@pytest.fixture
async def site(engine: str, tmp_path: Path) -> AsyncIterator[Site]:
    """An initialised database, and what is needed to run processes on it."""
    made = await new_site(engine, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def population(site: Site) -> Population:
    """The people in it."""
    async with site.foundation() as base:
        return await populate(base)
