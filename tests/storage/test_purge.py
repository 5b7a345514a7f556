"""Bounded storage: what has outlived its use goes, what still counts stays."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.services.issuance_batches import KEPT_MS, IssuanceBatch
from corpid.services.ports import UnitOfWork
from corpid.services.records import InitialToken, OutboxMessage, Tries
from corpid.storage.constructs import table
from corpid.storage.database import Database
from corpid.storage.purge import (
    DELIVERED_KEPT,
    HISTORY_KEPT,
    OFFERS_KEPT,
    REUSE_SEEN,
    TOKENS_KEPT,
    UNDELIVERED_KEPT,
    purge,
)
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from tests.support.stored import (
    DAY,
    MINUTE,
    NOW,
    access_token,
    code,
    credential_row,
    dated_key,
    deferred_issuance,
    digest,
    grant,
    interaction,
    offer,
    polled_request,
    populate,
    pushed_request,
    refresh_token,
    session,
)

PURGED = (
    "replay",
    "pushed_request",
    "polled_request",
    "interaction",
    "authorization_code",
    "access_token",
    "narrowed_token",
    "refresh_token",
    "authorization_grant",
    "session",
    "managed_grant",
    "guess",
    "registration_token",
    "credential_offer",
    "deferred_issuance",
    "issuance_batch",
    "status_history",
    "outbox",
)


async def counts(database: Database) -> dict[str, int]:
    found = {}
    for name in PURGED:
        row = await database.one(Statement(select(func.count()).select_from(table(name))))
        assert row is not None
        found[name] = row[0]
    return found


async def fill(store: SqlStore) -> None:
    """One row of everything that expires; the grant and the refresh token after a day."""
    await populate(store)

    async def work(uow: UnitOfWork) -> None:
        writes = uow.provider_writes
        await writes.use_once(digest("jti"), NOW + MINUTE)
        await writes.add_pushed_request(pushed_request())
        await writes.add_polled_request(polled_request())
        await writes.add_grant(grant())
        await writes.add_handle(grant(handle="cid_gr_1"))
        await writes.add_code(code())
        await writes.add_access_token(access_token())
        await writes.narrow_access_token(access_token(), ())
        await writes.add_refresh_token(refresh_token())
        await uow.sign_ins.add_interaction(interaction())
        await uow.sign_ins.add_session(session())
        await uow.guesses.keep(b"slot", Tries(1, NOW), NOW + DAY)
        await uow.credentials.add_offer(offer())
        await uow.credentials.add(credential_row())
        await uow.deferred_issuances.add(deferred_issuance())
        await uow.issuance_batches.add(IssuanceBatch("batch", "operator:test", NOW))
        entry = StatusEntry("list-1", 900)
        for status in (EntryStatus.SUSPENDED, EntryStatus.VALID):
            await uow.status_lists.set_status(entry, status, NOW)
        await uow.registrations.add_initial_token(
            InitialToken("t", b"h" * 32, "", None, 1, NOW, NOW + DAY)
        )
        await uow.operations.enqueue(OutboxMessage(b"id", "logout", b"{}", NOW, NOW))
        await uow.operations.audit("something.happened", {})

    await store.write(work)


async def test_nothing_that_counts_is_deleted(store: SqlStore, database: Database) -> None:
    await fill(store)
    deleted = await purge(database, NOW + MINUTE)
    assert deleted == dict.fromkeys(PURGED, 0)
    assert await counts(database) == dict.fromkeys(PURGED, 1)


DATED = ("pushed_request", "authorization_code", "access_token", "narrowed_token")


async def test_a_dated_key_is_found_in_its_order_and_goes_after_its_end(
    store: SqlStore, database: Database
) -> None:
    await populate(store)
    ends = NOW + 5 * MINUTE

    async def work(uow: UnitOfWork) -> None:
        for number in range(3):
            at = ends + number
            token = access_token(token_hash=dated_key(at, digest(f"t{number}")), expires_at=at)
            await uow.provider_writes.add_access_token(token)

    await store.write(work)
    assert (await purge(database, ends))["access_token"] == 0
    assert (await purge(database, ends + 2))["access_token"] == 2


@pytest.mark.parametrize("name", DATED)
def test_what_has_a_dated_key_is_purged_without_an_index(name: str) -> None:
    assert not any(index.name.endswith("_expiry") for index in table(name).indexes)


@pytest.mark.parametrize(
    ("name", "at"),
    {
        "replay": NOW + MINUTE,
        "pushed_request": NOW + MINUTE + REUSE_SEEN,
        "authorization_code": NOW + MINUTE + REUSE_SEEN,
        "interaction": NOW + MINUTE,
        "access_token": NOW + 5 * MINUTE,
        "narrowed_token": NOW + 5 * MINUTE,
        "refresh_token": NOW + DAY,
        "session": NOW + DAY,
        "managed_grant": NOW + DAY + REUSE_SEEN,
        "guess": NOW + DAY,
        "registration_token": NOW + DAY + TOKENS_KEPT,
        "authorization_grant": NOW + DAY + REUSE_SEEN,
        "credential_offer": NOW + DAY + OFFERS_KEPT,
        "deferred_issuance": NOW + DAY + OFFERS_KEPT,
        "issuance_batch": NOW + KEPT_MS,
        "status_history": NOW + HISTORY_KEPT,
    }.items(),
)
async def test_a_row_goes_when_it_has_outlived_its_use(
    store: SqlStore, database: Database, name: str, at: int
) -> None:
    await fill(store)
    assert (await purge(database, at))[name] == 0
    assert (await purge(database, at + 1))[name] == 1
    assert (await counts(database))[name] == 0


async def test_a_delivered_message_goes_after_a_week_an_undelivered_one_after_a_month(
    store: SqlStore, database: Database
) -> None:
    await fill(store)
    assert (await purge(database, NOW + UNDELIVERED_KEPT))["outbox"] == 0
    delivered = Statement(update(table("outbox")).values(delivered_at=NOW))

    async def work(transaction: Any) -> int:
        return int(await transaction.execute(delivered))

    await database.write(work)
    assert (await purge(database, NOW + DELIVERED_KEPT))["outbox"] == 0
    assert (await purge(database, NOW + DELIVERED_KEPT + 1))["outbox"] == 1


async def test_a_message_that_nobody_takes_is_given_up(store: SqlStore, database: Database) -> None:
    await fill(store)
    assert (await purge(database, NOW + UNDELIVERED_KEPT))["outbox"] == 0
    assert (await purge(database, NOW + UNDELIVERED_KEPT + 1))["outbox"] == 1


async def test_a_token_is_dead_when_its_grant_is_gone(store: SqlStore, database: Database) -> None:
    """No token is made to outlive its grant; were there one, it would not count."""
    await populate(store)
    token = access_token(expires_at=NOW + DAY)

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_grant(grant(expires_at=NOW))
        await uow.provider_writes.add_access_token(token)

    await store.write(work)
    assert await store.read.provider_reads.access_token(token.token_hash) is not None
    assert (await purge(database, NOW + REUSE_SEEN))["authorization_grant"] == 0
    assert (await purge(database, NOW + REUSE_SEEN + 1))["authorization_grant"] == 1
    assert await store.read.provider_reads.access_token(token.token_hash) is None


async def test_evidence_stays(store: SqlStore, database: Database) -> None:
    await fill(store)
    await purge(database, NOW + 10_000 * DAY)
    assert await store.read.credentials.by_id("cred-1") is not None
    assert len(await store.read.operations.audit_rows(10)) == 1
    assert await store.read.authority.mandate("man-1") is not None


@pytest.mark.parametrize("count", [0, 1, 6, 7])
async def test_many_rows_go_in_small_batches(
    store: SqlStore, database: Database, count: int
) -> None:
    for number in range(count):
        await store.provider.write(
            lambda w, n=number: w.use_once(digest(str(n)), NOW)  # type: ignore[misc]
        )
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    assert (await purge(database, NOW + 1, batch=3, pause=pause))["replay"] == count
    assert len(pauses) == count // 3
    assert all(seconds > 0 for seconds in pauses)
    assert (await counts(database))["replay"] == 0


async def test_a_grant_stays_as_long_as_its_session_goes_on(
    store: SqlStore, database: Database
) -> None:
    """It says whom to tell when that ends."""
    await populate(store)

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_grant(grant(expires_at=NOW))
        await uow.sign_ins.add_session(session(expires_at=NOW + DAY))

    await store.write(work)
    assert (await purge(database, NOW + DAY - 1))["authorization_grant"] == 0
    assert len(await store.read.grants.in_session("ses-1")) == 1
    assert (await purge(database, NOW + DAY + 1))["authorization_grant"] == 1
