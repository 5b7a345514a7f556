"""Tasks that want the same thing take turns, so that one fetches it for all."""

import asyncio
import threading
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Turns:
    """One task at a time for each name, in each event loop.

    A relying party may serve several threads, each with an event loop of its own, and an asyncio
    lock must not be shared by two of them: the waiting one is never woken. What has no user is
    forgotten, event loops included.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: dict[tuple[asyncio.AbstractEventLoop, Hashable], _Turn] = {}

    @asynccontextmanager
    async def of(self, name: Hashable) -> AsyncIterator[None]:
        """Wait for the turn at `name`, and keep it inside the block."""
        key = (asyncio.get_running_loop(), name)
        with self._guard:
            turn = self._turns.setdefault(key, _Turn())
            turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            with self._guard:
                turn.users -= 1
                if not turn.users:
                    del self._turns[key]
