"""SQLite: many units, one commit, and nobody is answered before it."""

import asyncio
import sqlite3
from collections.abc import Iterator

import pytest

from corpid.storage import group_commit
from corpid.storage.database import Transaction, open_database
from corpid.storage.errors import (
    IntegrityViolation,
    StorageUnavailable,
)
from corpid.storage.group_commit import MAX_GROUP
from corpid.storage.interface import Work
from corpid.storage.sqlite import SqliteDatabase
from tests.storage.executor.tables import (
    IDS,
    INSERT_PROMISE,
    inserting,
)

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is one group does not hang on how busy the machine is."""
    monkeypatch.setattr(group_commit, "MAX_HOLD", 60.0)


@pytest.fixture
def path(database_url: str) -> str:
    return database_url.removeprefix("sqlite:///")


@pytest.fixture
def witness(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that sees only what has been committed."""
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def trace(database: SqliteDatabase) -> list[str]:
    """The transaction statements that the writer runs from now on, and its inserts as such."""
    seen: list[str] = []

    def note(sql: str) -> None:
        word = sql.split(maxsplit=1)[0]
        if word in {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}:
            seen.append(sql)
        elif word == "INSERT":
            seen.append(word)

    database._connection.set_trace_callback(note)
    return seen


async def test_units_that_are_ready_together_share_one_commit(database):
    seen = trace(database)
    await asyncio.gather(*(database.write(inserting(id_)) for id_ in range(10)))
    assert seen == ["BEGIN IMMEDIATE", *["INSERT"] * 10, "COMMIT"]


async def test_a_group_that_has_taken_long_enough_is_committed(database, monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_HOLD", -1.0)
    seen = trace(database)
    await asyncio.gather(*(database.write(inserting(id_)) for id_ in range(3)))
    assert seen == ["BEGIN IMMEDIATE", "INSERT", "COMMIT"] * 3


async def test_a_single_unit_needs_no_savepoint(database):
    seen = trace(database)
    await database.write(inserting(1))
    assert seen == ["BEGIN IMMEDIATE", "INSERT", "COMMIT"]


@pytest.mark.parametrize("place", [0, 1, 4])
async def test_a_unit_that_fails_takes_only_itself_back(database, place):
    """Its group runs again, then each unit under a savepoint."""
    runs: list[int] = []

    def counted(id_: int) -> Work[int]:
        insert = inserting(id_)

        async def work(tx: Transaction) -> int:
            runs.append(id_)
            made = await insert(tx)
            if id_ == place:
                raise LookupError
            return made

        return work

    seen = trace(database)
    outcomes = await asyncio.gather(
        *(database.write(counted(id_)) for id_ in range(5)), return_exceptions=True
    )
    others = [id_ for id_ in range(5) if id_ != place]
    assert type(outcomes[place]) is LookupError
    assert [outcome for outcome in outcomes if isinstance(outcome, int)] == others
    assert await database.all(IDS) == [(id_,) for id_ in others]
    assert seen.count("ROLLBACK") == 1
    # The first of a group has nobody to take along; else all that had run run once more.
    assert seen.count("SAVEPOINT unit") == (0 if place == 0 else place + 1)
    assert runs.count(place) == (1 if place == 0 else 2)


async def test_two_units_that_fail_leave_the_rest_of_their_group(database):
    async def fail(_: Transaction) -> int:
        raise LookupError

    outcomes = await asyncio.gather(
        database.write(inserting(1)),
        database.write(fail),
        database.write(inserting(2)),
        database.write(fail),
        database.write(inserting(3)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [int, LookupError, int, LookupError, int]
    assert await database.all(IDS) == [(1,), (2,), (3,)]


async def test_a_group_is_bounded(database):
    seen = trace(database)
    await asyncio.gather(*(database.write(inserting(id_)) for id_ in range(3 * MAX_GROUP)))
    assert seen.count("COMMIT") >= 3
    held = "\n".join(seen).split("COMMIT")
    assert max(part.count("INSERT") for part in held) <= MAX_GROUP


async def test_nobody_is_answered_before_the_commit(database, witness):
    committed: list[int] = []

    def note(sql: str) -> None:
        if sql == "COMMIT":
            # The statement is about to run: nothing is durable, so nobody may know anything.
            committed.append(sum(task.done() for task in tasks))
            assert witness.execute("SELECT count(*) FROM item").fetchone() == (0,)

    async def caller(id_: int) -> None:
        await database.write(inserting(id_))
        assert committed == [0]
        assert witness.execute("SELECT 1 FROM item WHERE id = ?", (id_,)).fetchone() == (1,)

    database._connection.set_trace_callback(note)
    tasks = [asyncio.create_task(caller(id_)) for id_ in range(8)]
    await asyncio.gather(*tasks)


async def test_a_commit_that_fails_is_everybodys_failure(database):
    async def orphan(tx: Transaction):
        await tx.execute(INSERT_PROMISE, id=1, item_id=99)  # checked at the commit

    outcomes = await asyncio.gather(
        database.write(inserting(1)),
        database.write(orphan),
        database.write(inserting(2)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [IntegrityViolation] * 3
    assert len({id(outcome) for outcome in outcomes}) == 3
    assert await database.all(IDS) == []
    assert await database.write(inserting(3)) == 3


@pytest.mark.parametrize("neighbours", [0, 4])
async def test_a_full_disk_is_reported_and_nothing_false_is_acknowledged(database, neighbours):
    (pages,) = database._connection.execute("PRAGMA page_count").fetchone()
    database._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    outcomes = await asyncio.gather(
        *(database.write(inserting(id_)) for id_ in range(neighbours)),
        database.write(inserting(100, data=b"x" * 1_000_000)),
        return_exceptions=True,
    )
    assert type(outcomes[-1]) is StorageUnavailable
    assert "full" in str(outcomes[-1])
    acknowledged = [(outcome,) for outcome in outcomes if isinstance(outcome, int)]
    assert await database.all(IDS) == acknowledged
    database._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert await database.write(inserting(200)) == 200


async def test_units_do_not_run_outside_a_transaction_that_sqlite_rolled_back(database):
    """An automatic rollback in the middle of a group takes the earlier units with it."""

    async def lose_everything(_: Transaction):
        database._connection.execute("ROLLBACK")
        raise LookupError

    outcomes = await asyncio.gather(
        database.write(inserting(1)),
        database.write(lose_everything),
        database.write(inserting(2)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes[:2]] == [StorageUnavailable] * 2
    assert outcomes[2] == 2
    assert await database.all(IDS) == [(2,)]


def test_an_interrupt_rolls_back_and_passes(tmp_path, engine):
    url = f"sqlite:///{tmp_path}/interrupted.db"
    outcomes: list[BaseException] = []

    async def interrupted() -> None:
        database = await open_database(url)
        database._connection.execute("CREATE TABLE item(id, label, data, count, used_at)")

        async def interrupt(_: Transaction):
            raise KeyboardInterrupt

        async def caller(work) -> None:
            try:
                await database.write(work)
            except StorageUnavailable as error:
                outcomes.append(error)

        try:
            await asyncio.gather(caller(inserting(1)), caller(interrupt), caller(inserting(2)))
        finally:
            await database.close()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(interrupted())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
        loop.run_until_complete(task)
    assert len(outcomes) == 3
    with sqlite3.connect(f"{tmp_path}/interrupted.db") as check:
        assert check.execute("SELECT count(*) FROM item").fetchone() == (0,)
    check.close()
