"""Who may act for whom, now: the one place that decides it.

A person may act alone for an organisation that is live
- as its director, sole proprietor or partner by the register (a company secretary keeps the
  company's filings but does not act for it without a mandate), or
- under an active SOLE mandate given to the person, or
- under an active SOLE mandate given to an agent organisation that the person acts for by the
  register.

Whoever holds a JOINT mandate acts together with others; only what states that itself asks for such
authorities (``joint``).
"""

from datetime import date
from typing import Final

from corpid.domain.authority_need import AuthorityNeed
from corpid.domain.dates import end_of, hong_kong_date
from corpid.domain.errors import NotAllowed
from corpid.domain.mandate import HolderKind, Mandate, MandateState, RepresentationType
from corpid.domain.organisation import Organisation, Representation, Role
from corpid.services.ports import UnitOfWork
from keys.record import record

ACTING_ROLES: Final = frozenset({Role.DIRECTOR, Role.SOLE_PROPRIETOR, Role.PARTNER})


@record
class ActingAuthority:
    """What entitles a person to act for one organisation now: alone, unless its mandate is JOINT.

    ``authority_id`` is the internal id of the representation or mandate. ``via_organisation_id``
    is the agent organisation that the mandate was given to. ``valid_until_ms`` is when it ends by
    its dates (epoch ms, exclusive), None when no end is known.
    """

    authority_id: str
    kind: str  # "representation" or "mandate"
    organisation: Organisation
    role: Role | None
    mandate: Mandate | None
    via_organisation_id: str | None
    valid_from: str
    valid_until: str | None

    @property
    def valid_until_ms(self) -> int | None:
        """The end of ``valid_until``: 24:00 Hong Kong time of that date."""
        return until_ms(self.valid_until)

    @property
    def is_sole(self) -> bool:
        """Whether the person may act alone."""
        return (
            self.mandate is None
            or self.mandate.terms.representation_type is RepresentationType.SOLE
        )

    def covers(self, need: AuthorityNeed) -> bool:
        """Whether it is what a relying party needs."""
        if self.mandate is None:
            return need.met_by_register()
        return need.met_by(self.mandate.terms)


def until_ms(day: str | None) -> int | None:
    """24:00 Hong Kong time of an ISO date, in epoch ms."""
    return None if day is None else end_of(date.fromisoformat(day))


async def authorities_of(
    uow: UnitOfWork, person_id: str, now_ms: int, *, joint: bool = False
) -> list[ActingAuthority]:
    """Every authority of the person that counts now, strongest kind first, one per authority.

    With ``joint`` also those to act together with others.
    """
    today = hong_kong_date(now_ms).isoformat()
    found: list[ActingAuthority] = []
    agents: dict[str, str | None] = {}
    for representation in await uow.authority.representations_of(person_id):
        if not _acts(representation, today):
            continue
        organisation = await uow.organisations.by_id(representation.organisation_id)
        if organisation is None or not organisation.is_live:
            continue
        agent = organisation.organisation_id
        agents[agent] = _later(representation.valid_to, agents.get(agent, ""))
        found.append(_by_register(organisation, representation))
    for mandate in await uow.authority.mandates_held_by(HolderKind.PERSON, person_id):
        await _add_mandate(uow, mandate, None, None, today, found)
    for agent, until in agents.items():
        for mandate in await uow.authority.mandates_held_by(HolderKind.ORGANISATION, agent):
            await _add_mandate(uow, mandate, agent, until, today, found)
    return found if joint else [one for one in found if one.is_sole]


async def require_authority(
    uow: UnitOfWork,
    person_id: str,
    organisation_id: str,
    now_ms: int,
    authority_id: str | None = None,
    *,
    joint: bool = False,
) -> ActingAuthority:
    """The authority by which the person acts for the organisation: this one, or the first.

    With ``joint`` it may be one to act together with others.

    Raises:
        NotAllowed: there is none now, with the reason where one is known.
    """
    if authority_id is None:
        found = await authorities_of(uow, person_id, now_ms, joint=joint)
    else:
        found = await _named(uow, person_id, authority_id, hong_kong_date(now_ms).isoformat())
    for authority in found:
        if authority.organisation.organisation_id == organisation_id and (
            joint or authority.is_sole
        ):
            return authority
    raise NotAllowed(await _why_not(uow, person_id, organisation_id, now_ms))


async def _named(
    uow: UnitOfWork, person_id: str, authority_id: str, today: str
) -> list[ActingAuthority]:
    """That one authority, if it counts now: by its id, however many others the person has."""
    representation = await uow.authority.representation(authority_id)
    if representation is not None:
        if representation.person_id != person_id or not _acts(representation, today):
            return []
        organisation = await uow.organisations.by_id(representation.organisation_id)
        if organisation is None or not organisation.is_live:
            return []
        return [_by_register(organisation, representation)]
    mandate = await uow.authority.mandate(authority_id)
    found: list[ActingAuthority] = []
    if mandate is None:
        return found
    if mandate.holder_kind is HolderKind.PERSON:
        if mandate.holder_id == person_id:
            await _add_mandate(uow, mandate, None, None, today, found)
        return found
    roles = [
        one
        for one in await uow.authority.representations_of(person_id)
        if one.organisation_id == mandate.holder_id and _acts(one, today)
    ]
    agent = await uow.organisations.by_id(mandate.holder_id)
    if roles and agent is not None and agent.is_live:
        until: str | None = ""
        for one in roles:
            until = _later(one.valid_to, until)
        await _add_mandate(uow, mandate, mandate.holder_id, until, today, found)
    return found


def _acts(representation: Representation, today: str) -> bool:
    return representation.role in ACTING_ROLES and representation.holds_on(today)


def _by_register(organisation: Organisation, representation: Representation) -> ActingAuthority:
    return ActingAuthority(
        authority_id=representation.representation_id,
        kind="representation",
        organisation=organisation,
        role=representation.role,
        mandate=None,
        via_organisation_id=None,
        valid_from=representation.valid_from,
        valid_until=representation.valid_to,
    )


async def _add_mandate(
    uow: UnitOfWork,
    mandate: Mandate,
    agent: str | None,
    agent_until: str | None,
    today: str,
    found: list[ActingAuthority],
) -> None:
    if mandate.state_on(today) is not MandateState.ACTIVE:
        return
    organisation = await uow.organisations.by_id(mandate.organisation_id)
    if organisation is None or not organisation.is_live:
        return
    if not await passed_on_stands(uow, mandate, today):
        return
    found.append(
        ActingAuthority(
            authority_id=mandate.mandate_id,
            kind="mandate",
            organisation=organisation,
            role=None,
            mandate=mandate,
            via_organisation_id=agent,
            valid_from=mandate.terms.valid_from,
            # Through an agent it ends with the person's role there, if that is earlier.
            valid_until=_earlier(mandate.terms.valid_until, agent_until),
        )
    )


async def passed_on_stands(uow: UnitOfWork, mandate: Mandate, today: str) -> bool:
    """Whether every mandate that this one was passed on from is active: nobody gives what he has
    not, also while it is suspended.
    """
    while mandate.parent_id is not None:
        parent = await uow.authority.mandate(mandate.parent_id)
        if parent is None or parent.state_on(today) is not MandateState.ACTIVE:
            return False
        mandate = parent
    return True


def _earlier(one: str | None, other: str | None) -> str | None:
    """The earlier of two days; None is never."""
    return min((day for day in (one, other) if day is not None), default=None)


def _later(one: str | None, other: str | None) -> str | None:
    """The later of two days; None is never."""
    return None if one is None or other is None else max(one, other)


async def _why_not(uow: UnitOfWork, person_id: str, organisation_id: str, now_ms: int) -> str:
    today = hong_kong_date(now_ms).isoformat()
    organisation = await uow.organisations.by_id(organisation_id)
    if organisation is None:
        return "this organisation is not known"
    if organisation.suspended_at is not None:
        return "this organisation is suspended"
    if not organisation.is_live:
        status = organisation.registration.status
        return f"the register says that this organisation is not live ({status})"
    for mandate in await uow.authority.mandates_held_by(HolderKind.PERSON, person_id):
        if mandate.organisation_id != organisation_id:
            continue
        return await _why_not_by(uow, mandate, today)
    return "this person has no representation in, and no mandate from, this organisation"


async def _why_not_by(uow: UnitOfWork, mandate: Mandate, today: str) -> str:
    state = mandate.state_on(today)
    if state is not MandateState.ACTIVE:
        return f"the mandate for this organisation is not active ({state})"
    if not await passed_on_stands(uow, mandate, today):
        return "the mandate that this one was passed on from is not active"
    return "the mandate for this organisation is joint: further signers must act together"
