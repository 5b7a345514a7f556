"""Signed lists, what was not valid when, and lists that give no more entries."""

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.services.records import StatusTokenRow
from corpid.storage.store import SqlStore
from tests.support.stored import DAY, NOW, populate


def token(version: int, at: int) -> StatusTokenRow:
    text = f"token-{version}-{at}"
    return StatusTokenRow("list-1", version, NOW + at, NOW + at + DAY, text, text.encode())


async def test_a_signed_list_does_not_replace_a_newer_one(store: SqlStore) -> None:
    await populate(store)
    stored = [
        await store.write(
            lambda u, v=version, t=at: u.status_lists.publish(token(v, t), NOW + 9)  # type: ignore[misc]
        )
        for version, at in ((0, 5), (0, 4), (0, 6), (2, 1), (1, 9))
    ]
    assert stored == [True, False, True, True, False]
    assert await store.read.status_lists.token("list-1") == token(2, 1)
    (head,) = await store.read.status_lists.heads()
    assert (head.token_version, head.token_at) == (2, NOW + 1)
    assert await store.read.status_lists.token("unknown") is None


async def test_a_token_from_a_clock_that_was_ahead_gives_way(store: SqlStore) -> None:
    await populate(store)
    assert await store.write(lambda u: u.status_lists.publish(token(3, 3600), NOW))
    assert await store.write(lambda u: u.status_lists.publish(token(3, 0), NOW))
    assert not await store.write(lambda u: u.status_lists.publish(token(2, 5), NOW))
    assert await store.read.status_lists.token("list-1") == token(3, 0)


async def test_what_was_not_valid_at_a_time_is_known(store: SqlStore) -> None:
    await populate(store)
    one, two = StatusEntry("list-1", 1), StatusEntry("list-1", 2)
    for at, entry, value in (
        (10, one, EntryStatus.SUSPENDED),
        (20, one, EntryStatus.VALID),
        (30, two, EntryStatus.INVALID),
        (40, one, EntryStatus.INVALID),
    ):
        await store.write(
            lambda u, a=at, e=entry, v=value: u.status_lists.set_status(e, v, NOW + a)  # type: ignore[misc]
        )
    history = {
        at: dict(await store.read.status_lists.not_valid_at("list-1", NOW + at))
        for at in (9, 10, 19, 20, 30, 39, 40)
    }
    suspended, invalid = EntryStatus.SUSPENDED, EntryStatus.INVALID
    assert history == {
        9: {},
        10: {1: suspended},
        19: {1: suspended},
        20: {},
        30: {2: invalid},
        39: {2: invalid},
        40: {1: invalid, 2: invalid},
    }


async def test_a_clock_that_went_back_does_not_reorder_history(store: SqlStore) -> None:
    await populate(store)
    entry = StatusEntry("list-1", 1)
    for at, value in ((100, EntryStatus.SUSPENDED), (50, EntryStatus.INVALID)):
        await store.write(
            lambda u, a=at, v=value: u.status_lists.set_status(entry, v, NOW + a)  # type: ignore[misc]
        )
    read = store.read.status_lists.not_valid_at
    assert await read("list-1", NOW + 60) == []
    assert await read("list-1", NOW + 100) == [(1, EntryStatus.INVALID)]


async def test_a_closed_list_is_closed_once(store: SqlStore) -> None:
    await populate(store)
    assert await store.write(lambda u: u.status_lists.close("list-1", NOW))
    assert not await store.write(lambda u: u.status_lists.close("list-1", NOW))
    (head,) = await store.read.status_lists.heads()
    assert head.closed_at == NOW
    assert await store.write(lambda u: u.status_lists.reserve("list-1", 1)) is None
