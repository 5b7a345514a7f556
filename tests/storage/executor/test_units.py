"""Units of work: whole or not at all, on SQLite and PostgreSQL alike."""

import asyncio
from contextvars import ContextVar

import pytest
from sqlalchemy import delete

from corpid.storage.database import Database, Transaction, open_database
from corpid.storage.errors import (
    AwaitedInsideTransaction,
    InvalidValue,
    StorageError,
    UniqueViolation,
)
from corpid.storage.statement import Statement
from tests.storage.executor.tables import (
    CLAIM,
    COUNT,
    GET,
    IDS,
    INSERT,
    RENAME,
    inserting,
    item,
    row,
)


async def ids(database: Database) -> list[int]:
    return [id_ for (id_,) in await database.all(IDS)]


async def test_a_unit_returns_its_result_and_is_seen_by_others(database, database_url):
    assert await database.write(inserting(1)) == 1
    other = await open_database(database_url)
    assert await other.one(COUNT) == (1,)
    await other.close()


async def test_an_exception_undoes_the_whole_unit(database):
    async def work(tx: Transaction):
        await tx.execute(INSERT, **row(1))
        await tx.execute(INSERT, **row(2))
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await database.write(work)
    assert await ids(database) == []
    await database.write(inserting(3))
    assert await ids(database) == [3]


async def test_a_failing_unit_leaves_its_neighbours_alone(database):
    def work(id_: int):
        async def insert_and_maybe_fail(tx: Transaction):
            await tx.execute(INSERT, **row(id_))
            if id_ % 3 == 1:
                raise LookupError(id_)
            if id_ % 3 == 2:
                await tx.execute(INSERT, **row(id_, label="again"))
            return id_

        return insert_and_maybe_fail

    outcomes = await asyncio.gather(
        *(database.write(work(id_)) for id_ in range(30)), return_exceptions=True
    )
    for id_, outcome in enumerate(outcomes):
        if id_ % 3 == 0:
            assert outcome == id_
        else:
            assert type(outcome) is (LookupError if id_ % 3 == 1 else UniqueViolation)
    assert await ids(database) == list(range(0, 30, 3))


async def test_a_unit_cannot_swallow_a_failed_statement(database):
    """Otherwise it would be answered as done and rolled back, for PostgreSQL cannot go on."""

    async def work(tx: Transaction):
        await tx.execute(INSERT, **row(1))
        with pytest.raises(UniqueViolation):
            await tx.execute(INSERT, **row(1))
        with pytest.raises(StorageError, match="has failed"):
            await tx.one(COUNT)
        return "done"

    with pytest.raises(UniqueViolation):
        await database.write(work)
    assert await ids(database) == []


async def test_a_wrong_parameter_does_not_spoil_the_unit(database):
    async def work(tx: Transaction):
        with pytest.raises(InvalidValue):
            await tx.execute(INSERT, **row(1, label="\0"))
        return await tx.execute(INSERT, **row(1))

    assert await database.write(work) == 1
    assert await ids(database) == [1]


async def test_a_transaction_is_useless_after_its_unit(database):
    kept: list[Transaction] = []

    async def work(tx: Transaction):
        kept.append(tx)

    await database.write(work)
    for call in (
        kept[0].one(COUNT),
        kept[0].all(COUNT),
        kept[0].execute(RENAME, the_id=1, label="x"),
        kept[0].many(RENAME, []),
        kept[0].notify("x"),
    ):
        with pytest.raises(StorageError, match="is over"):
            await call


async def _sleep(_: Database, __: Transaction) -> None:
    await asyncio.sleep(0)


async def _future(_: Database, __: Transaction) -> None:
    await asyncio.get_running_loop().create_future()


async def _gather(_: Database, tx: Transaction) -> None:
    await asyncio.gather(tx.one(COUNT))


async def _read_outside(database: Database, _: Transaction) -> None:
    await database.one(COUNT)


async def _read_all_outside(database: Database, _: Transaction) -> None:
    await database.all(COUNT)


async def _write_outside(database: Database, _: Transaction) -> None:
    await database.write(inserting(2))


async def _clean_up_waits(_: Database, __: Transaction) -> None:
    try:
        await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    "wait",
    [
        _sleep,
        _future,
        _gather,
        _read_outside,
        _read_all_outside,
        _write_outside,
        _clean_up_waits,
    ],
)
async def test_a_unit_that_waits_for_anything_else_is_refused_and_undone(database, wait):
    async def work(tx: Transaction):
        await tx.execute(INSERT, **row(1))
        await wait(database, tx)

    outcomes = await asyncio.gather(
        database.write(work), database.write(inserting(7)), return_exceptions=True
    )
    assert type(outcomes[0]) is AwaitedInsideTransaction
    assert outcomes[1] == 7
    assert await ids(database) == [7]


async def test_a_unit_runs_in_the_context_of_its_caller(database):
    who: ContextVar[str] = ContextVar("who")

    async def caller(name: str):
        who.set(name)

        async def work(_: Transaction):
            return who.get()

        return await database.write(work)

    names = [f"caller {number}" for number in range(8)]
    assert await asyncio.gather(*(caller(name) for name in names)) == names


async def test_one_of_fifty_claims_a_one_time_thing(database):
    await database.write(inserting(1, label="the code"))

    def claim(now: int):
        async def work(tx: Transaction):
            return await tx.one(CLAIM, the_id=1, now=now)

        return work

    outcomes = await asyncio.gather(*(database.write(claim(now)) for now in range(50)))
    assert [outcome for outcome in outcomes if outcome] == [("the code",)]
    found = await database.one(GET, id=1)
    assert outcomes[found[4]] == ("the code",)


async def test_two_processes_worth_of_claims(database, database_url):
    """Two databases on one store stand for two processes."""
    await database.write(inserting(1))
    other = await open_database(database_url)

    async def work(tx: Transaction):
        return await tx.one(CLAIM, the_id=1, now=1)

    outcomes = await asyncio.gather(*((database, other)[n % 2].write(work) for n in range(20)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    await other.close()


async def test_cancelled_before_it_began_is_not_run(database):
    ran: list[int] = []

    def work(id_: int):
        async def note(tx: Transaction):
            ran.append(id_)
            await tx.execute(INSERT, **row(id_))
            return id_

        return note

    tasks = [asyncio.create_task(database.write(work(id_))) for id_ in range(3)]
    tasks[1].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] == 0
    assert type(outcomes[1]) is asyncio.CancelledError
    assert outcomes[2] == 2
    assert sorted(ran) == [0, 2]
    assert await ids(database) == [0, 2]


async def test_cancelled_in_the_middle_is_whole_or_not_at_all(database):
    async def work(tx: Transaction):
        await tx.many(INSERT, [row(1), row(2)])
        await tx.execute(INSERT, **row(3))

    for turns in range(12):
        task = asyncio.create_task(database.write(work))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await ids(database) in ([], [1, 2, 3])

        async def clear(tx: Transaction):
            await tx.execute(Statement(delete(item)))

        await database.write(clear)
