"""Authorities that were looked up before, for as long as nothing has changed.

Every change of an organisation, person, representation or mandate raises the counter
``authority`` in its own transaction. What was found under a value of the counter is true as long
as the counter has that value; so comparing it on each use replaces any lifetime.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from corpid.domain.dates import hong_kong_day
from corpid.domain.errors import NotAllowed
from corpid.domain.person import Person
from corpid.services.authorities import ActingAuthority, authorities_of, require_authority
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock

_COUNTER: Final = "authority"
_REMEMBERED: Final = 8192
_NEVER_RAISED: Final = 0


@dataclass(frozen=True, slots=True)
class _Known:
    version: int
    value: Any


class KnownAuthorities:
    """Who may act for whom, now. Nothing that was refused is remembered."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: LRUCache[Hashable, _Known] = LRUCache(_REMEMBERED)

    async def acting(
        self, person_id: str, organisation_id: str, authority_id: str
    ) -> ActingAuthority:
        """The authority, if it counts now (``require_authority``).

        Raises:
            NotAllowed: it does not, with the reason where one is known.
        """
        now_ms = self._now_ms()
        key = _acting_key(person_id, organisation_id, authority_id, now_ms)
        version = await self._version()
        found: ActingAuthority | None = self._recall(key, version)
        if found is None:
            found = await require_authority(
                self._store.read, person_id, organisation_id, now_ms, authority_id
            )
            self._known[key] = _Known(version, found)
        return found

    async def all_of(self, person_id: str) -> tuple[ActingAuthority, ...]:
        """Every authority of the person that counts now (``authorities_of``)."""
        now_ms = self._now_ms()
        key = ("all", person_id, hong_kong_day(now_ms))
        version = await self._version()
        found: tuple[ActingAuthority, ...] | None = self._recall(key, version)
        if found is None:
            found = tuple(await authorities_of(self._store.read, person_id, now_ms))
            self._known[key] = _Known(version, found)
        return found

    async def person(self, person_id: str) -> Person | None:
        """The person, closed accounts too."""
        key = ("person", person_id)
        version = await self._version()
        found: Person | None = self._recall(key, version)
        if found is None:
            found = await self._store.read.people.by_id(person_id)
            if found is not None:
                self._known[key] = _Known(version, found)
        return found

    async def require_still(
        self, uow: UnitOfWork, person_id: str, organisation_id: str, authority_id: str
    ) -> None:
        """Refuse, inside a write, what was decided a moment ago and is not true any more.

        What is read here cannot change before the write is over: whoever ends an authority or an
        account ends what is being written too, or it is never written. Where there is one writer
        the counter tells that nothing has changed; elsewhere the rows themselves are asked for,
        which keeps them from changing.

        Raises:
            NotAllowed: the account is closed, or the authority counts no longer.
        """
        now_ms = self._now_ms()
        if await self._is_unchanged(uow, person_id, organisation_id, authority_id, now_ms):
            return
        person = await uow.people.by_id(person_id)
        if person is None or person.closed_at is not None:
            raise NotAllowed("the account of this person is closed")
        await require_authority(uow, person_id, organisation_id, now_ms, authority_id)

    async def _is_unchanged(
        self,
        uow: UnitOfWork,
        person_id: str,
        organisation_id: str,
        authority_id: str,
        now_ms: int,
    ) -> bool:
        if not uow.has_one_writer:
            return False
        version = (await uow.operations.changes()).get(_COUNTER, _NEVER_RAISED)
        person: Person | None = self._recall(("person", person_id), version)
        if person is None or person.closed_at is not None:
            return False
        key = _acting_key(person_id, organisation_id, authority_id, now_ms)
        return self._recall(key, version) is not None

    def _recall(self, key: Hashable, version: int) -> Any:
        try:
            known = self._known[key]
        except KeyError:
            return None
        return known.value if known.version == version else None

    async def _version(self) -> int:
        # Read before the facts: a change in between makes them newer than their version says,
        # and they are read once more.
        return (await self._store.read.operations.changes()).get(_COUNTER, _NEVER_RAISED)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _acting_key(
    person_id: str, organisation_id: str, authority_id: str, now_ms: int
) -> tuple[Hashable, ...]:
    # The day is part of the key: authorities begin and end at midnight in Hong Kong.
    return "acting", person_id, organisation_id, authority_id, hong_kong_day(now_ms)
