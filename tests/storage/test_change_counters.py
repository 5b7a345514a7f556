"""The change counters are read once in a turn of the event loop, and no change comes too late."""

import asyncio

from corpid.storage.change_counters import ChangeCounters


async def test_the_counter_is_good_for_the_turn_in_which_it_was_read():
    counters = ChangeCounters()
    counters.saw({"clients": 7}, counters.turn())
    assert counters.values() == {"clients": 7}
    await asyncio.sleep(0)
    assert counters.values() is None


async def test_a_value_that_took_longer_than_a_turn_is_not_remembered():
    counters = ChangeCounters()
    begun = counters.turn()
    await asyncio.sleep(0)
    counters.turn()
    counters.saw({"clients": 7}, begun)
    assert counters.values() is None


async def test_who_is_told_of_a_change_comes_after_the_end_of_the_turn():
    """A commit in the same turn: its caller goes on when the remembered value is gone."""
    counters = ChangeCounters()
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[object] = []

    async def caller() -> None:
        await told
        seen.append(counters.values())

    waiting = asyncio.create_task(caller())
    await asyncio.sleep(0)
    counters.saw({"clients": 7}, counters.turn())
    told.set_result(None)
    assert counters.values() == {"clients": 7}
    await waiting
    assert seen == [None]
