"""Where status entries come from: unique by construction, and in an order that nobody can guess.

A list's counter is reserved in blocks by each process; the n-th entry of a list is the image of n
under a keyed permutation of the list's places. Two processes never get the same counter value,
so never the same place; and without the key, places tell neither order nor number of issuances
(Token Status List, 12.5: unlinkability).
"""

import asyncio
import hashlib
import struct
from collections import deque
from typing import Final

from corpid.domain.credential import StatusEntry
from corpid.domain.errors import ListFull
from corpid.services.bootstrap import STATUS_LIST_SIZE, new_status_list, permutation_context
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import StatusListRow
from keys.clock import Clock, Random
from keys.sealing import MasterKey

BLOCK: Final = 64
OPEN_LISTS: Final = 3
MAX_LISTS: Final = 1024
MAX_BITS: Final = 24
_ROUNDS: Final = 8


class Permutation:
    """A keyed bijection of ``range(size)``: a balanced Feistel network.

    ``size`` is a power of four, so that both halves have the same number of bits. Eight rounds:
    four make a strong pseudo-random permutation (Luby and Rackoff), the rest is margin for the
    small domain. The halves are so short that every round function is a table, made once.

    Raises ValueError for another size.
    """

    __slots__ = ("_half", "_mask", "_rounds", "size")

    def __init__(self, key: bytes, size: int) -> None:
        bits = size.bit_length() - 1
        if not 2 <= bits <= MAX_BITS or bits % 2 or size != 1 << bits:
            raise ValueError(
                f"a permutation needs a size that is a power of four up to 2^{MAX_BITS}"
            )
        self._half = bits // 2
        self._mask = (1 << self._half) - 1
        self._rounds = tuple(_table(key, number, 1 << self._half) for number in range(_ROUNDS))
        self.size = size

    def place(self, counter: int) -> int:
        """The place of the counter-th entry. Raises ValueError outside the list."""
        if not 0 <= counter < self.size:
            raise ValueError("the counter is outside the list")
        left, right = counter >> self._half, counter & self._mask
        for table in self._rounds:
            left, right = right, left ^ table[right] & self._mask
        return left << self._half | right


def _table(key: bytes, number: int, entries: int) -> tuple[int, ...]:
    """A round function: 16 bits for every half, in an order of bytes that no machine changes."""
    stream = hashlib.shake_256(key + number.to_bytes(1, "big")).digest(2 * entries)
    return struct.unpack(f"<{entries}H", stream)


class _OpenList:
    __slots__ = ("list_id", "permutation", "places")

    def __init__(self, row: StatusListRow, master: MasterKey) -> None:
        key = master.open(row.sealed_permutation_key, permutation_context(row.list_id))
        self.list_id = row.list_id
        self.permutation = Permutation(key, row.size)
        self.places: deque[int] = deque()


class StatusAllocator:
    """Hands out status entries that nobody else has or will have.

    A process that stops loses what is left of its blocks, at most 64 places a list: never does
    one come back. ``open_lists`` lists are filled side by side; when one is full another is
    opened, up to ``max_lists``.
    """

    def __init__(
        self,
        store: Store,
        master: MasterKey,
        clock: Clock,
        random: Random,
        *,
        open_lists: int = OPEN_LISTS,
        max_lists: int = MAX_LISTS,
        size: int = STATUS_LIST_SIZE,
        block: int = BLOCK,
    ) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._random = random
        self._wanted = open_lists
        self._max_lists = max_lists
        self._size = size
        self._block = block
        self._open: dict[str, _OpenList] = {}
        self._full: set[str] = set()
        self._refilling = asyncio.Lock()

    async def reserve(self) -> StatusEntry:
        """A fresh entry of a list chosen at random. Not to be called inside a write.

        Raises:
            ListFull: every list is full and no more may be opened.
        """
        while True:
            chosen = self._choose()
            # No await between the look and the taking: two tasks cannot get the same place.
            if chosen is not None and chosen.places:
                return StatusEntry(chosen.list_id, chosen.places.popleft())
            async with self._refilling:
                if chosen is None:
                    await self._open_lists()
                elif not chosen.places:  # else another task has refilled it meanwhile
                    await self._reserve_block(chosen)

    def drop(self, list_id: str) -> None:
        """Give no more entries of this list, not even of blocks that are ours."""
        self._full.add(list_id)
        self._open.pop(list_id, None)

    def _choose(self) -> _OpenList | None:
        if not self._open:
            return None
        lists = list(self._open.values())
        return lists[int.from_bytes(self._random(4), "big") % len(lists)]

    async def _reserve_block(self, chosen: _OpenList) -> None:
        async def work(uow: UnitOfWork) -> int | None:
            return await uow.status_lists.reserve(chosen.list_id, self._block)

        first = await self._store.write(work)
        if first is None:
            self.drop(chosen.list_id)
            await self._open_lists()
            return
        last = min(first + self._block, chosen.permutation.size)
        chosen.places.extend(chosen.permutation.place(one) for one in range(first, last))

    async def _open_lists(self) -> None:
        """Know every list that has room, and make new ones while there are too few."""
        rows = await self._store.read.status_lists.all()
        usable = [row for row in rows if self._has_room(row)]
        missing = self._wanted - len(usable)
        if missing > 0 and len(rows) < self._max_lists:
            usable += await self._add(min(missing, self._max_lists - len(rows)))
        # Lists whose last block is ours may be full for others, and still have places here.
        if not usable and not self._open:
            raise ListFull("every status list is full: no credential can be issued")
        for row in usable:
            if row.list_id not in self._open:
                self._open[row.list_id] = _OpenList(row, self._master)

    def _has_room(self, row: StatusListRow) -> bool:
        return row.closed_at is None and row.list_id not in self._full and row.reserved < row.size

    async def _add(self, count: int) -> list[StatusListRow]:
        now_ms = int(self._clock() * 1000)
        fresh = [
            new_status_list(self._master, now_ms, self._random, self._size) for _ in range(count)
        ]

        async def work(uow: UnitOfWork) -> None:
            for row in fresh:
                await uow.status_lists.add(row)
                await uow.operations.audit("status_list.opened", {"list_id": row.list_id})
            await uow.operations.bump("status")  # publishers learn of it

        await self._store.write(work)
        return fresh
