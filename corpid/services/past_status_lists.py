"""Status lists as they were (Token Status List, 8.4): built from history, when somebody asks.

Each costs a reading and a signature, and anybody may ask: so few are made a second, one at a time,
and the last ones are kept.
"""

import asyncio
from typing import Final

from cachetools import LRUCache

from corpid.services.ports import Store
from corpid.services.signed_status_list import StatusListSigner, served
from keys.clock import Clock
from oidc.errors import TemporarilyUnavailable
from oidc.formats.status_list import StatusList
from oidc.issuer.ports import ServedStatusList

LIFETIME: Final = 60
"""Seconds from ``iat``, the time asked for, to ``exp``: it says nothing of later."""
PER_SECOND: Final = 5
_KEPT: Final = 32


class PastStatusLists:
    """``keeps`` is how long history is kept, in seconds."""

    def __init__(self, store: Store, signer: StatusListSigner, clock: Clock, keeps: int) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._keeps = keeps
        self._made: LRUCache[tuple[str, int], ServedStatusList] = LRUCache(_KEPT)
        self._turn = asyncio.Lock()
        self._second = 0
        self._in_second = 0

    async def at(self, list_id: str, at: int) -> ServedStatusList | None:
        """The list as it was at ``at`` (epoch seconds); None before it was, or beyond history.

        Raises:
            TemporarilyUnavailable: too much of that is being asked for.
        """
        now = self._clock()
        if not now - self._keeps <= at <= now:
            return None
        known = self._made.get((list_id, at))
        if known is not None:
            return known
        self._count(int(now))
        async with self._turn:
            return await self._make(list_id, at)

    def _count(self, second: int) -> None:
        if second != self._second:
            self._second, self._in_second = second, 0
        if self._in_second >= PER_SECOND or self._turn.locked():
            raise TemporarilyUnavailable("too many past status lists are asked for: try again")
        self._in_second += 1

    async def _make(self, list_id: str, at: int) -> ServedStatusList | None:
        lists = self._store.read.status_lists
        row = await lists.by_id(list_id)
        if row is None or row.created_at > at * 1000:
            return None
        bits = StatusList(row.bits, row.size)
        for index, status in await lists.not_valid_at(list_id, at * 1000):
            bits.set(index, status.code)
        until = at + LIFETIME
        signed = await self._signer.sign(
            list_id, bits, issued_at=at, expires_at=until, ttl=LIFETIME
        )
        made = self._made[list_id, at] = served(*signed, at, until, LIFETIME)
        return made
