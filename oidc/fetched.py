"""What is fetched from others and kept for a while: bounded, and asked for by one at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from keys.clock import Clock

V = TypeVar("V")


@dataclass(slots=True)
class Entry(Generic[V]):
    """What is kept under a name; times in epoch seconds.

    ``until`` is when a new one is wanted, ``rests_until`` before when it is not asked for again.
    """

    value: V | None = None
    until: float = 0.0
    rests_until: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Fetched(Generic[V]):
    """In each process; what was used longest ago gives way when there are ``most`` of them."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._entries: OrderedDict[Hashable, Entry[V]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._entries)

    async def renewed(
        self,
        name: Hashable,
        fetch: Callable[[Entry[V]], Awaitable[None]],
        *,
        serves: Callable[[Entry[V]], bool],
        serves_meanwhile: Callable[[Entry[V]], bool],
    ) -> Entry[V]:
        """What is kept under a name, after asking for it where that does not serve.

        ``fetch`` writes into the entry what it found; what it leaves stays. Whom the entry
        ``serves_meanwhile`` does not wait for what is being fetched for somebody else: a server
        that is slow holds up nobody else.
        """
        entry = self._entry(name)
        if self._rests(entry):
            waits = entry.turn.locked() and not serves_meanwhile(entry)
        else:
            waits = not serves(entry)
        if waits:
            async with entry.turn:
                if not self._rests(entry) and not serves(entry):
                    await fetch(entry)
        return entry

    def _rests(self, entry: Entry[V]) -> bool:
        return self._clock() < entry.rests_until

    def _entry(self, name: Hashable) -> Entry[V]:
        entry = self._entries.get(name)
        if entry is None:
            while len(self._entries) >= self._most:
                self._entries.popitem(last=False)
            entry = self._entries[name] = Entry()
        else:
            self._entries.move_to_end(name)
        return entry
