"""Clients are remembered under their change counter, which is read once in a turn of the loop."""

import asyncio

from corpid.storage.client_cache import ClientCache


async def test_the_counter_is_good_for_the_turn_in_which_it_was_read():
    cache = ClientCache()
    cache.saw(7, cache.turn())
    assert cache.version() == 7
    await asyncio.sleep(0)
    assert cache.version() is None


async def test_a_value_that_took_longer_than_a_turn_is_not_remembered():
    cache = ClientCache()
    begun = cache.turn()
    await asyncio.sleep(0)
    cache.turn()
    cache.saw(7, begun)
    assert cache.version() is None


async def test_who_is_told_of_a_change_comes_after_the_end_of_the_turn():
    """A commit in the same turn: its caller goes on when the remembered value is gone."""
    cache = ClientCache()
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[int | None] = []

    async def caller() -> None:
        await told
        seen.append(cache.version())

    waiting = asyncio.create_task(caller())
    await asyncio.sleep(0)
    cache.saw(7, cache.turn())
    told.set_result(None)
    assert cache.version() == 7
    await waiting
    assert seen == [None]
