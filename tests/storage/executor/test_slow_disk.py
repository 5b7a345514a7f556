"""SQLite on a disk that is slow: the event loop serves others while a commit waits for it."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from typing import cast

import pytest

from corpid.storage import group_commit, sqlite_disk
from corpid.storage.database import Transaction, open_database
from corpid.storage.errors import IntegrityViolation, StorageUnavailable
from corpid.storage.sqlite_disk import MAX_FRAMES, REMEMBERED, SLOW, SLOW_IN_THREAD, Pace
from tests.storage.executor.tables import COUNT, IDS, INSERT_PROMISE, inserting

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def path(database_url: str) -> str:
    return database_url.removeprefix("sqlite:///")


class Disk:
    """Commits end when they are let, in whatever thread they run."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.begun = asyncio.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._loop = asyncio.get_running_loop()

    def commit(self, connection: sqlite3.Connection) -> float:
        self.threads.append(threading.current_thread())
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go_on.wait(10)
        return sqlite_disk.commit(connection) + 2 * SLOW_IN_THREAD


@pytest.fixture
async def disk(database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(group_commit, "commit", disk.commit)
    yield disk
    disk.go_on.set()  # whatever went wrong: closing the database waits for it


@pytest.fixture
async def slow(disk, database) -> Disk:
    """One slow commit has been seen; the next are held until `go_on` is set."""
    await database.write(inserting(0))
    assert disk.threads == [threading.main_thread()]
    disk.threads.clear()
    disk.begun.clear()
    disk.go_on.clear()
    return disk


async def test_after_a_slow_commit_the_loop_goes_on_during_the_next(slow, database):
    write = asyncio.create_task(database.write(inserting(1)))
    await slow.begun.wait()
    # Others are served, and see what has been committed; nobody is answered too early.
    assert await database.one(COUNT) == (1,)
    assert await database.all(IDS) == [(0,)]
    assert not write.done()
    slow.go_on.set()
    assert await write == 1
    assert await database.one(COUNT) == (2,)
    assert slow.threads != [threading.main_thread()]


async def test_units_that_come_meanwhile_share_the_next_commit(slow, database):
    first = asyncio.create_task(database.write(inserting(1)))
    await slow.begun.wait()
    others = [asyncio.create_task(database.write(inserting(id_))) for id_ in range(2, 10)]
    assert await database.one(COUNT) == (1,)
    slow.go_on.set()
    assert await asyncio.gather(first, *others) == list(range(1, 10))
    assert len(slow.threads) == 2


def none_left(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


async def test_where_no_thread_can_be_started_commits_stay_on_the_loop(
    slow, database, monkeypatch: pytest.MonkeyPatch
):
    """A bound of threads is reached: nobody is told of a failure of what is committed later."""
    slow.go_on.set()
    with monkeypatch.context() as bound:
        bound.setattr(threading.Thread, "start", none_left)
        assert await database.write(inserting(1)) == 1
    assert slow.threads == [threading.main_thread()]
    assert await database.write(inserting(2)) == 2
    assert slow.threads[1] != threading.main_thread()
    assert await database.all(IDS) == [(0,), (1,), (2,)]


async def test_a_commit_that_fails_in_the_thread_is_everybodys_failure(slow, database):
    async def orphan(tx: Transaction):
        await tx.execute(INSERT_PROMISE, id=1, item_id=99)  # checked at the commit

    slow.go_on.set()
    outcomes = await asyncio.gather(
        database.write(inserting(1)), database.write(orphan), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [IntegrityViolation] * 2
    assert await database.all(IDS) == [(0,)]
    assert await database.write(inserting(3)) == 3


async def test_what_else_ends_a_commit_in_the_thread_is_not_lost(slow, database, monkeypatch):
    def lost(_: sqlite3.Connection) -> float:
        raise MemoryError

    heard: list[type[BaseException]] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: heard.append(type(context["exception"]))
    )
    monkeypatch.setattr(group_commit, "commit", lost)
    with pytest.raises(StorageUnavailable, match="MemoryError"):
        await database.write(inserting(1))
    assert heard == [MemoryError]
    monkeypatch.setattr(group_commit, "commit", sqlite_disk.commit)
    assert await database.write(inserting(2)) == 2
    assert await database.all(IDS) == [(0,), (2,)]


async def test_closing_waits_for_a_commit_in_the_thread(slow, database, database_url):
    write = asyncio.create_task(database.write(inserting(1)))
    await slow.begun.wait()
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable, match="closed"):
        await database.one(COUNT)
    assert not closing.done()
    slow.go_on.set()
    await closing
    assert await write == 1
    again = await open_database(database_url)
    assert await again.all(IDS) == [(0,), (1,)]
    await again.close()


async def test_while_another_process_writes_commits_run_in_the_thread(disk, database, path):
    other = sqlite3.connect(path, isolation_level=None)
    tried = asyncio.Event()
    database._connection.set_trace_callback(lambda _: tried.set())
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(database.write(inserting(1)))
    await tried.wait()
    other.execute("ROLLBACK")
    other.close()
    assert await write == 1
    assert len(disk.threads) == 1
    assert disk.threads != [threading.main_thread()]


@pytest.mark.parametrize(("in_thread", "bound"), [(False, SLOW), (True, SLOW_IN_THREAD)])
def test_a_disk_that_is_quick_again_is_believed_after_a_while(engine, in_thread, bound):
    pace = Pace()
    assert not pace.is_slow(0.0)
    pace.took(bound, 10.0, in_thread=in_thread)
    assert not pace.is_slow(10.0)
    pace.took(bound * 1.5, 20.0, in_thread=in_thread)
    assert pace.is_slow(20.0 + REMEMBERED - 1)
    assert not pace.is_shared(20.0)
    pace.took(bound / 2, 20.0 + REMEMBERED - 1, in_thread=in_thread)  # makes it no longer
    assert not pace.is_slow(20.0 + REMEMBERED)


def test_another_process_is_forgotten_after_a_while(engine):
    pace = Pace()
    pace.shared(10.0)
    assert pace.is_slow(10.0)
    assert pace.is_shared(10.0 + REMEMBERED - 1)
    assert not pace.is_shared(10.0 + REMEMBERED)
    assert not pace.is_slow(10.0 + REMEMBERED)


# -- checkpoints ---------------------------------------------------------------------------------


def in_the_file(path: str) -> int:
    """Items in the database file alone, without its journal."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        (count,) = connection.execute("SELECT count(*) FROM item").fetchone()
    finally:
        connection.close()
    return int(count)


async def checkpointed(database) -> None:
    """The checkpoint that is under way has ended."""
    await database._checkpoints.close()
    await asyncio.sleep(0)
    assert not database._checkpoints.running


async def test_the_journal_is_moved_where_nobody_waits_for_it(database, path, monkeypatch):
    monkeypatch.setattr(sqlite_disk, "CHECKPOINT_CHANGES", 5)
    threads: list[threading.Thread] = []
    move = sqlite_disk.checkpoint

    def noted(connection: sqlite3.Connection) -> None:
        threads.append(threading.current_thread())
        move(connection)

    monkeypatch.setattr(sqlite_disk, "checkpoint", noted)
    for id_ in range(4):
        await database.write(inserting(id_))
    assert (in_the_file(path), threads) == (0, [])
    await database.write(inserting(4))
    await checkpointed(database)
    assert in_the_file(path) == 5
    assert len(threads) == 1
    assert threads != [threading.main_thread()]


@pytest.mark.parametrize(("frames", "restarts"), [(MAX_FRAMES, 0), (MAX_FRAMES + 1, 1)])
def test_others_wait_only_for_a_journal_that_has_grown_too_far(engine, frames, restarts):
    said: list[str] = []

    class Connection:
        def execute(self, sql: str) -> "Connection":
            said.append(sql)
            return self

        def fetchone(self) -> tuple[int, int, int]:
            return 0, frames, 1

    sqlite_disk.checkpoint(cast("sqlite3.Connection", Connection()))
    assert said[0] == "PRAGMA wal_checkpoint(PASSIVE)"
    assert said.count("PRAGMA wal_checkpoint(RESTART)") == restarts
    assert said[-1] in {said[0], "PRAGMA busy_timeout=0"}


async def test_a_journal_that_cannot_be_moved_is_reported(database, path, monkeypatch, caplog):
    def broken(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite_disk, "CHECKPOINT_CHANGES", 1)
    monkeypatch.setattr(sqlite_disk, "checkpoint", broken)
    with caplog.at_level(logging.WARNING):
        await database.write(inserting(1))
        await checkpointed(database)
    assert "not moved into the database: disk I/O error" in caplog.text
    monkeypatch.undo()
    assert await database.write(inserting(2)) == 2


async def test_where_no_thread_can_be_started_the_journal_waits(
    database, path, monkeypatch, caplog
):
    monkeypatch.setattr(sqlite_disk, "CHECKPOINT_CHANGES", 2)
    with monkeypatch.context() as bound, caplog.at_level(logging.WARNING):
        bound.setattr(threading.Thread, "start", none_left)
        for id_ in range(2):
            assert await database.write(inserting(id_)) == id_
    assert "no thread can be started" in caplog.text
    assert in_the_file(path) == 0
    for id_ in range(2, 4):
        await database.write(inserting(id_))
    await checkpointed(database)
    assert in_the_file(path) == 4
