"""Metadata documents of clients: how long they count, and what an outsider can make us do."""

import asyncio
import json
from typing import Any

import pytest

from corpid.services import client_documents as bounds
from corpid.storage.unused_clients import purge_unused_clients
from tests.oidc.registration.test_client_documents import CLIENT, document, publish, push, refused
from tests.support.registration_world import RegistrationWorld, registration_world

HOST = "https://rp.sample-bank.example"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"client_document_hosts": ("*",), "registration": "off"}


def asked(world: RegistrationWorld) -> int:
    return len(world.outbound.asked)


@pytest.mark.parametrize(
    ("max_age", "seconds"),
    [
        (None, bounds.LIFETIME),
        (300, 300),
        (0, bounds.SHORTEST),
        (1, bounds.SHORTEST),
        (10**9 - 1, bounds.LONGEST),
    ],
)
async def test_cimd_4_2_a_document_counts_as_long_as_it_is_fresh_within_bounds(
    world: RegistrationWorld, max_age: int | None, seconds: int
) -> None:
    world.outbound.says(CLIENT, json.dumps(document()).encode(), max_age=max_age)
    assert (await push(world)).status == 201
    world.wait(seconds - 1)
    assert (await push(world)).status == 201
    assert asked(world) == 1
    world.wait(1)
    assert (await push(world)).status == 201
    assert asked(world) == 2


async def test_what_the_document_says_now_counts_and_the_history_stays(
    world: RegistrationWorld,
) -> None:
    publish(world)
    assert (await push(world)).status == 201
    before = int(world.now * 1000)
    world.wait(bounds.LIFETIME)
    elsewhere = "https://app.sample-bank.example/callback"
    publish(world, redirect_uris=[elsewhere])
    assert (await push(world)).error == "invalid_request"
    assert (await push(world, redirect_uri=elsewhere)).status == 201
    then = await world.store.read.clients.at(CLIENT, before)
    now = await world.store.read.clients.by_id(CLIENT)
    assert then.metadata["redirect_uris"] != now.metadata["redirect_uris"] == [elsewhere]
    assert then.sector == now.sector == "rp.sample-bank.example"
    assert len(await world.events("client.changed")) == 1


async def test_an_unchanged_document_writes_nothing(world: RegistrationWorld) -> None:
    publish(world)
    for _ in range(3):
        assert (await push(world)).status == 201
        world.wait(bounds.LIFETIME)
    assert asked(world) == 3
    assert await world.events("client.changed") == []


async def test_changes_of_a_document_are_paced(world: RegistrationWorld) -> None:
    statuses = []
    for number in range(bounds.CHANGES.burst + 3):
        changed = document(client_name=f"Sample Bank {number}")
        world.outbound.says(CLIENT, json.dumps(changed).encode(), max_age=0)
        statuses.append((await push(world)).status)
        world.wait(bounds.SHORTEST)
    assert statuses.count(201) <= bounds.CHANGES.burst + 2
    assert statuses[-1] == 429
    world.wait(bounds.CHANGES.seconds)
    assert (await push(world)).status == 201


async def test_cimd_4_2_an_error_is_not_kept(world: RegistrationWorld) -> None:
    await refused(world, client_id="https://other.example/")
    publish(world)
    world.wait(bounds.FIRST_REST)
    assert (await push(world)).status == 201


async def test_cimd_4_1_a_known_client_whose_document_fails_is_refused(
    world: RegistrationWorld,
) -> None:
    publish(world)
    assert (await push(world)).status == 201
    world.wait(bounds.LIFETIME)
    del world.outbound.documents[CLIENT]
    assert (await push(world)).error == "invalid_client"
    publish(world)
    world.wait(bounds.FIRST_REST)
    assert (await push(world)).status == 201


async def test_an_address_that_failed_rests_longer_each_time(world: RegistrationWorld) -> None:
    rest = bounds.FIRST_REST
    for _ in range(6):
        assert (await push(world)).error == "invalid_client"
        count = asked(world)
        world.wait(rest - 1)
        answer = await push(world)
        assert (answer.status, answer.error) == (429, "temporarily_unavailable")
        assert answer.header("retry-after") is not None
        assert asked(world) == count
        world.wait(1)
        rest = min(rest * 2, bounds.LONGEST_REST)
    assert asked(world) == 6


async def test_strangers_of_a_host_are_asked_for_so_often_and_known_clients_always(
    world: RegistrationWorld,
) -> None:
    publish(world)
    assert (await push(world)).status == 201
    world.wait(bounds.LIFETIME)
    for number in range(bounds.STRANGERS_OF_HOST):
        assert (await push(world, f"{HOST}/{number}")).error == "invalid_client"
    count = asked(world)
    answer = await push(world, f"{HOST}/one-more")
    assert (answer.status, answer.error) == (429, "temporarily_unavailable")
    assert asked(world) == count
    assert (await push(world)).status == 201
    other = "https://rp.sample-insurer.example/client"
    publish(world, url=other)
    assert (await push(world, other)).status == 201
    world.wait(60)
    assert (await push(world, f"{HOST}/one-more")).error == "invalid_client"


async def test_strangers_of_all_hosts_together_are_bounded(world: RegistrationWorld) -> None:
    for number in range(bounds.STRANGERS):
        assert (await push(world, f"https://h{number}.example/")).error == "invalid_client"
    assert (await push(world, "https://another.example/")).status == 429


class Held:
    """Others' servers that do not answer before they may."""

    def __init__(self, world: RegistrationWorld) -> None:
        self._usual = world.outbound.get
        self._may = asyncio.Event()
        self._came = asyncio.Condition()
        self._count = 0
        world.outbound.get = self._get  # type: ignore[method-assign]

    async def _get(self, url: str, **more: Any) -> Any:
        async with self._came:
            self._count += 1
            self._came.notify_all()
        await self._may.wait()
        return await self._usual(url, **more)

    async def until(self, count: int) -> None:
        """Until so many requests have come."""
        async with self._came:
            await self._came.wait_for(lambda: self._count >= count)

    def let_go(self) -> None:
        self._may.set()


async def test_one_request_at_a_time_for_an_address_and_few_for_a_host(
    world: RegistrationWorld,
) -> None:
    publish(world)
    held = Held(world)
    waiting = [asyncio.create_task(push(world)) for _ in range(5)]
    others = [
        asyncio.create_task(push(world, f"{HOST}/{number}"))
        for number in range(bounds.AT_ONCE_OF_HOST - 1)
    ]
    await held.until(bounds.AT_ONCE_OF_HOST)
    assert (await push(world, f"{HOST}/too-many")).status == 429
    elsewhere = [
        asyncio.create_task(push(world, f"https://h{number}.example/"))
        for number in range(bounds.AT_ONCE - bounds.AT_ONCE_OF_HOST)
    ]
    await held.until(bounds.AT_ONCE)
    assert (await push(world, "https://too-many.example/")).status == 429
    held.let_go()
    assert {one.status for one in await asyncio.gather(*waiting)} == {201}
    assert {one.status for one in await asyncio.gather(*others, *elsewhere)} == {401}
    assert world.outbound.asked.count(CLIENT) == 1
    assert (await push(world, f"{HOST}/too-many")).status == 401


async def test_who_waited_for_a_failure_does_not_ask_again(world: RegistrationWorld) -> None:
    held = Held(world)
    waiting = [asyncio.create_task(push(world)) for _ in range(3)]
    await held.until(1)
    held.let_go()
    assert sorted(one.status for one in await asyncio.gather(*waiting)) == [401, 429, 429]
    assert asked(world) == 1


async def test_what_is_known_in_memory_is_bounded(
    world: RegistrationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_KNOWN", 3)
    for number in range(6):
        await push(world, f"{HOST}/{number}")
    documents: Any = world.built.service.provider.client_documents
    assert list(documents._known) == [f"{HOST}/{number}" for number in (3, 4, 5)]
    assert not documents._turns
    assert not documents._at_once


class TestFew:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"client_document_hosts": ("*",), "registration_per_hour": 2, "registration_max": 3}

    async def test_so_many_come_within_an_hour_and_in_all(self, world: RegistrationWorld) -> None:
        async def come(number: int) -> int:
            url = f"{HOST}/{number}"
            publish(world, url=url)
            return (await push(world, url)).status

        assert [await come(1), await come(2), await come(3)] == [201, 201, 429]
        world.wait(3601)
        assert [await come(1), await come(3), await come(4)] == [201, 201, 429]
        world.wait(3601)
        assert [await come(4), await come(1)] == [429, 201]
        # Clients that register themselves are counted apart.
        assert (await world.register()).status == 201


async def test_an_unused_one_is_purged_and_comes_back_when_it_is_used(
    world: RegistrationWorld,
) -> None:
    publish(world)
    assert (await push(world)).status == 201
    assert await purge_unused_clients(world.database, int(world.now * 1000) + 1) == 1
    assert await world.store.read.clients.by_id(CLIENT) is None
    assert (await push(world)).status == 201
    assert asked(world) == 2


async def test_nobody_manages_it_as_a_registration(world: RegistrationWorld) -> None:
    publish(world)
    assert (await push(world)).status == 201
    kept = await world.store.read.registrations.of(CLIENT)
    assert len(kept.token_hash) == 32
    assert kept.initial_token_id is None


async def test_two_processes_may_meet_a_client_at_once(
    database_url: str, settings: dict[str, Any]
) -> None:
    async with (
        registration_world(database_url, **settings) as one,
        registration_world(database_url, **settings) as other,
    ):
        publish(one)
        publish(other)
        answers = await asyncio.gather(*(push(world) for world in (one, other, one, other)))
        assert [answer.status for answer in answers] == [201] * 4
        for world in (one, other):
            world.wait(bounds.LIFETIME)
            publish(world, client_name="Another name")
        answers = await asyncio.gather(*(push(world) for world in (one, other)))
        assert [answer.status for answer in answers] == [201] * 2
        one.wait(bounds.LIFETIME)
        publish(one, client_name="A new name")
        assert (await push(one)).status == 201
        # What one has read is what the other uses, at once.
        found = await other.store.read.provider_reads.client(CLIENT)
        assert found.names == {"en": "A new name"}
