"""Offers, issuance records, status lists, and what the service keeps for itself."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from corpid.domain.credential import (
    CredentialState,
    EntryStatus,
    StatusEntry,
)
from corpid.domain.errors import NotFound
from corpid.services.ports import UnitOfWork
from corpid.services.records import Beside, OutboxMessage
from corpid.storage.constructs import table
from corpid.storage.database import Database
from corpid.storage.errors import UniqueViolation
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from keys.ring import KeyRecord
from tests.support.stored import (
    DAY,
    NOW,
    credential,
    credential_row,
    digest,
    grant,
    offer,
    populate,
    status_list,
)


async def test_offers(store: SqlStore) -> None:
    await populate(store)
    for one in (offer(), offer("offer-2", expires_at=NOW), offer("offer-3", authority="rep-1")):
        await store.write(lambda uow, o=one: uow.credentials.add_offer(o))  # type: ignore[misc]
    read = store.read.credentials
    assert await read.offer("offer-1") == offer()
    assert await read.offer("offer-9") is None
    ended = await store.write(lambda uow: uow.credentials.end_offers_by_authority("man-1", NOW + 1))
    assert ended == 1
    assert await read.offer("offer-1") == offer(ended_at=NOW + 1)
    assert await read.offer("offer-3") == offer("offer-3", authority="rep-1")


async def test_issuance_records(store: SqlStore) -> None:
    await populate(store)
    by_mandate = credential()
    by_role = credential(
        "cred-2",
        8,
        mandate_id=None,
        representation_id="rep-1",
        credential_type="company-identity",
        issued_at=NOW + 1,
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.credentials.add(credential_row(by_mandate))
        await uow.credentials.add(credential_row(by_role))

    await store.write(work)
    read = store.read.credentials
    assert await read.by_id("cred-1") == by_mandate
    assert await read.by_id("cred-2") == by_role
    assert await read.by_id("cred-9") is None
    assert await read.by_entry(StatusEntry("list-1", 8)) == by_role
    assert await read.by_entry(StatusEntry("list-1", 9)) is None
    assert await read.held_under("man-1") == [by_mandate]
    assert await read.held_under("rep-1") == [by_role]
    assert await read.grant_of("cred-1") == "grant-1"
    assert await read.grant_of("cred-9") is None
    assert await read.going_on_under("grant-1") == [by_mandate, by_role]


async def test_what_there_is_beside_credentials_of_a_grant(store: SqlStore) -> None:
    await populate(store)
    kept = credential()
    more = (
        kept,
        credential("cred-2", 8, holder_thumbprint="other", issued_at=NOW + 1),
        credential("cred-3", 9, holder_thumbprint="over", expires_at=NOW + 5),
        credential("cred-4", 10, holder_thumbprint="renewed"),
        credential("cred-5", 11, holder_thumbprint="gone", state=CredentialState.REVOKED),
    )

    async def work(uow: UnitOfWork) -> None:
        await uow.provider_writes.add_grant(grant("grant-1"))
        await uow.credentials.add_all([credential_row(one) for one in more])
        await uow.credentials.give_way("cred-4", NOW + DAY)

    await store.write(work)

    async def beside(*keys: str, of: str = "grant-1", form: str = "dc+sd-jwt") -> Beside:
        read = store.read.credentials
        return await read.beside(of, "representative", form, keys, NOW + 9)

    assert await store.read.credentials.live_under("grant-1", "representative", NOW + 9) == 2
    assert await beside("thumb") == Beside(goes_on=True, others=1, earlier=[kept])
    assert await beside("thumb", "other") == Beside(True, 0, [kept, more[1]])
    assert await beside("new", "newer") == Beside(True, 2, [])
    assert await beside("new") == Beside(True, 2, [])
    assert await beside("thumb", form="mso_mdoc") == Beside(True, 2, [])
    assert await beside("gone") == Beside(True, 2, [more[4]])
    assert await beside("thumb", of="grant-2") == Beside(False, 0, [])
    assert await beside("thumb", of="operator.line") == Beside(True, 0, [])
    assert await store.write(lambda uow: uow.grants.end("grant-1", NOW + 2, "why")) == 1
    assert await beside("thumb") == Beside(False, 1, [kept])


async def test_credentials_are_found_by_what_is_given(store: SqlStore) -> None:
    await populate(store)
    one = credential()
    two = credential("cred-2", 8, issued_at=NOW + 1, state=CredentialState.ACCEPTED)
    for each in (one, two):
        await store.write(lambda uow, c=each: uow.credentials.add(credential_row(c)))  # type: ignore[misc]
    find = store.read.credentials.find
    assert await find() == [two, one]
    assert await find(limit=1) == [two]
    assert await find(organisation_id="org-1") == [two, one]
    assert await find(organisation_id="org-2") == []
    assert await find(person_id="per-1", state=CredentialState.ISSUED) == [one]
    assert await find(organisation_id="org-1", person_id="per-1") == [two, one]
    assert await find(organisation_id="org-1", person_id="per-2") == []
    assert await find(state=CredentialState.ACCEPTED) == [two]
    assert await find(state=CredentialState.REVOKED) == []


async def test_a_revoked_credential_never_comes_back(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.credentials.add(credential_row()))
    for at, state in (
        (1, CredentialState.ACCEPTED),
        (2, CredentialState.SUSPENDED),
        (3, CredentialState.REVOKED),
        (4, CredentialState.ACCEPTED),
    ):
        await store.write(
            lambda uow, s=state, t=at: uow.credentials.change_state("cred-1", s, NOW + t, "why")  # type: ignore[misc]
        )
    found = await store.read.credentials.by_id("cred-1")
    assert found == credential(state=CredentialState.REVOKED, changed_at=NOW + 3)
    assert await store.read.credentials.held_under("man-1") == []


async def test_two_credentials_cannot_share_a_status_entry(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.credentials.add(credential_row()))
    with pytest.raises(UniqueViolation):
        await store.write(lambda uow: uow.credentials.add(credential_row(credential("cred-2"))))


@pytest.mark.parametrize(
    "authority",
    [
        {"mandate_id": None, "representation_id": None},
        {"mandate_id": "man-1", "representation_id": "rep-1"},
    ],
)
async def test_a_credential_rests_on_exactly_one_authority(
    store: SqlStore, authority: dict[str, Any]
) -> None:
    await populate(store)
    with pytest.raises(ValueError, match="rests on"):
        await store.write(lambda u: u.credentials.add(credential_row(credential(**authority))))


async def test_blocks_never_overlap_and_never_pass_the_end(store: SqlStore) -> None:
    await populate(store)  # 1024 values
    outcome = await asyncio.gather(
        *(store.write(lambda u: u.status_lists.reserve("list-1", 50)) for _ in range(30))
    )
    given = sorted(first for first in outcome if first is not None)
    assert given == list(range(0, 1000, 50))
    assert await store.write(lambda u: u.status_lists.reserve("list-1", 24)) == 1000
    assert await store.write(lambda u: u.status_lists.reserve("list-1", 1)) is None
    row = await store.read.status_lists.by_id("list-1")
    assert row is not None
    assert row.reserved == 1024


async def test_nothing_is_reserved_in_a_closed_or_unknown_list(store: SqlStore) -> None:
    await store.write(lambda u: u.status_lists.add(status_list("closed", closed_at=NOW)))
    assert await store.write(lambda u: u.status_lists.reserve("closed", 1)) is None
    assert await store.write(lambda u: u.status_lists.reserve("unknown", 1)) is None
    with pytest.raises(ValueError, match="at least one"):
        await store.write(lambda u: u.status_lists.reserve("closed", 0))


async def test_every_change_of_an_entry_has_the_lists_next_version(store: SqlStore) -> None:
    await populate(store)
    first, second = StatusEntry("list-1", 1), StatusEntry("list-1", 2)
    for entry, status in (
        (first, EntryStatus.SUSPENDED),
        (second, EntryStatus.INVALID),
        (first, EntryStatus.VALID),
    ):
        await store.write(
            lambda u, e=entry, s=status: u.status_lists.set_status(e, s, NOW)  # type: ignore[misc]
        )
    read = store.read.status_lists
    row = await read.by_id("list-1")
    assert row == status_list(version=3)
    assert await read.all() == [row]
    assert await read.changed_since("list-1", 0) == [
        (2, EntryStatus.INVALID),
        (1, EntryStatus.VALID),
    ]
    assert await read.changed_since("list-1", 2) == [(1, EntryStatus.VALID)]
    assert await read.changed_since("list-1", 3) == []
    assert await read.status_of(first) is EntryStatus.VALID
    assert await read.status_of(second) is EntryStatus.INVALID
    assert await read.status_of(StatusEntry("list-1", 3)) is EntryStatus.VALID
    assert (await store.read.operations.changes())["status"] == 3
    with pytest.raises(NotFound):
        await store.write(
            lambda u: u.status_lists.set_status(StatusEntry("other", 1), EntryStatus.INVALID, NOW)
        )


async def test_concurrent_changes_of_one_list_get_different_versions(store: SqlStore) -> None:
    await populate(store)
    await asyncio.gather(
        *(
            store.write(
                lambda u, n=number: u.status_lists.set_status(  # type: ignore[misc]
                    StatusEntry("list-1", n), EntryStatus.INVALID, NOW
                )
            )
            for number in range(20)
        )
    )
    row = await store.read.status_lists.by_id("list-1")
    assert row is not None
    assert row.version == 20
    changed = await store.read.status_lists.changed_since("list-1", 0)
    assert sorted(index for index, _ in changed) == list(range(20))
    for version in range(20):
        assert len(await store.read.status_lists.changed_since("list-1", version)) == 20 - version


async def test_each_sector_has_an_entry_of_its_own_for_a_mandate(store: SqlStore) -> None:
    await populate(store)
    one, two = StatusEntry("list-1", 1), StatusEntry("list-1", 2)

    async def work(uow: UnitOfWork) -> None:
        await uow.status_lists.add_mandate_entry("man-1", "bank.example", two, NOW)
        await uow.status_lists.add_mandate_entry("man-1", "portal.example", one, NOW)

    await store.write(work)
    read = store.read.status_lists
    assert await read.mandate_entry("man-1", "bank.example") == two
    assert await read.mandate_entry("man-1", "other.example") is None
    assert await read.mandate_entries("man-1") == [one, two]
    assert await read.mandate_entries("man-2") == []
    # A second entry for the same pair is not taken: whoever was first counts.
    third = StatusEntry("list-1", 3)
    added = await store.write(
        lambda u: u.status_lists.add_mandate_entry("man-1", "bank.example", third, NOW)
    )
    assert added is False
    assert await read.mandate_entry("man-1", "bank.example") == two


def key_record(**changes: Any) -> KeyRecord:
    made = KeyRecord(
        kid="kid-1",
        purpose="credentials",
        alg="ES256",
        public_jwk={"kty": "EC", "crv": "P-256", "x": "x", "y": "y"},
        sealed_private=b"sealed",
        x5c=("MIIB", "MIIC"),
        created_at=NOW,
        publish_at=NOW + 1,
        activate_at=NOW + 2,
    )
    return replace(made, **changes)


async def test_keys(store: SqlStore) -> None:
    plain = key_record(kid="kid-2", x5c=(), created_at=NOW + 1)
    await store.write(lambda uow: uow.operations.add_key(key_record()))
    await store.write(lambda uow: uow.operations.add_key(plain))
    assert await store.read.operations.keys() == [key_record(), plain]
    changed = key_record(
        sealed_private=None, retire_at=NOW + 3, remove_at=NOW + 4, destroyed_at=NOW + 5, x5c=()
    )
    await store.write(lambda uow: uow.operations.update_key(changed))
    assert await store.read.operations.keys() == [changed, plain]
    assert (await store.read.operations.changes())["keys"] == 3


async def test_secrets_and_facts_about_the_database(store: SqlStore) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.operations.add_secret("pairwise", b"one", NOW)
        await uow.operations.add_secret("cookies", b"two", NOW)
        await uow.operations.set_meta("issuer", "https://old.example")
        await uow.operations.set_meta("issuer", "https://id.example")

    await store.write(work)
    assert await store.read.operations.secrets() == {"pairwise": b"one", "cookies": b"two"}
    assert await store.read.operations.meta() == {"issuer": "https://id.example"}
    with pytest.raises(UniqueViolation):
        await store.write(lambda uow: uow.operations.add_secret("pairwise", b"other", NOW))


async def test_audit_rows_are_canonical_and_digested(store: SqlStore, database: Database) -> None:
    async def work(uow: UnitOfWork) -> None:
        await uow.operations.audit("a.first", {"z": 1, "a": "風", "set": frozenset({"b", "a"})})
        await uow.operations.audit("a.second", {})

    await store.write(work)
    body = f'{{"at":{NOW},"event":"a.first","facts":{{"a":"風","set":["a","b"],"z":1}}}}'.encode()
    assert await store.read.operations.audit_rows(10, "a.first") == [body]
    assert len(await store.read.operations.audit_rows(10)) == 2
    assert len(await store.read.operations.audit_rows(1)) == 1
    audit = table("audit")
    rows = await database.all(Statement(select(*audit.c).order_by(audit.c.event)))
    audit_id, recorded_at, event, stored, hashed = rows[0]
    assert (recorded_at, event, stored) == (NOW, "a.first", body)
    assert hashed == hashlib.sha256(body).digest()
    assert int.from_bytes(audit_id[:6], "big") == NOW
    assert len(audit_id) == 16


async def test_what_cannot_be_written_as_json_is_refused(store: SqlStore) -> None:
    with pytest.raises(TypeError):
        await store.write(lambda uow: uow.operations.audit("a.first", {"secret": b"bytes"}))


async def test_the_latest_audit_row_comes_first(database: Database) -> None:
    now = [NOW]
    store = SqlStore(database, lambda: now[0] / 1000, bytes)
    for event in ("one", "two", "three"):
        now[0] += 1
        await store.write(lambda uow, e=event: uow.operations.audit(e, {}))  # type: ignore[misc]
    rows = await store.read.operations.audit_rows(2)
    assert [b"three" in rows[0], b"two" in rows[1]] == [True, True]


async def test_the_outbox_keeps_what_must_be_told(store: SqlStore, database: Database) -> None:
    message = OutboxMessage(b"id", "logout", b"{}", NOW, NOW + 1)
    await store.write(lambda uow: uow.operations.enqueue(message))
    row = await database.one(Statement(select(*table("outbox").c)))
    assert row == (b"id", "logout", "", b"{}", NOW, NOW + 1, 0, None)


async def test_change_counters(store: SqlStore) -> None:
    assert await store.read.operations.changes() == {}
    await asyncio.gather(*(store.write(lambda u: u.operations.bump("keys")) for _ in range(10)))
    await store.write(lambda uow: uow.operations.bump("authority"))
    assert await store.read.operations.changes() == {"keys": 10, "authority": 1}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_another_process_is_told_of_a_change(
    store: SqlStore, another_store: Callable[[], SqlStore]
) -> None:
    heard = asyncio.Event()
    store.subscribe(heard.set)
    await store.listen()
    heard.clear()
    await another_store().write(lambda uow: uow.operations.bump("status"))
    async with asyncio.timeout(10):
        await heard.wait()


async def test_an_offer_of_a_branch_brings_its_credential_identifier(store: SqlStore) -> None:
    await populate(store)
    of_branch = offer(credentials=("branch/002", "company-identity"))
    await store.write(lambda uow: uow.credentials.add_offer(of_branch))
    found = await store.provider.read.offer(digest("offer-1"))
    assert found is not None
    assert found.configuration_ids == ("branch", "company-identity")
    assert found.identifiers == {"branch": "branch/002"}
