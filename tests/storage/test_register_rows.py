"""The bulk path of register imports."""

from dataclasses import replace

import pytest

from corpid.domain.languages import Names
from corpid.domain.organisation import IdentifierScheme
from corpid.storage import register_rows
from corpid.storage.database import Database
from corpid.storage.errors import UniqueViolation
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.store import SqlStore
from tests.support.stored import NOW, digest, identifier, populate, registration

BRN = IdentifierScheme.HK_BRN


async def test_register_rows_in_bulk(
    database: Database, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_rows, "BATCH", 3)
    monkeypatch.setattr(register_rows, "LOOKED_UP", 2)
    rows = SqlRegisterRows(database)
    entries = [
        (
            identifier(f"1234567{number}"),
            registration(f"org-{number}", names=Names(en=f"Name {number}", zh_hant="同名")),
        )
        for number in range(8)
    ]
    await rows.add(entries)
    numbers = [("hk.brn", f"1234567{number}") for number in range(10)]
    numbers.append(("hk.cr_dummy", "12345670"))
    assert await rows.digests(numbers) == {
        ("hk.brn", f"1234567{number}"): digest(f"org-{number}") for number in range(8)
    }
    assert (await rows.known(numbers))["hk.brn", "12345673"] == ("org-3", digest("org-3"))
    found = await store.read.organisations.by_number(BRN, "12345677")
    assert found is not None
    assert found.registration == entries[7][1]

    changed = [
        replace(facts, names=Names(en="Renamed"), digest=digest("new"), recorded_at=NOW + 1)
        for _, facts in entries[:5]
    ]
    await rows.replace(changed)
    digests = await rows.digests(numbers)
    assert [digests["hk.brn", f"1234567{n}"] == digest("new") for n in range(8)] == [True] * 5 + [
        False
    ] * 3
    assert len(await store.read.organisations.search("renamed", 10)) == 5
    assert len(await store.read.organisations.search("name 0", 10)) == 0
    assert await store.read.organisations.registration_at("org-0", NOW) == replace(
        entries[0][1], ended_at=NOW + 1
    )


async def test_a_batch_with_a_number_that_is_taken_is_not_written(
    database: Database, store: SqlStore
) -> None:
    await populate(store)
    entries = [
        (identifier("11111111"), registration("org-8")),
        (identifier("12345678"), registration("org-9")),
    ]
    with pytest.raises(UniqueViolation):
        await SqlRegisterRows(database).add(entries)
    assert await store.read.organisations.by_id("org-8") is None
