"""Leaving the open status lists for new ones, so that no entry can be given out twice.

The counter of a list is in the database. Where the database goes on from an earlier moment, by a
backup or a standby that lagged behind, it would count over what was given out since. Lists that are
made after that moment were never anybody's: their ids are random.
"""

from typing import Final

from corpid.services.bootstrap import STATUS_LIST_SIZE, STATUS_LISTS, new_status_list
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock, Random
from keys.sealing import MasterKey

_LINEAGE: Final = "lineage"


class StatusReopening:
    """The use case, and the check at every start that makes it happen by itself."""

    def __init__(self, store: Store, master: MasterKey, clock: Clock, random: Random) -> None:
        self._store = store
        self._master = master
        self._clock = clock
        self._random = random

    async def open_lists(self) -> list[str]:
        """The lists that entries are given from."""
        heads = await self._store.read.status_lists.heads()
        return [head.list_id for head in heads if head.closed_at is None]

    async def reopen(self, actor: str, reason: str) -> list[str]:
        """Close every open list and open new ones; which were closed.

        They are served on. Other processes give out no more entries of them from their next look
        at the status counter on.
        """
        return await self._store.write(lambda uow: self._reopen(uow, actor, reason))

    async def follow(self, lineage: str) -> list[str]:
        """Reopen if the database is not the one that it was; which lists were closed.

        ``lineage`` is what it is now (``storage.lineage``), empty where that cannot be known.
        """
        if not lineage:
            return []
        known = (await self._store.read.operations.meta()).get(_LINEAGE)
        if known == lineage:
            return []

        async def work(uow: UnitOfWork) -> list[str]:
            await uow.operations.bump("status")  # the row's lock: one process does it
            if (await uow.operations.meta()).get(_LINEAGE) == lineage:
                return []
            await uow.operations.set_meta(_LINEAGE, lineage)
            if known is None:  # the first look: nothing to compare with
                return []
            return await self._reopen(uow, "service", "the database was restored or taken over")

        return await self._store.write(work)

    async def _reopen(self, uow: UnitOfWork, actor: str, reason: str) -> list[str]:
        now_ms = int(self._clock() * 1000)
        heads = await uow.status_lists.heads()
        closed = [
            head.list_id
            for head in heads
            if head.closed_at is None and await uow.status_lists.close(head.list_id, now_ms)
        ]
        for _ in range(STATUS_LISTS):
            row = new_status_list(self._master, now_ms, self._random, STATUS_LIST_SIZE)
            await uow.status_lists.add(row)
        await uow.operations.audit(
            "status_lists.reopened", {"closed": closed, "reason": reason, "actor": actor}
        )
        await uow.operations.bump("status")
        return closed
