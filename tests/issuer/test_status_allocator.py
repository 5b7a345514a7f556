"""Status entries: unique by construction, unpredictable, over lists that fill up."""

import asyncio
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpid.domain.errors import ListFull
from corpid.services.status_lists import Permutation, StatusAllocator
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support.issuer_world import World


@settings(max_examples=40, deadline=None)
@given(key=st.binary(min_size=32, max_size=32), bits=st.sampled_from([2, 4, 6, 8, 10, 12]))
def test_the_permutation_is_a_bijection(key: bytes, bits: int) -> None:
    size = 1 << bits
    permutation = Permutation(key, size)
    assert {permutation.place(counter) for counter in range(size)} == set(range(size))


def test_a_whole_list_of_the_real_size_is_a_bijection() -> None:
    size = 1 << 20
    permutation = Permutation(b"k" * 32, size)
    seen = bytearray(size)
    for counter in range(size):
        seen[permutation.place(counter)] = 1
    assert seen.count(1) == size


def test_the_permutation_is_fixed_by_its_key() -> None:
    """A new release, or another machine, must find the same places."""
    places = [Permutation(bytes(range(32)), 1 << 20).place(n) for n in range(4)]
    assert places == [Permutation(bytes(range(32)), 1 << 20).place(n) for n in range(4)]
    assert places != [Permutation(bytes(32), 1 << 20).place(n) for n in range(4)]
    assert places == PINNED


PINNED = [239493, 914694, 675658, 382268]


@pytest.mark.parametrize("number", range(50))
def test_haip_no_arithmetic_sequence_of_three(number: int) -> None:
    permutation = Permutation(bytes([number]) * 32, 1 << 20)
    places = [permutation.place(counter) for counter in range(3)]
    assert places[1] - places[0] != places[2] - places[1]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 1 << 21, 1 << 26, 1000])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of four"):
        Permutation(b"k" * 32, size)


@pytest.mark.parametrize("counter", [-1, 16])
def test_a_counter_outside_the_list_is_refused(counter: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Permutation(b"k" * 32, 16).place(counter)


async def test_concurrent_takers_in_two_processes_never_meet(
    world: World, database_url: str
) -> None:
    other = await open_database(database_url)
    try:
        second = StatusAllocator(
            SqlStore(other, world.clock, secrets.token_bytes),
            world.master,
            world.clock,
            secrets.token_bytes,
        )
        takers = [one.reserve() for _ in range(300) for one in (world.allocator, second)]
        entries = await asyncio.gather(*takers)
    finally:
        await other.close()
    assert len(set(entries)) == 600
    assert len({entry.list_id for entry in entries}) == 3


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_restart_loses_its_block_and_repeats_nothing(world: World) -> None:
    entries = set()
    for _ in range(5):
        allocator = StatusAllocator(world.store, world.master, world.clock, secrets.token_bytes)
        entries |= {await allocator.reserve() for _ in range(10)}
    assert len(entries) == 50


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_full_lists_are_followed_by_new_ones_until_the_bound(world: World) -> None:
    allocator = StatusAllocator(
        world.store,
        world.master,
        world.clock,
        secrets.token_bytes,
        size=64,
        block=64,
        open_lists=4,
        max_lists=6,
    )
    # The three large lists of the beginning would never fill here.
    rows = await world.store.read.status_lists.all()
    for row in rows:
        count = row.size - row.reserved
        await world.store.write(
            lambda uow, row=row, count=count: uow.status_lists.reserve(row.list_id, count)
        )
    before = (await world.store.read.operations.changes()).get("status", 0)
    entries = [await allocator.reserve() for _ in range(3 * 64)]
    assert len(set(entries)) == 3 * 64
    assert len(await world.store.read.status_lists.all()) == 6
    assert (await world.store.read.operations.changes())["status"] > before
    with pytest.raises(ListFull):
        await allocator.reserve()
