"""Looking up host names, which takes a thread that nothing can stop.

A name server that does not answer keeps such a thread for as long as the system's resolver tries,
long after whoever asked has given up. So there are threads of our own, so many and no more, and one
domain has a few of them at most: whoever owns a slow one waits for itself, and not others for it.
"""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

THREADS: Final = 16
OF_DOMAIN: Final = 2

Look = Callable[[str, int], Sequence[str]]
"""The addresses of a host name. Blocks; raises OSError."""


def system_look(host: str, port: int) -> Sequence[str]:
    """Ask the operating system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _, _, _, _, address in found]


def domain_of(host: str) -> str:
    """What one owner may have many names under: example.com, sample.com.hk.

    Near enough without the list of public suffixes: a short last label but one, under a country's,
    is taken for a registry's.
    """
    labels = host.lower().rstrip(".").split(".")
    own = 3 if len(labels[-1]) == 2 and len(labels) > 2 and len(labels[-2]) <= 3 else 2
    return ".".join(labels[-own:])


class Lookups:
    """A ``Resolve`` of ``outbound.https``. What is being looked up is not asked for twice."""

    def __init__(
        self, look: Look = system_look, *, threads: int = THREADS, of_domain: int = OF_DOMAIN
    ) -> None:
        self._look = look
        self._of_domain = of_domain
        self._threads = asyncio.Semaphore(threads)
        self._domains: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()
        self._running: dict[tuple[str, int], asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses, once it is this name's turn; whoever is cancelled gives its turn up.

        Raises:
            OSError: the name is not known.
        """
        name = (host, port)
        if name not in self._running:
            await self._turn(domain_of(host))
            if name in self._running:  # another request began while this one waited
                self._end(domain_of(host))
            else:
                self._running[name] = self._begin(*name)
        # The thread goes on when this request is given up, and its turn with it.
        return await asyncio.shield(self._running[name])

    async def _turn(self, domain: str) -> None:
        turns = self._domains.setdefault(domain, asyncio.Semaphore(self._of_domain))
        self._users[domain] += 1
        try:
            await turns.acquire()
        except asyncio.CancelledError:
            self._leave(domain)
            raise
        try:
            await self._threads.acquire()
        except asyncio.CancelledError:
            turns.release()
            self._leave(domain)
            raise

    def _end(self, domain: str) -> None:
        self._threads.release()
        self._domains[domain].release()
        self._leave(domain)

    def _leave(self, domain: str) -> None:
        self._users[domain] -= 1
        if not self._users[domain]:
            del self._users[domain]
            del self._domains[domain]

    def _begin(self, host: str, port: int) -> asyncio.Future[Sequence[str]]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[str]] = loop.create_future()

        def ended(looked: asyncio.Future[Sequence[str]]) -> None:
            looked.exception()  # it may be that nobody waits for it any more
            del self._running[host, port]
            self._end(domain_of(host))

        def run() -> None:
            found: Sequence[str] = ()
            failure: Exception | None = None
            try:
                found = self._look(host, port)
            except Exception as error:  # whoever waits is told, in its own thread
                failure = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future, found, failure)

        future.add_done_callback(ended)
        # Not of the loop's own pool, and nothing that the end of the process would wait for.
        threading.Thread(target=run, name="look-up", daemon=True).start()
        return future


def _settle(
    future: asyncio.Future[Sequence[str]], found: Sequence[str], failure: Exception | None
) -> None:
    if failure is None:
        future.set_result(found)
    else:
        future.set_exception(failure)
