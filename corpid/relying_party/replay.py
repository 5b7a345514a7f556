"""Remembering which one-time proofs were used."""

import heapq
import threading
from typing import Protocol

from keys.clock import Clock, system_clock


class ReplayStore(Protocol):
    """Where several processes serve one resource they must share one store."""

    async def first_use(self, key: str, until: float) -> bool:
        """Record `key` until then (epoch seconds) and return True; False if it is recorded."""


class MemoryReplayStore:
    """A replay store of one process, bounded: when it is full every new proof is refused.

    Forgetting the oldest instead would let a flood of proofs make room for a replay. Threads may
    share it.
    """

    def __init__(self, clock: Clock = system_clock, max_entries: int = 100_000) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._until: dict[str, float] = {}
        self._order: list[tuple[float, str]] = []
        self._guard = threading.Lock()

    async def first_use(self, key: str, until: float) -> bool:
        """See ReplayStore."""
        with self._guard:
            now = self._clock()
            while self._order and self._order[0][0] <= now:
                _, old = heapq.heappop(self._order)
                del self._until[old]
            if key in self._until or len(self._until) >= self._max_entries:
                return False
            self._until[key] = until
            heapq.heappush(self._order, (until, key))
            return True
