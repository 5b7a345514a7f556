"""PostgreSQL: what a server adds: conflicts, lost connections, notifications."""

import asyncio
import traceback

import asyncpg
import pytest
from sqlalchemy import Text, bindparam, func, select

from corpid.storage.database import Transaction, open_database
from corpid.storage.errors import StorageBusy, StorageError, StorageUnavailable
from corpid.storage.statement import Statement
from tests.storage.executor.tables import COUNT, GET, IDS, RENAME, inserting
from tests.support import postgres

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)

PASSWORD = "hunter2"
IMPATIENT = 1.0
"""Seconds: as long as connecting takes on a busy machine, for the deadline is for that as well."""

# These stand for a unit that takes long, and end it in the server, not by the clock of the test.
TAKE_LOCK = Statement(select(func.pg_advisory_xact_lock(bindparam("key")).cast(Text())))


def taking(key: int):
    async def work(tx: Transaction):
        await tx.one(TAKE_LOCK, key=key)

    return work


@pytest.fixture
async def rival(database_url):
    """A connection of somebody else."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def until_blocked(rival: asyncpg.Connection, waiting: int = 1) -> None:
    """Return as soon as so many others wait for a lock."""
    while True:
        found = await rival.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
        if found >= waiting:
            return


async def test_a_deadlock_is_resolved_by_running_a_unit_again(database, database_url, rival):
    name = await rival.fetchval("SELECT current_database()")
    await rival.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'")
    fresh = await open_database(database_url)
    for id_ in (1, 2):
        await database.write(inserting(id_))
    attempts: list[int] = []

    def renaming(first: int, second: int):
        async def work(tx: Transaction):
            attempts.append(first)
            await tx.execute(RENAME, the_id=first, label=f"{first} by {first}")
            # The rival holds this until both units have their first row.
            await tx.one(TAKE_LOCK, key=first)
            await tx.execute(RENAME, the_id=second, label=f"{second} by {first}")

        return work

    await rival.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)")
    units = [asyncio.create_task(fresh.write(renaming(*pair))) for pair in ((1, 2), (2, 1))]
    await until_blocked(rival, 2)
    await rival.execute("SELECT pg_advisory_unlock_all()")
    await asyncio.gather(*units)
    assert len(attempts) > 2
    labels = [(await fresh.one(GET, id=id_))[1].split() for id_ in (1, 2)]
    assert labels[0][2] == labels[1][2]  # both rows are by the unit that came last
    await fresh.close()


async def test_a_row_lock_that_is_not_released_is_busy(database, database_url, rival):
    await database.write(inserting(1))
    impatient = await open_database(database_url, deadline=IMPATIENT)
    async with rival.transaction():
        await rival.execute("UPDATE item SET label = 'mine'")

        async def work(tx: Transaction):
            await tx.execute(RENAME, the_id=1, label="ours")

        with pytest.raises(StorageBusy):
            await impatient.write(work)
    await impatient.write(work)
    assert (await impatient.one(GET, id=1))[1] == "ours"
    await impatient.close()


async def test_no_free_connection_is_busy(database_url, rival):
    narrow = await open_database(database_url, deadline=IMPATIENT, max_connections=1)
    await rival.execute("SELECT pg_advisory_lock(1)")
    # Begun together, so that neither deadline leaves the other time to get the connection.
    slow = asyncio.create_task(narrow.write(taking(1)))
    waiting = asyncio.create_task(narrow.one(COUNT))
    outcomes = await asyncio.gather(waiting, slow, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageBusy] * 2
    assert await narrow.one(COUNT) == (0,)
    await narrow.close()


async def test_a_lost_connection_is_unavailable_and_replaced(database, rival):
    await rival.execute("SELECT pg_advisory_lock(1)")
    unit = asyncio.create_task(database.write(taking(1)))
    await until_blocked(rival)
    await rival.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'corpid' AND datname = current_database()"
    )
    with pytest.raises(StorageUnavailable):
        await unit
    assert await database.write(inserting(1)) == 1
    assert await database.all(IDS) == [(1,)]


async def test_a_unit_cancelled_in_the_server_leaves_a_usable_connection(database_url, rival):
    narrow = await open_database(database_url, max_connections=1)
    await rival.execute("SELECT pg_advisory_lock(1)")

    async def work(tx: Transaction):
        await inserting(1)(tx)
        await tx.one(TAKE_LOCK, key=1)

    unit = asyncio.create_task(narrow.write(work))
    await until_blocked(rival)
    unit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unit
    assert await narrow.one(COUNT) == (0,)
    await narrow.close()


async def test_subscribers_hear_of_committed_notifications_only(database, database_url):
    other = await open_database(database_url)
    heard: asyncio.Queue[str] = asyncio.Queue()
    await other.subscribe("changes", lambda: heard.put_nowait("changes"))
    await other.subscribe("changes", lambda: heard.put_nowait("again"))
    await other.subscribe("Mixed Case", lambda: heard.put_nowait("mixed"))

    def notifying(channel: str, *, fail: bool):
        async def work(tx: Transaction):
            await tx.notify(channel)
            if fail:
                raise LookupError

        return work

    with pytest.raises(LookupError):
        await database.write(notifying("changes", fail=True))
    await database.write(notifying("Mixed Case", fail=False))
    await database.write(notifying("changes", fail=False))
    assert [await heard.get() for _ in range(3)] == ["mixed", "changes", "again"]
    await other.close()


async def test_subscribers_are_called_after_a_gap(database, rival, caplog):
    """What was notified while nobody listened may have been missed, so they had better look."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.subscribe("changes", lambda: heard.put_nowait("x"))
    await rival.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'corpid listener' AND datname = current_database()"
    )
    assert await heard.get() == "x"
    await rival.execute("NOTIFY changes")
    assert await heard.get() == "x"
    assert "listens for changes" in caplog.text


async def test_an_unreachable_server_is_unavailable_and_shows_no_password(tmp_path, engine):
    with pytest.raises(StorageUnavailable) as caught:
        await open_database(f"postgresql://user:{PASSWORD}@/db?host={tmp_path}")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_missing_database_is_said(database_url):
    missing = database_url.replace("/corpid_", "/missing_")
    with pytest.raises(StorageUnavailable, match="no such database"):
        await open_database(missing)


async def test_a_missing_table_is_said(engine):
    url = await postgres.new_database()
    database = await open_database(url)
    with pytest.raises(StorageError, match="does not exist"):
        await database.one(COUNT)
    await database.close()
    await postgres.drop_database(url)


async def test_a_schema_that_changed_under_prepared_statements_is_survived(database, rival):
    await database.write(inserting(1))
    everything = Statement(select(COUNT._constructs["postgresql"].subquery()))

    async def work(tx: Transaction):
        return await tx.one(GET, id=1), await tx.one(everything)

    await database.write(work)
    await rival.execute("ALTER TABLE item ALTER COLUMN count TYPE BIGINT")
    assert (await database.write(work))[1] == (1,)
