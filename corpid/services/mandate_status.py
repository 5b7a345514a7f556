"""The status entry of each pair of client sector and mandate.

A shared index would link what pairwise subjects keep apart, so every sector gets an entry of its
own, made when a client first needs it; ending the mandate flips them all.
"""

from typing import Any, Final, Protocol

from cachetools import LRUCache

from corpid.domain.credential import StatusEntry
from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import NotAllowed
from corpid.domain.mandate import HolderKind, MandateState
from corpid.services.authorities import passed_on_stands
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock

_REMEMBERED: Final = 8192


class EntryAllocator(Protocol):
    """Where fresh status entries come from."""

    async def reserve(self) -> StatusEntry:
        """An entry that nobody else has or will have. Not to be called inside a write."""


class MandateStatus:
    """Finds or makes the entry; ``status_url`` is the URL under which the lists are served."""

    def __init__(
        self, store: Store, allocator: EntryAllocator, clock: Clock, status_url: str
    ) -> None:
        self._store = store
        self._allocator = allocator
        self._clock = clock
        self._status_url = status_url
        # An entry is made once and stays what it is; only its status changes.
        self._entries: LRUCache[tuple[str, str], StatusEntry] = LRUCache(_REMEMBERED)

    async def claim(self, authority: str, sector: str) -> dict[str, Any]:
        """The ``status`` claim of an artefact (Token Status List, section 6.1).

        Raises:
            NotAllowed: the authority has ended.
        """
        entry = self._entries.get((authority, sector))
        if entry is None:
            entry = await self._store.read.status_lists.mandate_entry(authority, sector)
            if entry is None:
                entry = await self._create(authority, sector)
            self._entries[authority, sector] = entry
        return {"status_list": {"idx": entry.index, "uri": f"{self._status_url}/{entry.list_id}"}}

    async def _create(self, authority: str, sector: str) -> StatusEntry:
        fresh = await self._allocator.reserve()
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> None:
            # Whoever ends the authority flips the entries that there are: none may come after.
            if not await _stands(uow, authority, now_ms):
                raise NotAllowed("the authority has ended")
            # When another process was first, its entry counts and ours is lost.
            await uow.status_lists.add_mandate_entry(authority, sector, fresh, now_ms)

        await self._store.write(work)
        entry = await self._store.read.status_lists.mandate_entry(authority, sector)
        assert entry is not None
        return entry


async def _stands(uow: UnitOfWork, authority: str, now_ms: int) -> bool:
    """Whether nobody has ended or suspended it, by whatever act: a fresh entry says valid."""
    mandate = await uow.authority.mandate(authority)
    if mandate is not None:
        today = hong_kong_date(now_ms).isoformat()
        by_agent = mandate.holder_kind is HolderKind.ORGANISATION
        return (
            mandate.state is MandateState.ACCEPTED
            and await passed_on_stands(uow, mandate, today)
            and await _is_live(uow, mandate.organisation_id)
            and (not by_agent or await _is_live(uow, mandate.holder_id))
        )
    held = await uow.authority.representation(authority)
    if held is None or held.ended_at is not None:
        return False
    person = await uow.people.by_id(held.person_id)
    is_open = person is not None and person.closed_at is None
    return is_open and await _is_live(uow, held.organisation_id)


async def _is_live(uow: UnitOfWork, organisation_id: str) -> bool:
    organisation = await uow.organisations.by_id(organisation_id)
    return organisation is not None and organisation.is_live
