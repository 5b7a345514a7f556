"""What keeps status lists cheap when there are many: one change costs one list, serving nothing."""

import math
import random
import secrets
from typing import Any

import pytest

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.services.status_publisher import StatusPublisher
from corpid.services.status_reopening import StatusReopening
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.storage.tables import metadata
from keys.signer import Signer
from oidc.formats.status_list import StatusList, inflate
from tests.support.issuer_world import STATUS_URL, World

FORMS = 2
"""A list is signed as JWT and as CWT."""


class Counting:
    """Keys that count what is signed."""

    def __init__(self, world: World) -> None:
        self._keys = world.keys
        self.signed = 0

    def signer(self, purpose: str, alg: str) -> Any:
        return _Counted(self, self._keys.signer(purpose, alg))

    def credential_jwks(self) -> Any:
        return self._keys.credential_jwks()


class _Counted:
    def __init__(self, counting: Counting, signer: Signer) -> None:
        self._counting = counting
        self._signer = signer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._signer, name)

    async def sign(self, data: bytes) -> bytes:
        self._counting.signed += 1
        return await self._signer.sign(data)


def publisher(world: World, keys: Counting, store: SqlStore | None = None) -> StatusPublisher:
    return StatusPublisher(store or world.store, keys, world.clock, STATUS_URL)


async def many_lists(world: World) -> list[str]:
    for _ in range(3):
        await StatusReopening(world.store, world.master, world.clock, secrets.token_bytes).reopen(
            "operator:test", "more lists"
        )
    return [head.list_id for head in await world.store.read.status_lists.heads()]


async def set_status(world: World, entry: StatusEntry) -> None:
    await world.store.write(
        lambda uow: uow.status_lists.set_status(entry, EntryStatus.INVALID, world.now_ms())
    )


async def test_one_revocation_signs_one_list_of_many(world: World, database_url: str) -> None:
    ids = await many_lists(world)
    here, keys = Counting(world), Counting(world)
    first = publisher(world, here)
    await first.refresh()
    assert len(ids) == 12
    assert here.signed == FORMS * 12
    other = await open_database(database_url)
    try:
        second = publisher(world, keys, SqlStore(other, world.clock, bytes))
        await second.refresh()
        assert keys.signed == 0  # it takes over what is signed
        await set_status(world, StatusEntry(ids[7], 5))
        await first.refresh()
        await second.refresh()
        assert (here.signed, keys.signed) == (FORMS * 13, 0)
        for _ in range(5):
            await first.refresh()
        assert here.signed == FORMS * 13
        assert [first.current(one) == second.current(one) for one in ids] == [True] * 12
    finally:
        await other.close()


def test_what_is_written_with_every_issuance_holds_no_token() -> None:
    """A reservation writes its list's row: with the signed list in it, a third of a megabyte."""
    row = {column.name for column in metadata.tables["status_list"].c}
    assert row == {
        "list_id",
        "bits",
        "size",
        "sealed_permutation_key",
        "reserved",
        "version",
        "created_at",
        "closed_at",
    }


def times_the_entropy(rate: float, **how: bool) -> float:
    """The shares of a hundred million entries are those of a million: docs/storage.md."""
    size = 1 << 20
    chosen = random.Random(7).sample(range(size), int(size * rate))
    made = StatusList.from_indices(size, 1, chosen)
    packed = made.compress(**how)
    assert inflate(packed) == made.data
    floor = -(rate * math.log2(rate) + (1 - rate) * math.log2(1 - rate)) * size / 8
    return len(packed) / floor


@pytest.mark.parametrize(
    ("rate", "most"),
    [(0.01, 1.5), (0.02, 1.4), (0.03, 1.2), (0.05, 1.07), (0.1, 1.04), (0.2, 1.04), (0.5, 1.02)],
)
def test_a_list_is_near_to_its_entropy(rate: float, most: float) -> None:
    assert times_the_entropy(rate) <= most


@pytest.mark.parametrize(
    ("rate", "most"), [(0.0001, 2.2), (0.001, 1.6), (0.002, 1.5), (0.005, 1.46), (0.01, 1.4)]
)
def test_a_sparse_list_that_seldom_changes_takes_less(rate: float, most: float) -> None:
    small = times_the_entropy(rate, smallest=True)
    assert small <= most
    assert small <= times_the_entropy(rate)


def test_a_list_takes_its_bits_of_memory_and_no_more() -> None:
    made = StatusList.from_indices(1 << 20, 1, iter(range(0, 1 << 20, 100)))
    assert len(made.data) == (1 << 20) // 8
