"""The bulk path of register imports."""

import asyncio
import sqlite3
from dataclasses import replace
from types import SimpleNamespace

import pytest

from corpid.domain.languages import Names
from corpid.domain.organisation import Identifier, IdentifierScheme, Registration
from corpid.services.short_turns import HELD_SECONDS, Pace
from corpid.storage import name_index, paced, register_rows, sqlite_bulk
from corpid.storage.database import Database, Transaction, open_database
from corpid.storage.errors import InvalidValue, UniqueViolation
from corpid.storage.group_commit import RETRY_BETWEEN
from corpid.storage.paced import FREE_SECONDS, PacedWriter
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.repositories.organisations import MAX_FOUND
from corpid.storage.store import SqlStore
from tests.support.stored import NOW, digest, identifier, populate, registration

BRN = IdentifierScheme.HK_BRN


async def test_register_rows_in_bulk(
    database: Database, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PacedWriter, "pace", lambda *_, **__: Pace(3, 3, 3))
    monkeypatch.setattr(register_rows, "LOOKED_UP", 2)
    rows = SqlRegisterRows(database)
    entries = [
        (
            identifier(f"1234567{number}"),
            registration(f"org-{number}", names=Names(en=f"Name {number}", zh_hant="同名")),
        )
        for number in range(8)
    ]
    await rows.add(entries)
    numbers = [("hk.brn", f"1234567{number}") for number in range(10)]
    numbers.append(("hk.cr_dummy", "12345670"))
    assert await rows.digests(numbers) == {
        ("hk.brn", f"1234567{number}"): digest(f"org-{number}") for number in range(8)
    }
    assert (await rows.known(numbers))["hk.brn", "12345673"] == ("org-3", digest("org-3"))
    found = await store.read.organisations.by_number(BRN, "12345677")
    assert found is not None
    assert found.registration == entries[7][1]

    await rows.complete()
    assert len(await store.read.organisations.search("同名", 10)) == 8
    changed = [
        replace(facts, names=Names(en="Renamed"), digest=digest("new"), recorded_at=NOW + 1)
        for _, facts in entries[:5]
    ]
    await rows.replace(changed)
    digests = await rows.digests(numbers)
    assert [digests["hk.brn", f"1234567{n}"] == digest("new") for n in range(8)] == [True] * 5 + [
        False
    ] * 3
    assert len(await store.read.organisations.search("renamed", 10)) == 5
    assert len(await store.read.organisations.search("name 0", 10)) == 0
    assert await store.read.organisations.registration_at("org-0", NOW) == replace(
        entries[0][1], ended_at=NOW + 1
    )


async def test_a_batch_with_a_number_that_is_taken_is_not_written(
    database: Database, store: SqlStore
) -> None:
    await populate(store)
    entries = [
        (identifier("11111111"), registration("org-8")),
        (identifier("12345678"), registration("org-9")),
    ]
    with pytest.raises(UniqueViolation):
        await SqlRegisterRows(database).add(entries)
    assert await store.read.organisations.by_id("org-8") is None


def entry(number: int) -> tuple[Identifier, Registration]:
    names = Names(en=f"Sample {number} Limited", zh_hant="樣本")
    return identifier(f"{10_000_000 + number}"), registration(f"org-{number:04}", names=names)


async def test_names_that_a_dead_import_left_out_are_made_good_by_the_next(
    database: Database, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that it had written, and those of businesses that were renamed meanwhile."""
    monkeypatch.setattr(name_index, "RUN", 50)
    monkeypatch.setattr(name_index, "PAGE", 30)
    dead = SqlRegisterRows(database)
    await dead.add([entry(number) for number in range(200)])
    assert await store.read.organisations.search("sample 7", 50) == []
    renamed = replace(entry(7)[1], names=Names(en="Renamed"), recorded_at=NOW + 1)
    await dead.replace([renamed])

    following = SqlRegisterRows(database)
    later = [
        (number, replace(facts, recorded_at=NOW + 5))
        for number, facts in (entry(number) for number in range(200, 210))
    ]
    await following.add(later)
    await following.complete()
    assert len(await store.read.organisations.search("sample 2", 50)) == 1 + 10 + 10
    assert len(await store.read.organisations.search("樣本", 300)) == MAX_FOUND
    assert await store.read.organisations.search("sample 7 l", 50) == []
    assert [one.organisation_id for one in await store.read.organisations.search("renamed", 5)] == [
        "org-0007"
    ]
    assert await store.read.operations.meta() == {}
    await SqlRegisterRows(database).complete()


async def test_an_import_beside_another_does_not_lose_the_note_of_missing_names(
    database: Database, store: SqlStore
) -> None:
    slow, quick = SqlRegisterRows(database), SqlRegisterRows(database)
    await slow.add([entry(1)])
    await quick.add([entry(2)])
    await quick.complete()
    await slow.add([entry(3)])  # and dies here
    await SqlRegisterRows(database).complete()
    assert len(await store.read.organisations.search("sample", 5)) == 3


async def test_a_nul_character_is_refused_alike(database: Database, store: SqlStore) -> None:
    number, facts = entry(1)
    with pytest.raises(InvalidValue):
        await SqlRegisterRows(database).add([(number, replace(facts, address="1\0Road"))])
    assert await store.read.organisations.by_id(facts.organisation_id) is None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_transaction_grows_and_shrinks_with_the_time_it_takes(database: Database) -> None:
    pace = PacedWriter(database).pace(start=100, least=25, most=1000, with_row_locks=2000)
    pace.learn(100, HELD_SECONDS * 4)
    assert pace.size == 50
    pace.learn(50, HELD_SECONDS * 100)
    assert pace.size == 25
    for _ in range(50):
        pace.learn(pace.size, HELD_SECONDS / 100)
    assert pace.size == 1000
    assert [len(batch) for batch in Pace(3, 3, 3).batches(range(7))] == [3, 3, 1]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_waiting_for_the_lock_is_no_reason_to_do_less(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a service whose disk is slow a bulk writer would else end at its least size."""
    waited, worked = 100.0, 7.0
    elapsed: list[float] = []
    learnt: list[float] = []
    begin = sqlite_bulk._begin

    def begin_late(connection: sqlite3.Connection) -> None:
        elapsed.append(waited)
        begin(connection)

    async def unit(_: Transaction) -> None:
        elapsed.append(worked)

    monkeypatch.setattr(paced, "time", SimpleNamespace(perf_counter=lambda: sum(elapsed)))
    monkeypatch.setattr(sqlite_bulk, "_begin", begin_late)
    monkeypatch.setattr(Pace, "learn", lambda _self, _items, seconds: learnt.append(seconds))
    writer = PacedWriter(database)
    await writer.write(unit, 10, writer.pace(start=9, least=1, most=99, with_row_locks=9))
    assert elapsed == [waited, worked]
    assert learnt == [worked]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_writer_of_the_service_gets_in_between_two_bulk_transactions(
    database: Database, database_url: str
) -> None:
    """The importer leaves the lock free for longer than anybody waits between two tries."""
    assert RETRY_BETWEEN[1] < FREE_SECONDS
    service = await open_database(database_url)
    try:
        store = SqlStore(service, lambda: NOW / 1000, bytes)
        importing = asyncio.create_task(
            SqlRegisterRows(database).add([entry(number) for number in range(3000)])
        )
        written = 0
        while not importing.done():
            await store.write(lambda uow: uow.operations.bump("keys"))
            written += 1
        await importing
    finally:
        await service.close()
    assert written > 3
