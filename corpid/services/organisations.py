"""Organisations: found by any spelling of their number, searched, added by hand, shown at a time.

What registers say comes in through `register_import`; this is for one organisation at a time.
"""

from dataclasses import dataclass, replace
from typing import Final

from corpid.domain.business_number import BusinessNumber, parse_business_number
from corpid.domain.dates import instant_text
from corpid.domain.errors import AlreadyExists, NotFound
from corpid.domain.identifiers import new_id
from corpid.domain.mandate import Mandate
from corpid.domain.organisation import (
    Branch,
    Identifier,
    IdentifierScheme,
    Organisation,
    Registration,
    Representation,
)
from corpid.domain.register_entry import RegisterEntry
from corpid.services.mandates import as_known_at
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock, Random

SCHEMES: Final = {"brn": IdentifierScheme.HK_BRN, "cr_dummy": IdentifierScheme.HK_CR_DUMMY}
_MAX_FOUND: Final = 200


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation as it was known at an instant (``at_ms``), with everything around it."""

    organisation: Organisation
    identifiers: tuple[Identifier, ...]
    branches: tuple[Branch, ...]
    representations: tuple[Representation, ...]
    mandates: tuple[Mandate, ...]
    at_ms: int


async def find_organisation(uow: UnitOfWork, number: str) -> Organisation:
    """The organisation of a number in any spelling; of a branch, the business it belongs to.

    Raises:
        InvalidBusinessNumber: the text is no number, and why.
        NotFound: no organisation has this number, or it has no such branch.
    """
    parsed = parse_business_number(number)
    found = await uow.organisations.by_number(SCHEMES[parsed.kind], parsed.value)
    if found is None:
        raise NotFound(
            f"no organisation with the number {parsed} is known: check the number, or import a "
            "register that has it"
        )
    if not parsed.is_head_office:
        branches = await uow.organisations.branches(found.organisation_id)
        if parsed.branch not in {branch.code for branch in branches}:
            raise NotFound(f"{parsed.value} is known, but it has no branch {parsed.branch}")
    return found


def branch_of(entry: RegisterEntry, organisation_id: str) -> Branch:
    """A register entry of a branch as what is stored of it."""
    code = entry.number.branch
    assert code is not None
    return Branch(
        organisation_id, code, entry.names, entry.address or "", entry.source, entry.as_of
    )


def registration_of(entry: RegisterEntry, organisation_id: str, now_ms: int) -> Registration:
    """A register entry as the facts that are stored of an organisation."""
    return Registration(
        organisation_id=organisation_id,
        entity_type=entry.entity_type.value,
        type_text=entry.type_text or "",
        status=entry.status.value,
        names=entry.names,
        address=entry.address or "",
        incorporated_on=entry.incorporated_on or entry.registered_on,
        place_of_incorporation=entry.place_of_incorporation,
        digest=entry.digest(),
        source=entry.source,
        as_of=entry.as_of,
        recorded_at=now_ms,
    )


def identifier_of(entry: RegisterEntry, now_ms: int) -> Identifier:
    """The number of a register entry, as it is known from now on."""
    number = entry.number
    scheme = SCHEMES[number.kind]
    return Identifier(scheme, number.value, now_ms, None, entry.source, entry.as_of)


class Organisations:
    """The use cases around one organisation."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def find(self, number: str) -> Organisation:
        """See ``find_organisation``."""
        return await find_organisation(self._store.read, number)

    async def search(self, text: str, limit: int = 20) -> list[Organisation]:
        """Organisations whose number, or a name in any script, begins with the text."""
        text = " ".join(text.split())
        if not text:
            return []
        return await self._store.read.organisations.search(text, max(1, min(limit, _MAX_FOUND)))

    async def show(self, number: str, at_ms: int | None = None) -> OrganisationView:
        """An organisation as it is, or as it was known at ``at_ms`` (epoch ms).

        Raises:
            InvalidBusinessNumber: the text is no number.
            NotFound: it is not known, or was not known then.
        """
        read = self._store.read
        now_ms = int(self._clock() * 1000)
        organisation = await find_organisation(read, number)
        organisation_id = organisation.organisation_id
        identifiers = await read.organisations.identifiers(organisation_id)
        branches = await read.organisations.branches(organisation_id)
        mandates = await read.authority.mandates_in(organisation_id)
        if at_ms is not None:
            registration = await read.organisations.registration_at(organisation_id, at_ms)
            if registration is None:
                raise NotFound(
                    f"{organisation.number} is known now, but was not known at "
                    f"{instant_text(at_ms)}"
                )
            suspended = organisation.suspended_at
            organisation = replace(
                organisation,
                registration=registration,
                suspended_at=suspended if suspended and suspended <= at_ms else None,
            )
            identifiers = [one for one in identifiers if _holds(one, at_ms)]
            mandates = await self._mandates_at(mandates, at_ms)
        return OrganisationView(
            organisation=organisation,
            identifiers=tuple(identifiers),
            branches=tuple(branches),
            representations=tuple(await read.authority.representations_in(organisation_id, at_ms)),
            mandates=tuple(mandates),
            at_ms=now_ms if at_ms is None else at_ms,
        )

    async def _mandates_at(self, mandates: list[Mandate], at_ms: int) -> list[Mandate]:
        known = []
        for mandate in mandates:
            history = await self._store.read.authority.mandate_history(mandate.mandate_id)
            then = as_known_at(mandate, history, at_ms)
            if then is not None:
                known.append(then)
        return known

    async def add(self, entry: RegisterEntry, actor: str) -> Organisation:
        """Add an organisation, or a branch of one that is known, from what somebody looked up.

        Raises:
            AlreadyExists: the number is known already.
            NotFound: a branch of a business that is not known.
        """
        now_ms = int(self._clock() * 1000)
        number = entry.number
        fresh_id = new_id(self._random)

        async def work(uow: UnitOfWork) -> Organisation:
            if not number.is_head_office:
                return await _add_branch(uow, entry, number, actor, now_ms)
            scheme = SCHEMES[number.kind]
            if await uow.organisations.by_number(scheme, number.value) is not None:
                raise AlreadyExists(f"an organisation with the number {number} exists already")
            registration = registration_of(entry, fresh_id, now_ms)
            await uow.organisations.add(fresh_id, identifier_of(entry, now_ms), registration)
            await uow.operations.audit(
                "organisation.added",
                {
                    "organisation_id": fresh_id,
                    "number": number.value,
                    "source": entry.source,
                    "as_of": entry.as_of,
                    "actor": actor,
                },
            )
            await uow.operations.bump("authority")
            return Organisation(fresh_id, scheme, number.value, registration, None)

        return await self._store.write(work)


async def _add_branch(
    uow: UnitOfWork, entry: RegisterEntry, number: BusinessNumber, actor: str, now_ms: int
) -> Organisation:
    owner = await find_organisation(uow, number.value)
    branch = branch_of(entry, owner.organisation_id)
    known = await uow.organisations.branches(owner.organisation_id)
    if any(one.code == branch.code for one in known):
        raise AlreadyExists(f"{number.value} has a branch {branch.code} already")
    await uow.organisations.add_branch(branch, now_ms)
    await uow.operations.audit(
        "organisation.branch_added",
        {"organisation_id": owner.organisation_id, "branch": branch.code, "actor": actor},
    )
    return owner


def _holds(identifier: Identifier, at_ms: int) -> bool:
    return identifier.valid_from <= at_ms and (
        identifier.valid_to is None or at_ms < identifier.valid_to
    )
