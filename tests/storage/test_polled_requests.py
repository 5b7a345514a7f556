"""Requests that wait for a person: kept, answered once, fetched once, slowed down."""

import asyncio
from typing import Any

from corpid.storage.store import SqlStore
from tests.support.stored import MINUTE, NOW, digest, grant, polled_request


async def add(store: SqlStore, **changes: Any) -> bool:
    row = polled_request(**changes)
    return await store.provider.write(lambda writes: writes.add_polled_request(row))


async def test_it_is_found_by_either_code(store: SqlStore) -> None:
    assert await add(store)
    read = store.provider.read
    assert await read.polled_request(digest("device code")) == (polled_request(), None)
    assert await read.polled_request_of(digest("BCDFGHJK")) == polled_request()
    assert await read.polled_request(digest("other")) is None
    assert await read.polled_request_of(digest("other")) is None


async def test_a_user_code_is_given_once(store: SqlStore) -> None:
    assert await add(store)
    assert not await add(store, code_hash=digest("another device"))
    assert await add(store, code_hash=digest("a third"), user_code_hash=digest("KJHGFDCB"))


async def test_many_without_a_user_code(store: SqlStore) -> None:
    assert await add(store, user_code_hash=None)
    assert await add(store, code_hash=digest("another"), user_code_hash=None)


async def test_the_interval_grows_when_asked_too_early(store: SqlStore) -> None:
    await add(store)
    key = digest("device code")

    async def poll(now: int) -> int:
        return await store.provider.write(lambda writes: writes.count_poll(key, now, 5000))

    assert await poll(NOW) == 5000
    assert await poll(NOW + 1000) == 10_000
    assert await poll(NOW + 1000 + 8999) == 15_000
    assert await poll(NOW + 60_000) == 15_000


async def test_it_is_answered_once(store: SqlStore) -> None:
    await add(store)
    key = digest("device code")

    async def yes() -> bool:
        return await store.provider.write(
            lambda writes: writes.approve_polled_request(key, "grant-1", NOW)
        )

    async def no() -> bool:
        return await store.provider.write(lambda writes: writes.refuse_polled_request(key, NOW))

    answers = await asyncio.gather(yes(), no(), yes(), no())
    assert sorted(answers) == [False, False, False, True]


async def test_it_is_read_with_its_grant(store: SqlStore) -> None:
    await add(store)
    key = digest("device code")
    await store.provider.write(lambda writes: writes.add_grant(grant()))
    given = grant()
    await store.provider.write(
        lambda writes: writes.approve_polled_request(key, given.grant_id, NOW)
    )
    found = await store.provider.read.polled_request(key)
    assert found is not None
    assert found[0].grant_id == given.grant_id
    assert found[1] == given


async def test_of_fifty_fetches_exactly_one_wins(store: SqlStore) -> None:
    await add(store)
    key = digest("device code")

    async def claim() -> bool:
        return await store.provider.write(lambda writes: writes.claim_polled_request(key, NOW))

    assert sum(await asyncio.gather(*(claim() for _ in range(50)))) == 1


async def test_an_expired_one_takes_no_answer(store: SqlStore) -> None:
    await add(store)
    key, late = digest("device code"), NOW + 10 * MINUTE
    assert not await store.provider.write(
        lambda writes: writes.approve_polled_request(key, "grant-1", late)
    )
    assert not await store.provider.write(lambda writes: writes.refuse_polled_request(key, late))


async def test_what_waits_is_counted_up_to_a_bound(store: SqlStore) -> None:
    for number in range(4):
        codes = {"code_hash": digest(f"c{number}"), "user_code_hash": digest(f"u{number}")}
        whom = {"actor": "per-1"} if number < 2 else {"subject": "org-1"}
        await add(store, **codes, **whom)

    async def of(client_id: str, at_most: int = 9, now_ms: int = NOW) -> int:
        return await store.provider.write(
            lambda writes: writes.open_polled_requests(client_id, now_ms, at_most)
        )

    async def like(**changes: Any) -> int:
        row = polled_request(**changes)
        return await store.provider.write(lambda writes: writes.open_polled_requests_like(row, 9))

    assert [await of("client-1"), await of("client-1", 3), await of("client-2")] == [4, 3, 0]
    assert await of("client-1", now_ms=NOW + 10 * MINUTE) == 0
    assert await like(actor="per-1") == 2
    assert await like(subject="org-1") == 2
    assert await like(actor="per-2") == 0
    assert await like(actor="per-1", client_id="client-2") == 0
    await store.provider.write(lambda w: w.refuse_polled_request(digest("c0"), NOW))
    assert [await of("client-1"), await like(actor="per-1")] == [3, 1]
