"""Errors, bulk work, closing and URLs: the same on SQLite and PostgreSQL."""

import asyncio
import traceback

import pytest

from corpid.storage.database import Database, Transaction, open_database
from corpid.storage.errors import (
    AwaitedInsideTransaction,
    IntegrityViolation,
    StorageError,
    StorageUnavailable,
    UniqueViolation,
)
from corpid.storage.statement import Statement
from tests.storage.executor.tables import (
    COUNT,
    IDS,
    INSERT,
    INSERT_PART,
    inserting,
    row,
)


async def ids(database: Database) -> list[int]:
    return [id_ for (id_,) in await database.all(IDS)]


async def _raised(database: Database, statement: Statement, **params) -> StorageError:
    async def work(tx: Transaction):
        await tx.execute(statement, **params)

    with pytest.raises(StorageError) as caught:
        await database.write(work)
    return caught.value


async def test_conflicts_say_which_key_and_never_the_value(database):
    await database.write(inserting(123456, label="secret label"))
    same_key = await _raised(database, INSERT, **row(123456))
    assert type(same_key) is UniqueViolation
    assert (same_key.table, same_key.columns) == ("item", ("id",))
    same_label = await _raised(database, INSERT, **row(2, label="secret label"))
    assert type(same_label) is UniqueViolation
    assert (same_label.table, same_label.columns) == ("item", ("label", "count"))
    for error in (same_key, same_label):
        shown = "".join(traceback.format_exception(error))
        assert "secret label" not in shown
        assert "123456" not in shown


async def test_other_constraints_are_integrity_violations(database, engine):
    negative = await _raised(database, INSERT, **row(1, count=-1))
    assert type(negative) is IntegrityViolation
    assert (negative.kind, negative.constraint) == ("check", "item_count_check")
    nameless = await _raised(database, INSERT, **row(1, label=None))
    assert type(nameless) is IntegrityViolation
    assert (nameless.kind, nameless.constraint) == ("not_null", "item.label")
    orphan = await _raised(database, INSERT_PART, id=1, item_id=99)
    assert type(orphan) is IntegrityViolation
    named = {"sqlite": "", "postgresql": "part_item"}[engine]
    assert (orphan.kind, orphan.constraint) == ("foreign_key", named)


async def test_many_is_mapped_too(database):
    async def work(tx: Transaction):
        await tx.many(INSERT, [row(1), row(1)])

    with pytest.raises(UniqueViolation):
        await database.write(work)
    assert await ids(database) == []


async def test_bulk_is_one_atomic_unit_beside_the_others(database):
    async def rows(tx: Transaction):
        await tx.many(INSERT, [row(id_) for id_ in range(100, 200)])
        return await tx.one(COUNT)

    async def failing(tx: Transaction):
        await tx.execute(INSERT, **row(300))
        raise LookupError

    async def waiting(tx: Transaction):
        await tx.execute(INSERT, **row(301))
        await asyncio.sleep(0)

    outcomes = await asyncio.gather(
        database.bulk(rows),
        database.bulk(failing),
        database.bulk(waiting),
        *(database.write(inserting(id_)) for id_ in range(10)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes[:3]] == [
        tuple,
        LookupError,
        AwaitedInsideTransaction,
    ]
    assert await ids(database) == [*range(10), *range(100, 200)]


async def test_closing_finishes_what_is_queued_and_refuses_the_rest(database_url):
    database = await open_database(database_url)
    queued = [asyncio.create_task(database.write(inserting(id_))) for id_ in range(5)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()
    assert await asyncio.gather(*queued) == [0, 1, 2, 3, 4]
    for late in (
        database.one(COUNT),
        database.all(COUNT),
        database.write(inserting(9)),
        database.bulk(inserting(9)),
    ):
        with pytest.raises(StorageUnavailable, match="closed"):
            await late
    again = await open_database(database_url)
    assert await again.one(COUNT) == (5,)
    await again.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:hunter2@host/db",
        "user:hunter2@host",
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite://user:hunter2@host/db",
        "sqlite:///file?password=hunter2",
        "postgresql://user:hunter2@[bad/db",
        "postgresql://user:hunter2@host:port/db",
    ],
)
async def test_a_url_that_makes_no_sense_is_refused_without_showing_it(url):
    with pytest.raises(StorageError) as caught:
        await open_database(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


async def test_nothing_shows_the_password(database_url, engine):
    database = await open_database(database_url)
    assert "postgres@" not in repr(database)
    assert database.dialect == engine
    await database.close()
