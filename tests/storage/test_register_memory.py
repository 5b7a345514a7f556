"""An import of the whole register needs no more memory than one of a part of it."""

import secrets
import tracemalloc
from collections.abc import Iterator

import pytest

from corpid.domain.business_number import BusinessNumber
from corpid.domain.languages import Names
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.services.register_import import RegisterImport
from corpid.storage import name_index
from corpid.storage.database import Database
from corpid.storage.register_rows import SqlRegisterRows
from corpid.storage.store import SqlStore
from tests.support.stored import NOW

FEW, MANY = 4_000, 16_000
SPARE = 2_000_000
"""Bytes: the batches grow with the speed of the disk, to at most 1000 organisations."""


def rows(first: int, count: int) -> Iterator[tuple[int, RegisterEntry]]:
    for number in range(first, first + count):
        yield (
            number,
            RegisterEntry(
                number=BusinessNumber("brn", f"{10_000_000 + number}"),
                names=Names(f"Sample {number} Limited", f"樣本{number}有限公司"),
                entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
                status=EntityStatus.LIVE,
                source="sample",
                as_of="2026-11-01",
                address=f"{number} Example Road, Hong Kong",
            ),
        )


async def test_memory_does_not_grow_with_the_file(
    database: Database, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_index, "RUN", 1_000)
    peaks = []
    for first, count in ((0, FEW), (FEW, MANY)):
        importing = RegisterImport(
            store,
            SqlRegisterRows(database),
            lambda first=first: NOW / 1000 + first,  # type: ignore[misc]
            secrets.token_bytes,
            actor="operator:test",
            source="sample",
        )
        tracemalloc.start()
        try:
            report = await importing.run(rows(first, count))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert report.added == count
    assert peaks[1] < peaks[0] + SPARE
