"""SQLite beside other processes: the event loop never stands still, and the file is safe."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpid.storage.database import Transaction, open_database
from corpid.storage.errors import (
    StorageBusy,
    StorageError,
    StorageUnavailable,
)
from corpid.storage.sqlite_connection import connect
from tests.storage.executor.tables import (
    COUNT,
    IDS,
    INSERT,
    inserting,
    row,
)

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(database_url: str) -> str:
    return database_url.removeprefix("sqlite:///")


HOLDER = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.readline()
    connection.execute("COMMIT")
    print("released", flush=True)
    connection.close()
"""


@contextmanager
def another_process_holds(path: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate("\n")


class Lag:
    """The longest time, in seconds, for which the loop did not come round."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(0.001)
            now = loop.time()
            self.worst, before = max(self.worst, now - before), now

    async def stop(self) -> float:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.worst


async def test_waits_for_another_process_without_stopping_the_loop(database, path):
    tried = asyncio.Event()
    attempts: list[str] = []

    def note(sql: str) -> None:
        attempts.append(sql)
        if attempts.count("BEGIN IMMEDIATE") == 10:
            tried.set()

    with another_process_holds(path) as process:
        database._connection.set_trace_callback(note)
        lag = Lag()
        writes = [asyncio.create_task(database.write(inserting(id_))) for id_ in range(3)]
        await tried.wait()
        assert not any(write.done() for write in writes)
        assert await database.one(COUNT) == (0,)  # readers do not wait
        worst = await lag.stop()
        process.stdin.write("\n")
        process.stdin.flush()
        assert await asyncio.gather(*writes) == [0, 1, 2]
    assert worst < 1.0  # a driver that waits by itself would have taken its whole timeout
    assert await database.all(IDS) == [(0,), (1,), (2,)]


async def test_gives_up_after_the_deadline(path):
    database = await open_database(f"sqlite:///{path}", deadline=0.05)
    with another_process_holds(path):
        outcomes = await asyncio.gather(
            *(database.write(inserting(id_)) for id_ in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [StorageBusy] * 3
        with pytest.raises(StorageBusy):
            await database.bulk(inserting(7))
    assert await database.write(inserting(9)) == 9
    assert await database.all(IDS) == [(9,)]
    await database.close()


async def test_cancelled_while_waiting_is_not_run(database, path):
    tried = asyncio.Event()
    database._connection.set_trace_callback(lambda _: tried.set())
    with another_process_holds(path) as process:
        writes = [asyncio.create_task(database.write(inserting(id_))) for id_ in range(3)]
        await tried.wait()
        writes[0].cancel()
        process.stdin.write("\n")
        process.stdin.flush()
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert type(outcomes[0]) is asyncio.CancelledError
    assert outcomes[1:] == [1, 2]
    assert await database.all(IDS) == [(1,), (2,)]


async def test_a_bulk_unit_in_this_process_does_not_stop_the_loop(database):
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    go_on = threading.Event()

    async def slow(tx: Transaction):
        await tx.execute(INSERT, **row(100))
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)  # stands for a long import: this is not the loop's thread

    bulk = asyncio.create_task(database.bulk(slow))
    await begun.wait()
    write = asyncio.create_task(database.write(inserting(1)))
    assert await database.one(COUNT) == (0,)
    assert not write.done()
    go_on.set()
    await bulk
    assert await write == 1
    assert await database.all(IDS) == [(1,), (100,)]


FORKING = """
    import asyncio, os
    from corpid.storage.database import open_database
    from corpid.storage.errors import StorageUnavailable
    from tests.storage.executor.tables import COUNT, inserting

    async def child(database):
        for call in (database.one(COUNT), database.write(inserting(1))):
            try:
                await call
            except StorageUnavailable as error:
                assert "fork" in str(error)
            else:
                raise AssertionError("used across a fork")

    async def main():
        database = await open_database(os.environ["DATABASE"])
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                coroutine = child(database)
                try:
                    coroutine.send(None)
                except StopIteration:
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        print(await database.write(inserting(5)), await database.one(COUNT))
        await database.close()

    asyncio.run(main())
"""


def test_a_child_process_may_not_use_its_parents_connection(database_url):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FORKING)],
        env=os.environ | {"DATABASE": database_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "5 (1,)\n"), done.stderr


# -- the file ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("durable")
async def test_the_file_is_private_durable_and_checked(tmp_path, engine):
    path = tmp_path / "new.db"
    old = os.umask(0)
    try:
        database = await open_database(f"sqlite:///{path}")
        database._connection.execute("CREATE TABLE t(x)")
    finally:
        os.umask(old)
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        assert file.stat().st_mode & 0o777 == 0o600
    settings = {
        name: database._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 0,
    }
    await database.close()


async def test_a_relative_path_and_escapes_are_understood(tmp_path, monkeypatch, engine):
    monkeypatch.chdir(tmp_path)
    database = await open_database("sqlite:///a%20b.db")
    assert (tmp_path / "a b.db").exists()
    await database.close()


# A connection in WAL mode keeps a shared lock on these bytes of the file. Without it another
# process that closes would take itself for the last one and remove the journal.
LOCKED_FROM, LOCKED_BYTES = 0x40000002, 510
TRY_LOCK = """
    import fcntl, sys
    with open(sys.argv[1], "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, int(sys.argv[3]), int(sys.argv[2]))
        except OSError:
            print("held")
"""


async def test_opening_does_not_drop_the_locks_of_this_process(database, path):
    """POSIX locks go when a process closes any descriptor of the file."""
    await database.one(COUNT)
    connect(path, read_only=True).close()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(TRY_LOCK)),
        *(path, str(LOCKED_FROM), str(LOCKED_BYTES)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert said == b"held\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("no/such/directory/x.db", None, "cannot make"), ("text.db", b"no database " * 99, "not a")],
)
async def test_what_cannot_be_opened_is_unavailable(tmp_path, engine, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StorageUnavailable, match=message):
        await open_database(f"sqlite:///{tmp_path}/{name}")


async def test_a_read_only_database_is_unavailable_for_writing(database):
    database._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable, match="read-only"):
        await database.write(inserting(1))


async def test_a_missing_table_is_said(tmp_path, engine):
    database = await open_database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(StorageError, match="no such table"):
        await database.one(COUNT)
    with pytest.raises(StorageError, match="no such table"):
        await database.write(inserting(1))
    await database.close()


async def test_subscribing_is_accepted_and_silent(database):
    called: list[bool] = []
    await database.subscribe("changes", lambda: called.append(True))

    async def work(tx: Transaction):
        await tx.notify("changes")

    await database.write(work)
    assert called == []
