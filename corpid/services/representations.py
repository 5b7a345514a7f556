"""Representations: what a register says that a person is to an organisation."""

from datetime import date

from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import AlreadyExists, InvalidValue, NotAllowed
from corpid.domain.identifiers import new_id
from corpid.domain.organisation import Representation, Role
from corpid.services.organisations import find_organisation
from corpid.services.people import find_person
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock, Random


def checked_day(text: str, what: str) -> str:
    """A Hong Kong date as ISO text.

    Raises:
        InvalidValue: it is not of the form YYYY-MM-DD.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidValue(f"{what}: {text!r} is not a date of the form YYYY-MM-DD")
    return text


class Representations:
    """Adding and listing; ending one is ``services.revocation``'s, for it ends much else."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def add(
        self,
        *,
        organisation: str,
        person: str,
        role: Role,
        actor: str,
        valid_from: str | None = None,
        valid_to: str | None = None,
        source: str = "operator",
        as_of: str | None = None,
    ) -> Representation:
        """Record a role. ``valid_from`` and ``as_of`` are Hong Kong dates, by default today.

        Raises:
            NotFound, InvalidBusinessNumber: the organisation or the person is not known.
            NotAllowed: the account is closed.
            AlreadyExists: the person has this role there already.
            InvalidValue: a date is malformed, or the end lies before the beginning.
        """
        now_ms = int(self._clock() * 1000)
        today = hong_kong_date(now_ms).isoformat()
        begins = checked_day(valid_from or today, "valid-from")
        ends = None if valid_to is None else checked_day(valid_to, "valid-to")
        if ends is not None and ends < begins:
            raise InvalidValue("the representation would end before it begins")
        fresh_id = new_id(self._random)

        async def work(uow: UnitOfWork) -> Representation:
            whose = await find_organisation(uow, organisation)
            who = await find_person(uow, person)
            if who.closed_at is not None:
                raise NotAllowed("this person's account is closed")
            for known in await uow.authority.representations_of(who.person_id):
                if known.organisation_id == whose.organisation_id and known.role is role:
                    raise AlreadyExists(f"this person is {role} of {whose.number} already")
            added = Representation(
                representation_id=fresh_id,
                organisation_id=whose.organisation_id,
                person_id=who.person_id,
                role=role,
                valid_from=begins,
                valid_to=ends,
                source=source,
                as_of=checked_day(as_of or today, "as-of"),
                recorded_at=now_ms,
            )
            await uow.authority.add_representation(added)
            await uow.operations.audit(
                "representation.added",
                {
                    "representation_id": fresh_id,
                    "organisation_id": whose.organisation_id,
                    "person_id": who.person_id,
                    "role": role.value,
                    "source": source,
                    "actor": actor,
                },
            )
            await uow.operations.bump("authority")
            return added

        return await self._store.write(work)

    async def list(
        self,
        *,
        organisation: str | None = None,
        person: str | None = None,
        at_ms: int | None = None,
    ) -> list[Representation]:
        """Those in an organisation, or of a person, or both; at ``at_ms`` as known then.

        Raises:
            InvalidValue: neither is named.
        """
        read = self._store.read
        who = None if person is None else await find_person(read, person)
        if organisation is not None:
            whose = await find_organisation(read, organisation)
            rows = await read.authority.representations_in(whose.organisation_id, at_ms)
            return [one for one in rows if who is None or one.person_id == who.person_id]
        if who is None:
            raise InvalidValue("name an organisation or a person")
        return await read.authority.representations_of(who.person_id, at_ms)
