"""What is decided on rows that are not there yet holds for two at the same moment.

On SQLite nobody else writes meanwhile; on PostgreSQL two writes run side by side. A rival keeps
the table from being written, so that both have read before either writes, unless the second waits.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest

from corpid.domain.person import Assurance
from corpid.services.issuance_requests import IssuanceRequest
from corpid.services.offer_desk import MOST_OPEN, OfferDesk, TooManyOffers
from corpid.services.operator_issuance import OperatorIssuance
from corpid.services.records import BY_CODE
from corpid.services.representatives import Representatives
from keys.signer import generate
from tests.support.issuer_world import ORGANISATION, PERSON, World

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

DAYS = 2 * 86_400_000


@contextlib.asynccontextmanager
async def nothing_written(url: str, table: str, waiting: int) -> AsyncIterator[None]:
    """At the end, let go of the table as soon as so many wait."""
    rival = await asyncpg.connect(url)
    try:
        async with rival.transaction(), asyncio.timeout(30):
            await rival.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield
            count = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while await rival.fetchval(count) < waiting:
                pass
    finally:
        await rival.close()


async def at_once(
    url: str, table: str, *writes: Coroutine[Any, Any, Any]
) -> list[BaseException | None]:
    async with nothing_written(url, table, len(writes)):
        tasks = [asyncio.create_task(one) for one in writes]
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_first_two_issuances_to_a_key_renew_one_another(
    world: World, database_url: str
) -> None:
    parts = (world.store, world.issuance, world.issuer, world.offers)
    operator = OperatorIssuance(*parts, actor="operator:test", reason="seen at the counter")
    jwk = dict(generate("ES256").public_jwk)
    request = IssuanceRequest("12345678", "company-identity", person=PERSON, jwk=jwk)
    first, second = [await operator.prepare(request, {}) for _ in range(2)]
    outcomes = await at_once(
        database_url,
        "credential",
        world.store.write(first.record),
        world.store.write(second.record),
    )
    assert outcomes == [None, None]
    assert await world.wrote("credential") == 2
    giving_way = await world.store.read.credentials.due(world.now_ms() + DAYS, 9)
    assert len(giving_way) == 1, "one of them renews the other"


async def test_no_more_offers_of_one_person_wait_than_may(world: World, database_url: str) -> None:
    representatives = Representatives(world.store, world.hasher, world.clock)
    desk = OfferDesk(
        world.store,
        representatives,
        world.offers,
        configurations=world.issuer.config.configurations,
        haip=False,
    )
    (business,) = await representatives.of(PERSON)

    async def make() -> None:
        chosen = ("representative", "dc+sd-jwt", BY_CODE)
        await desk.make(business, Assurance.LOA2, *chosen, None, "in another way")

    for _ in range(MOST_OPEN - 1):
        await make()
    outcomes = await at_once(database_url, "credential_offer", make(), make())
    assert {type(one) for one in outcomes} == {type(None), TooManyOffers}
    found = await world.store.read.credential_views.offers_to(PERSON, ORGANISATION, 9)
    assert len(found) == MOST_OPEN
