"""No entry is given out twice, not even after a restore: lists that were open are left for new."""

import secrets
from pathlib import Path

import pytest

from corpid.services.status_lists import StatusAllocator
from corpid.services.status_publisher import StatusPublisher
from corpid.services.status_reopening import StatusReopening
from corpid.storage.database import Database, open_database
from corpid.storage.errors import StorageError
from corpid.storage.lineage import lineage
from corpid.storage.sqlite_backup import backup
from corpid.storage.store import SqlStore
from tests.support import postgres
from tests.support.issuer_world import STATUS_URL, World

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def reopening(world: World) -> StatusReopening:
    return StatusReopening(world.store, world.master, world.clock, secrets.token_bytes)


def allocator(world: World, database: Database | None = None) -> StatusAllocator:
    """That of another process."""
    store = world.store
    if database is not None:
        store = SqlStore(database, world.clock, secrets.token_bytes)
    return StatusAllocator(store, world.master, world.clock, secrets.token_bytes)


async def lists_of(taker: StatusAllocator, count: int = 40) -> set[str]:
    return {(await taker.reserve()).list_id for _ in range(count)}


async def test_after_reopening_entries_come_from_new_lists_only(world: World) -> None:
    before = await lists_of(allocator(world))
    closed = await reopening(world).reopen("operator:test", "a test")
    assert before <= set(closed)
    assert await lists_of(allocator(world)) & set(closed) == set()
    assert len(await reopening(world).open_lists()) == 3


async def test_a_running_process_leaves_the_blocks_that_it_holds(world: World) -> None:
    publisher = StatusPublisher(
        world.store, world.keys, world.clock, STATUS_URL, closed=world.allocator.drop
    )
    await publisher.refresh()
    await lists_of(world.allocator)  # it holds blocks now
    closed = await reopening(world).reopen("operator:test", "a test")
    await publisher.refresh()
    assert await lists_of(world.allocator) & set(closed) == set()
    # They are served on: what was issued keeps its status.
    assert all(publisher.current(one) is not None for one in closed)


@sqlite_only
async def test_a_restored_backup_gives_no_entry_twice(
    world: World, database_url: str, tmp_path: Path
) -> None:
    """The fault itself: a copy, entries after it, and the copy in the place of the database."""
    live = Path(database_url.removeprefix("sqlite:///"))
    await lists_of(allocator(world))
    copy = tmp_path / "backup.db"
    assert backup(live, copy, world.now_ms()) > 0
    after = [await allocator(world).reserve() for _ in range(200)]
    restored = await open_database(f"sqlite:///{copy}")
    try:
        taker = allocator(world, restored)
        again = [await taker.reserve() for _ in range(200)]
    finally:
        await restored.close()
    assert not set(after) & set(again)
    assert not {one.list_id for one in after} & {one.list_id for one in again}


@sqlite_only
async def test_a_plain_copy_would_give_them_twice(
    world: World, database_url: str, tmp_path: Path
) -> None:
    """Why there is the command: without it the counter counts over what was given out."""
    import sqlite3
    from contextlib import closing

    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as live,
        closing(sqlite3.connect(copy)) as target,
    ):
        live.backup(target)
    after = {await world.allocator.reserve() for _ in range(60)}
    restored = await open_database(f"sqlite:///{copy}")
    try:
        taker = allocator(world, restored)
        assert after & {await taker.reserve() for _ in range(60)}
        store = SqlStore(restored, world.clock, secrets.token_bytes)
        await StatusReopening(store, world.master, world.clock, secrets.token_bytes).reopen(
            "operator:test", "restored"
        )
        taker = allocator(world, restored)
        assert not after & {await taker.reserve() for _ in range(60)}
    finally:
        await restored.close()


@sqlite_only
async def test_a_backup_is_whole_private_and_overwrites_nothing(
    world: World, database_url: str, tmp_path: Path
) -> None:
    live, copy = Path(database_url.removeprefix("sqlite:///")), tmp_path / "backup.db"
    backup(live, copy, world.now_ms())
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not any(copy.with_name(copy.name + end).exists() for end in ("-wal", "-shm"))
    with pytest.raises(StorageError, match="already"):
        backup(live, copy, world.now_ms())
    with pytest.raises(StorageError, match="cannot be written"):
        backup(live, tmp_path / "nowhere" / "backup.db", world.now_ms())
    with pytest.raises(StorageError, match="could not be made"):
        backup(tmp_path / "no.db", tmp_path / "other.db", world.now_ms())
    assert not (tmp_path / "other.db").exists()


@sqlite_only
async def test_another_lineage_reopens_once(world: World) -> None:
    follow = reopening(world).follow
    assert await follow("cluster-1/1/100") == []  # the first look
    assert await follow("cluster-1/1/100") == []
    open_before = await reopening(world).open_lists()
    assert sorted(await follow("cluster-1/2/100")) == sorted(open_before)
    assert await follow("cluster-1/2/100") == []
    assert len(await reopening(world).open_lists()) == 3
    assert await follow("") == []  # not known: nothing is done


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_on_postgresql_a_dump_that_was_read_in_is_another_lineage(
    world: World, database_url: str
) -> None:
    before = await lineage(world.database)
    assert before == await lineage(world.database)
    cluster, timeline, table = before.split("/")
    assert cluster.isdigit()
    assert timeline == "00000001"
    assert table.isdigit()
    # As a dump does it: the table made anew, with the same rows.
    await postgres.execute(
        database_url,
        "ALTER TABLE status_list RENAME TO was",
        "CREATE TABLE status_list AS SELECT * FROM was",
    )
    assert await lineage(world.database) != before


@sqlite_only
async def test_sqlite_shows_no_lineage(world: World) -> None:
    assert await lineage(world.database) == ""
