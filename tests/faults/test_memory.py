"""Resident memory of one process stays bounded, however many tokens it issues.

`CORPID_TOKENS` is the number of tokens; by default 5,000, and 100,000 with CORPID_SOAK=1.
"""

import asyncio
import os
from collections.abc import Callable

import pytest

from tests.faults.population import Population, machine_request
from tests.support.service_process import Service, Site

SOAK = os.environ.get("CORPID_SOAK") == "1"
TOKENS = int(os.environ.get("CORPID_TOKENS") or (100_000 if SOAK else 5_000))
LIMIT_MB = 150.0
AT_ONCE = 16
TURN = 5_000


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.timeout(60 + TOKENS // 100)
async def test_resident_memory_stays_under_150_mb(
    site: Site, population: Population, figures: Callable[[str], None]
) -> None:
    service = site.start(fresh=True)
    await service.ready()
    sizes = [service.resident_mb()]
    for done in range(0, TOKENS, TURN):
        await _issue(service, population, min(TURN, TOKENS - done))
        sizes.append(service.resident_mb())
    figures(
        f"{TOKENS:,} tokens: {sizes[0]:.0f} MB at first, at most {max(sizes):.0f} MB, "
        f"{sizes[-1]:.0f} MB at last"
    )
    assert max(sizes) < LIMIT_MB


async def _issue(service: Service, population: Population, count: int) -> None:
    """Tokens of both kinds, every assertion and proof distinct."""
    left = iter(range(count))

    async def one_after_another() -> None:
        for number in left:
            bound = number % 2 == 0
            client = population.machine if bound else population.plain
            await client.token(service.http, machine_request(), bound=bound)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
