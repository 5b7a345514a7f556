"""kill -9 of the real service: what was acknowledged is there after the restart, and once only.

Each engine in a file of its own, so that the two run side by side.
"""

from collections.abc import Callable

import pytest

from tests.faults.population import Population
from tests.faults.trial import KILLS, trial_of
from tests.support.service_process import Site


@pytest.fixture
def engine() -> str:
    return "postgresql"


@pytest.mark.timeout(60 + 15 * KILLS)
async def test_kill_9_loses_nothing_acknowledged(
    site: Site, population: Population, figures: Callable[[str], None]
) -> None:
    await trial_of(site, population, figures)
