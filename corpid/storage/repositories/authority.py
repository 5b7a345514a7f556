"""Representations and mandates, with every change kept."""

from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy import insert as insert_into

from corpid.domain.errors import IllegalTransition
from corpid.domain.mandate import (
    HolderKind,
    Limit,
    Mandate,
    MandateEvent,
    MandateState,
    MandateTerms,
    RepresentationType,
    Side,
    SigningRule,
    Substitution,
)
from corpid.domain.organisation import Representation, Role
from corpid.services.records import MandateHistoryRow
from corpid.storage.constructs import adding, changing, given, shared, table
from corpid.storage.mapping import words
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_representation = table("representation")
_mandate = table("mandate")
_event = table("mandate_event")
_organisation = table("organisation")
_registration = table("registration")
_identifier = table("identifier")
_person = table("person")

_FINAL: Final = [MandateState.ENDED.value, MandateState.DECLINED.value]
_OPEN: Final = _representation.c.ended_at.is_(None)
_REPRESENTATION: Final = shared(
    select(*_representation.c).where(given(_representation.c.representation_id))
)
_OF_PERSON: Final = shared(
    select(*_representation.c)
    .where(given(_representation.c.person_id), _OPEN)
    .order_by(_representation.c.recorded_at, _representation.c.representation_id)
)
_OF_PERSON_AT: Final = Statement(
    select(*_representation.c)
    .where(
        given(_representation.c.person_id),
        _representation.c.recorded_at <= bindparam("at"),
        or_(_OPEN, _representation.c.ended_at > bindparam("at")),
    )
    .order_by(_representation.c.recorded_at, _representation.c.representation_id)
)
_IN_ORGANISATION: Final = (
    select(*_representation.c)
    .where(given(_representation.c.organisation_id))
    .order_by(_representation.c.recorded_at, _representation.c.representation_id)
)
_OPEN_IN: Final = Statement(_IN_ORGANISATION.where(_OPEN))
_OPEN_IN_AT: Final = Statement(
    _IN_ORGANISATION.where(
        _representation.c.recorded_at <= bindparam("at"),
        or_(_OPEN, _representation.c.ended_at > bindparam("at")),
    )
)
_ADD_REPRESENTATION: Final = adding(_representation)
_END_REPRESENTATION: Final = changing(
    _representation, given(_representation.c.representation_id), _OPEN, ended_at=bindparam("now")
)

# Inside a write it is read to be changed: two that only shared it would wait for each other.
_ONE_MANDATE: Final = select(*_mandate.c).where(given(_mandate.c.mandate_id))
_MANDATE: Final = Statement(_ONE_MANDATE), Statement(_ONE_MANDATE.with_for_update())
_HELD_BY: Final = shared(
    select(*_mandate.c)
    .where(given(_mandate.c.holder_kind), given(_mandate.c.holder_id))
    .order_by(_mandate.c.created_at, _mandate.c.mandate_id)
)
_GIVEN_BY: Final = Statement(
    select(*_mandate.c)
    .where(given(_mandate.c.organisation_id))
    .order_by(_mandate.c.created_at, _mandate.c.mandate_id)
)
# One row of what an issuance rests on; corrected numbers count too, though they are rows apart.
_NUMBERS: Final = (
    select(func.max(_identifier.c.recorded_at))
    .where(_identifier.c.organisation_id == _organisation.c.organisation_id)
    .scalar_subquery()
)
_ENDED_NUMBERS: Final = (
    select(func.max(func.coalesce(_identifier.c.ended_at, _identifier.c.valid_to)))
    .where(_identifier.c.organisation_id == _organisation.c.organisation_id)
    .scalar_subquery()
)
_BASIS: Final = (
    select(
        _organisation.c.suspended_at,
        _registration.c.recorded_at,
        _person.c.closed_at,
        _NUMBERS,
        _ENDED_NUMBERS,
    )
    .select_from(_organisation)
    .join(_registration, _registration.c.organisation_id == _organisation.c.organisation_id)
    .join(_person, given(_person.c.person_id))
    .where(given(_organisation.c.organisation_id), _registration.c.ended_at.is_(None))
)
_BASIS_ROWS: Final = (_organisation, _registration, _person)
_STANDING_BY_MANDATE: Final = shared(
    _BASIS.join(_mandate, given(_mandate.c.mandate_id, "authority")).add_columns(
        _mandate.c.state, _mandate.c.changed_at
    ),
    *_BASIS_ROWS,
    _mandate,
)
_STANDING_BY_REGISTER: Final = shared(
    _BASIS.join(
        _representation, given(_representation.c.representation_id, "authority")
    ).add_columns(_representation.c.recorded_at, _representation.c.ended_at),
    *_BASIS_ROWS,
    _representation,
)
_HISTORY: Final = Statement(
    select(
        _event.c.sequence,
        _event.c.event,
        _event.c.side,
        _event.c.actor,
        _event.c.state,
        _event.c.grantor_accepted,
        _event.c.holder_accepted,
        _event.c.reason,
        _event.c.recorded_at,
    )
    .where(given(_event.c.mandate_id))
    .order_by(_event.c.sequence)
)
_ADD_MANDATE: Final = adding(_mandate)
# A final state stays, whatever two transactions have read before they write.
_CHANGE_MANDATE: Final = changing(
    _mandate,
    given(_mandate.c.mandate_id),
    _mandate.c.state.not_in(_FINAL),
    state=bindparam("new_state"),
    grantor_accepted=bindparam("grantor"),
    holder_accepted=bindparam("holder"),
    changed_at=bindparam("now"),
)
_NEXT: Final = (
    select(func.coalesce(func.max(_event.c.sequence), 0) + 1)
    .where(given(_event.c.mandate_id))
    .scalar_subquery()
)
_ADD_EVENT: Final = Statement(
    insert_into(_event).values(
        mandate_id=bindparam("mandate_id"),
        sequence=_NEXT,
        event=bindparam("event"),
        side=bindparam("side"),
        actor=bindparam("actor"),
        state=bindparam("state"),
        grantor_accepted=bindparam("grantor_accepted"),
        holder_accepted=bindparam("holder_accepted"),
        reason=bindparam("reason"),
        recorded_at=bindparam("recorded_at"),
    )
)


class SqlAuthority(Repository):
    """``services.ports.Authority``.

    Inside a write, what decides whether somebody may act (single reads, and what a person or
    organisation holds) is kept from changing until the write is over.
    """

    __slots__ = ()

    async def representation(self, representation_id: str) -> Representation | None:
        """A representation, ended ones too."""
        row = await self._in.reads.one(
            _REPRESENTATION[self._in.locking], representation_id=representation_id
        )
        return None if row is None else _representation_of(row)

    async def representations_of(
        self, person_id: str, at_ms: int | None = None
    ) -> list[Representation]:
        """The person's open representations, or those recorded as open at an instant."""
        if at_ms is None:
            found = await self._in.reads.all(_OF_PERSON[self._in.locking], person_id=person_id)
        else:
            found = await self._in.reads.all(_OF_PERSON_AT, person_id=person_id, at=at_ms)
        return [_representation_of(row) for row in found]

    async def representations_in(
        self, organisation_id: str, at_ms: int | None = None
    ) -> list[Representation]:
        """Open ones, or those recorded as open at an instant."""
        if at_ms is None:
            found = await self._in.reads.all(_OPEN_IN, organisation_id=organisation_id)
        else:
            found = await self._in.reads.all(_OPEN_IN_AT, organisation_id=organisation_id, at=at_ms)
        return [_representation_of(row) for row in found]

    async def add_representation(self, representation: Representation) -> None:
        """Add one; the same person, role and organisation must have none open."""
        await self._in.writes.execute(
            _ADD_REPRESENTATION,
            representation_id=representation.representation_id,
            organisation_id=representation.organisation_id,
            person_id=representation.person_id,
            role=representation.role.value,
            valid_from=representation.valid_from,
            valid_to=representation.valid_to,
            source=representation.source,
            as_of=representation.as_of,
            recorded_at=representation.recorded_at,
            ended_at=representation.ended_at,
        )

    async def end_representation(self, representation_id: str, now_ms: int) -> bool:
        """End it; False when it has ended already or is not known."""
        changed = await self._in.writes.execute(
            _END_REPRESENTATION, representation_id=representation_id, now=now_ms
        )
        return changed == 1

    async def mandate(self, mandate_id: str) -> Mandate | None:
        """A mandate in whatever state."""
        row = await self._in.reads.one(_MANDATE[self._in.locking], mandate_id=mandate_id)
        return None if row is None else _mandate_of(row)

    async def mandates_held_by(self, holder_kind: str, holder_id: str) -> list[Mandate]:
        """Every mandate given to a person or an agent organisation, in whatever state."""
        found = await self._in.reads.all(
            _HELD_BY[self._in.locking], holder_kind=str(holder_kind), holder_id=holder_id
        )
        return [_mandate_of(row) for row in found]

    async def mandates_in(self, organisation_id: str) -> list[Mandate]:
        """Every mandate that an organisation gave, in whatever state."""
        found = await self._in.reads.all(_GIVEN_BY, organisation_id=organisation_id)
        return [_mandate_of(row) for row in found]

    async def standing(
        self, organisation_id: str, person_id: str, authority: str
    ) -> tuple[object, ...] | None:
        """A value that changes when what an act of this authority rests on does."""
        for statement in (_STANDING_BY_MANDATE, _STANDING_BY_REGISTER):
            row = await self._in.reads.one(
                statement[self._in.locking],
                organisation_id=organisation_id,
                person_id=person_id,
                authority=authority,
            )
            if row is not None:
                return row
        return None

    async def mandate_history(self, mandate_id: str) -> list[MandateHistoryRow]:
        """All that happened to a mandate, in order."""
        found = await self._in.reads.all(_HISTORY, mandate_id=mandate_id)
        return [_history_row(row) for row in found]

    async def add_mandate(self, mandate: Mandate, side: Side, actor: str, reason: str = "") -> None:
        """Add a mandate with its first event, ``propose``."""
        terms = mandate.terms
        limit, rule = terms.limit, terms.signing_rule
        await self._in.writes.execute(
            _ADD_MANDATE,
            mandate_id=mandate.mandate_id,
            organisation_id=mandate.organisation_id,
            holder_kind=mandate.holder_kind.value,
            holder_id=mandate.holder_id,
            powers=words(terms.powers),
            services=words(terms.services),
            limit_amount=None if limit is None else limit.amount,
            limit_currency=None if limit is None else limit.currency,
            representation_type=terms.representation_type.value,
            signing_group=None if rule is None else rule.group,
            min_signers=None if rule is None else rule.min_signers,
            substitution=terms.substitution.value,
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            parent_id=mandate.parent_id,
            state=mandate.state.value,
            grantor_accepted=int(mandate.grantor_accepted),
            holder_accepted=int(mandate.holder_accepted),
            created_at=mandate.created_at,
            changed_at=mandate.changed_at,
        )
        await self._add_event(mandate, MandateEvent.PROPOSE, side, actor, reason)

    async def change_mandate(
        self, mandate: Mandate, event: MandateEvent, side: Side, actor: str, reason: str = ""
    ) -> None:
        """Write the new state and its event; ``mandate.changed_at`` is the recorded time.

        Raises:
            IllegalTransition: the mandate has come to a final state meanwhile, or is not known.
        """
        changed = await self._in.writes.execute(
            _CHANGE_MANDATE,
            mandate_id=mandate.mandate_id,
            new_state=mandate.state.value,
            grantor=int(mandate.grantor_accepted),
            holder=int(mandate.holder_accepted),
            now=mandate.changed_at,
        )
        if not changed:
            raise IllegalTransition("the mandate has been ended or declined already")
        await self._add_event(mandate, event, side, actor, reason)

    async def _add_event(
        self, mandate: Mandate, event: MandateEvent, side: Side, actor: str, reason: str
    ) -> None:
        await self._in.writes.execute(
            _ADD_EVENT,
            mandate_id=mandate.mandate_id,
            event=event.value,
            side=side.value,
            actor=actor,
            state=mandate.state.value,
            grantor_accepted=int(mandate.grantor_accepted),
            holder_accepted=int(mandate.holder_accepted),
            reason=reason,
            recorded_at=mandate.changed_at,
        )


def _representation_of(row: tuple[Any, ...]) -> Representation:
    representation_id, organisation_id, person_id, role, *rest = row
    return Representation(representation_id, organisation_id, person_id, Role(role), *rest)


def _mandate_of(row: tuple[Any, ...]) -> Mandate:
    (
        mandate_id,
        organisation_id,
        holder_kind,
        holder_id,
        powers,
        services,
        limit_amount,
        limit_currency,
        representation_type,
        signing_group,
        min_signers,
        substitution,
        valid_from,
        valid_until,
        parent_id,
        state,
        grantor_accepted,
        holder_accepted,
        created_at,
        changed_at,
    ) = row
    return Mandate(
        mandate_id=mandate_id,
        organisation_id=organisation_id,
        holder_kind=HolderKind(holder_kind),
        holder_id=holder_id,
        terms=MandateTerms(
            powers=tuple(powers.split()),
            services=tuple(services.split()),
            limit=None if limit_amount is None else Limit(limit_amount, limit_currency),
            representation_type=RepresentationType(representation_type),
            signing_rule=None if signing_group is None else SigningRule(signing_group, min_signers),
            substitution=Substitution(substitution),
            valid_from=valid_from,
            valid_until=valid_until,
        ),
        state=MandateState(state),
        grantor_accepted=bool(grantor_accepted),
        holder_accepted=bool(holder_accepted),
        parent_id=parent_id,
        created_at=created_at,
        changed_at=changed_at,
    )


def _history_row(row: tuple[Any, ...]) -> MandateHistoryRow:
    sequence, event, side, actor, state, grantor, holder, reason, recorded_at = row
    return MandateHistoryRow(
        sequence=sequence,
        event=MandateEvent(event),
        side=Side(side),
        actor=actor,
        state=MandateState(state),
        grantor_accepted=bool(grantor),
        holder_accepted=bool(holder),
        reason=reason,
        recorded_at=recorded_at,
    )
