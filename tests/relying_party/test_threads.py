"""One relying party for many threads, each with an event loop of its own, as a threaded server."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from corpid.relying_party import FetchResult, MemoryReplayStore, Policy, errors
from corpid.relying_party.turns import Turns
from keys.signer import generate
from tests.support.relying_world import AUDIENCE, JWKS, NONCE, STATUS_URI, World

THREADS = 8


def in_threads(work: Callable[[], Awaitable[Any]]) -> list[Any]:
    """What each thread's own event loop made of it: a value, or the exception."""

    async def bounded() -> Any:
        return await asyncio.wait_for(work(), 20)

    def run(_: int) -> Any:
        try:
            return asyncio.run(bounded())
        except (Exception, asyncio.CancelledError) as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def two_tasks_a_thread(world: World, url: str) -> Callable[[str], Awaitable[FetchResult]]:
    """A fetch of this address that answers when every thread is inside, its other task waiting."""
    inside = threading.Barrier(THREADS)

    async def fetch(asked: str, *, accept: str) -> FetchResult:
        if asked == url:
            await asyncio.to_thread(inside.wait, 15)
        return await world.fetch(asked, accept=accept)

    return fetch


async def test_threads_wait_for_keys_in_their_own_event_loops(world: World) -> None:
    token = await world.id_token()
    party = world.party(fetch=two_tasks_a_thread(world, JWKS))

    async def twice() -> list[Any]:
        return await asyncio.gather(*(party.verify_id_token(token, nonce=NONCE) for _ in range(2)))

    results = await asyncio.to_thread(in_threads, twice)
    assert [type(result) for result in results] == [list] * THREADS, results


async def test_threads_wait_for_status_lists_in_their_own_event_loops(world: World) -> None:
    text = await world.presentation()
    party = world.party(fetch=two_tasks_a_thread(world, STATUS_URI))

    async def twice() -> list[Any]:
        return await asyncio.gather(
            *(party.verify_credential(text, audience=AUDIENCE, nonce=NONCE) for _ in range(2))
        )

    results = await asyncio.to_thread(in_threads, twice)
    assert [type(result) for result in results] == [list] * THREADS, results


async def test_no_thread_refuses_a_new_key_while_another_fetches_it(world: World) -> None:
    party = world.party()
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    rotated = generate("ES256")
    token = await world.id_token(signer=rotated)
    world.documents[JWKS] = {"keys": [world.token_key.public_jwk, rotated.public_jwk]}
    party._keys._fetch = two_tasks_a_thread(world, JWKS)

    results = await asyncio.to_thread(in_threads, lambda: party.verify_id_token(token, nonce=NONCE))
    assert not [result for result in results if isinstance(result, BaseException)], results


async def test_of_many_threads_one_is_the_first_use(world: World) -> None:
    store = MemoryReplayStore(world.clock)
    for number in range(50):
        key = f"proof-{number}"
        used = await asyncio.to_thread(
            in_threads, lambda key=key: store.first_use(key, world.now + 60)
        )
        assert used.count(True) == 1


async def test_turns_forget_names_and_event_loops_without_users() -> None:
    turns, order = Turns(), []

    async def take(number: int) -> None:
        async with turns.of("name"):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(take(number) for number in range(3)))
    assert order == [0, 0, 1, 1, 2, 2]
    with pytest.raises(errors.KeysUnavailable):
        async with turns.of("name"):
            raise errors.KeysUnavailable
    assert not turns._turns


async def test_a_policy_without_caching_serves_threads_too(world: World) -> None:
    text, party = await world.presentation(), world.party(policy=Policy(status_ttl=0))

    results = await asyncio.to_thread(
        in_threads, lambda: party.verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    )
    assert not [result for result in results if isinstance(result, BaseException)], results
