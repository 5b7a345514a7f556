"""A name server that does not answer holds up its own names, and nobody else's."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from corpid.outbound.lookups import Lookups, domain_of

ANSWER = ("203.0.113.7",)


class NameServer:
    """Names under slow.example wait until they are let go; ``asked`` are all, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.let_go = threading.Event()

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host.endswith("slow.example"):
            self.let_go.wait()
        if host.endswith("unknown.example"):
            raise OSError("no such name")
        return ANSWER


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    made = NameServer()
    yield made
    made.let_go.set()


async def given_up(lookups: Lookups, host: str) -> None:
    """Ask, and give up before there is an answer."""
    asked = asyncio.ensure_future(lookups(host, 443))
    for _ in range(5):
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_domain_has_so_many_threads_and_no_more(server: NameServer) -> None:
    lookups = Lookups(server, threads=8, of_domain=2)
    for number in range(20):
        await given_up(lookups, f"n{number}.slow.example")
    assert await lookups("fast.example", 443) == ANSWER
    assert server.asked == ["n0.slow.example", "n1.slow.example", "fast.example"]


async def test_all_domains_together_have_so_many_and_no_more(server: NameServer) -> None:
    lookups = Lookups(server, threads=2, of_domain=1)
    for name in ("a.slow.example", "slow.example", "b.slow.example"):
        await given_up(lookups, name)
    assert await lookups("fast.example", 443) == ANSWER
    assert server.asked == ["a.slow.example", "fast.example"]


async def test_a_name_is_not_asked_for_twice_at_once(server: NameServer) -> None:
    lookups = Lookups(server)
    asked = [asyncio.ensure_future(lookups("slow.example", 443)) for _ in range(10)]
    await asyncio.sleep(0)
    server.let_go.set()
    assert await asyncio.gather(*asked) == [ANSWER] * 10
    assert server.asked == ["slow.example"]


async def test_turns_come_back(server: NameServer) -> None:
    lookups = Lookups(server, threads=1, of_domain=1)
    await given_up(lookups, "slow.example")
    waiting = asyncio.ensure_future(lookups("x.slow.example", 443))
    await asyncio.sleep(0)
    server.let_go.set()
    assert await waiting == ANSWER
    for _ in range(3):
        with pytest.raises(OSError, match="no such name"):
            await lookups("unknown.example", 443)
    assert await lookups("fast.example", 443) == ANSWER


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.rp.example", "rp.example"),
        ("RP.Example.", "rp.example"),
        ("www.sample-bank.com.hk", "sample-bank.com.hk"),
        ("sample-bank.com.hk", "sample-bank.com.hk"),
        ("a.sample-bank.hk", "sample-bank.hk"),
        ("localhost", "localhost"),
    ],
)
def test_the_domain_that_one_owner_has(host: str, domain: str) -> None:
    assert domain_of(host) == domain
