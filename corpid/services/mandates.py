"""Mandates: given by an organisation, accepted or declined by the other side, ended.

What may follow what is `domain.mandate`'s to say. What ends or interrupts an authority goes
through `services.revocation`, because tokens, sessions and credentials hang on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import InvalidValue, NotAllowed, NotFound
from corpid.domain.identifiers import new_id
from corpid.domain.mandate import (
    HolderKind,
    Mandate,
    MandateEvent,
    MandateState,
    MandateTerms,
    Side,
    Substitution,
    apply,
)
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import MandateHistoryRow
from keys.clock import Clock, Random


@dataclass(frozen=True, slots=True)
class MandateView:
    """A mandate as known at an instant; ``effective`` is the state on the Hong Kong date then."""

    mandate: Mandate
    effective: MandateState
    history: tuple[MandateHistoryRow, ...]
    at_ms: int


def as_known_at(
    mandate: Mandate, history: Sequence[MandateHistoryRow], at_ms: int
) -> Mandate | None:
    """The mandate in the state that was recorded at an instant; None before it was proposed."""
    known = [row for row in history if row.recorded_at <= at_ms]
    if not known:
        return None
    last = known[-1]
    return replace(
        mandate,
        state=last.state,
        grantor_accepted=last.grantor_accepted,
        holder_accepted=last.holder_accepted,
        changed_at=last.recorded_at,
    )


class Mandates:
    """Proposing, answering and showing mandates."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def grant(
        self,
        *,
        organisation_id: str,
        holder_kind: HolderKind,
        holder_id: str,
        terms: MandateTerms,
        actor: str,
        parent_id: str | None = None,
    ) -> Mandate:
        """Propose a mandate on the grantor's side: it counts once the holder accepts it.

        Raises:
            NotFound: the organisation, the holder or the mandate it is passed on from is unknown.
            NotAllowed: the organisation is not live, the holder cannot hold it, or the mandate
                it is passed on from does not allow that.
        """
        now_ms = int(self._clock() * 1000)
        mandate = Mandate(
            mandate_id=new_id(self._random),
            organisation_id=organisation_id,
            holder_kind=holder_kind,
            holder_id=holder_id,
            terms=terms,
            state=MandateState.PROPOSED,
            grantor_accepted=True,
            holder_accepted=False,
            parent_id=parent_id,
            created_at=now_ms,
            changed_at=now_ms,
        )

        async def work(uow: UnitOfWork) -> None:
            await _check_parties(uow, mandate)
            if parent_id is not None:
                parent = await find_mandate(uow, parent_id)
                check_passed_on(parent, mandate, hong_kong_date(now_ms).isoformat())
            await uow.authority.add_mandate(mandate, Side.GRANTOR, actor)
            await _note(uow, mandate, MandateEvent.PROPOSE, Side.GRANTOR, actor)

        await self._store.write(work)
        return mandate

    async def accept(self, mandate_id: str, side: Side, actor: str) -> Mandate:
        """Agree on one side.

        Raises:
            NotFound: there is no such mandate.
            IllegalTransition: it is not open for acceptance, or that side has accepted already.
            NotAllowed: the organisation has ceased to be live, or the holder's account is closed.
        """
        return await self._change(mandate_id, MandateEvent.ACCEPT, side, actor)

    async def decline(self, mandate_id: str, side: Side, actor: str, reason: str = "") -> Mandate:
        """Refuse a proposal.

        Raises:
            NotFound: there is no such mandate.
            IllegalTransition: it is no longer a proposal.
        """
        return await self._change(mandate_id, MandateEvent.DECLINE, side, actor, reason)

    async def _change(
        self, mandate_id: str, event: MandateEvent, side: Side, actor: str, reason: str = ""
    ) -> Mandate:
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> Mandate:
            mandate = await find_mandate(uow, mandate_id)
            changed = apply(mandate, event, side, now_ms)
            if event is MandateEvent.ACCEPT:
                await _check_parties(uow, mandate)
            await uow.authority.change_mandate(changed, event, side, actor, reason)
            await _note(uow, changed, event, side, actor)
            return changed

        return await self._store.write(work)

    async def show(self, mandate_id: str, at_ms: int | None = None) -> MandateView:
        """A mandate with its history, as known now or at ``at_ms`` (epoch ms).

        Raises:
            NotFound: there is none, or not yet then.
        """
        read = self._store.read
        mandate = await find_mandate(read, mandate_id)
        history = await read.authority.mandate_history(mandate_id)
        seen_at = int(self._clock() * 1000) if at_ms is None else at_ms
        then = as_known_at(mandate, history, seen_at)
        if then is None:
            raise NotFound("this mandate is known now, but was not known then")
        return MandateView(
            mandate=then,
            effective=then.state_on(hong_kong_date(seen_at).isoformat()),
            history=tuple(row for row in history if row.recorded_at <= seen_at),
            at_ms=seen_at,
        )

    async def list(
        self,
        *,
        organisation_id: str | None = None,
        holder_kind: HolderKind | None = None,
        holder_id: str | None = None,
    ) -> list[Mandate]:
        """Mandates that an organisation gave, that a holder holds, or both.

        Raises:
            InvalidValue: neither is named.
        """
        read = self._store.read.authority
        if organisation_id is not None:
            given = await read.mandates_in(organisation_id)
            return [one for one in given if holder_id is None or one.holder_id == holder_id]
        if holder_kind is None or holder_id is None:
            raise InvalidValue("name the organisation that gave the mandates, or their holder")
        return await read.mandates_held_by(holder_kind, holder_id)


async def find_mandate(uow: UnitOfWork, mandate_id: str) -> Mandate:
    """The mandate with that internal id.

    Raises:
        NotFound: there is none.
    """
    mandate = await uow.authority.mandate(mandate_id)
    if mandate is None:
        raise NotFound(f"no mandate has the id {mandate_id[:100]!r}")
    return mandate


def check_passed_on(parent: Mandate, child: Mandate, today: str) -> None:
    """Whether authority may be passed on like this: never more than its giver has.

    ``limited`` substitution means once: who receives it may not pass it on.

    Raises:
        NotAllowed: and what exceeds.
    """
    terms, wanted = parent.terms, child.terms
    if parent.organisation_id != child.organisation_id:
        raise NotAllowed("a mandate is passed on for the organisation that gave it")
    if parent.state_on(today) is not MandateState.ACTIVE:
        raise NotAllowed("only an active mandate can be passed on")
    if terms.substitution is Substitution.NOT_ALLOWED:
        raise NotAllowed("this mandate does not allow to be passed on")
    if terms.substitution is Substitution.LIMITED and (
        wanted.substitution is not Substitution.NOT_ALLOWED
    ):
        raise NotAllowed("this mandate may be passed on once: the next holder may not do so again")
    if not set(wanted.powers) <= set(terms.powers):
        raise NotAllowed("a power is passed on that the mandate does not have")
    if terms.services and not (wanted.services and set(wanted.services) <= set(terms.services)):
        raise NotAllowed("a service is passed on that the mandate does not cover")
    if terms.limit is not None and (
        wanted.limit is None
        or not terms.limit.covers(Decimal(wanted.limit.amount), wanted.limit.currency)
    ):
        raise NotAllowed("the limit would be higher than the mandate's own")
    parent_end, child_end = terms.valid_until, wanted.valid_until
    if wanted.valid_from < terms.valid_from or (
        parent_end is not None and (child_end is None or child_end > parent_end)
    ):
        raise NotAllowed("the mandate is not valid for that long")
    if terms.representation_type != wanted.representation_type or (
        terms.signing_rule != wanted.signing_rule
    ):
        raise NotAllowed("whether the holder acts alone or jointly is passed on as it is")


async def _check_parties(uow: UnitOfWork, mandate: Mandate) -> None:
    """Refuse where the organisation cannot give the mandate, or the holder cannot hold it."""
    grantor = await uow.organisations.by_id(mandate.organisation_id)
    if grantor is None:
        raise NotFound("the organisation that gives the mandate is not known")
    if not grantor.is_live:
        why = "suspended" if grantor.suspended_at else grantor.registration.status
        raise NotAllowed(f"the organisation {grantor.number} is not live ({why})")
    if mandate.holder_kind is HolderKind.PERSON:
        person = await uow.people.by_id(mandate.holder_id)
        if person is None:
            raise NotFound("the person who would hold the mandate is not known")
        if person.closed_at is not None:
            raise NotAllowed("the account of the person who would hold the mandate is closed")
        return
    agent = await uow.organisations.by_id(mandate.holder_id)
    if agent is None:
        raise NotFound("the organisation that would hold the mandate is not known")
    if agent.organisation_id == grantor.organisation_id:
        raise NotAllowed("an organisation cannot give a mandate to itself")
    if not agent.is_live:
        raise NotAllowed(f"the organisation {agent.number} that would hold it is not live")


async def _note(
    uow: UnitOfWork, mandate: Mandate, event: MandateEvent, side: Side, actor: str
) -> None:
    await uow.operations.audit(
        f"mandate.{event.value}",
        {
            "mandate_id": mandate.mandate_id,
            "organisation_id": mandate.organisation_id,
            "holder_kind": mandate.holder_kind.value,
            "holder_id": mandate.holder_id,
            "side": side.value,
            "state": mandate.state.value,
            "actor": actor,
        },
    )
    await uow.operations.bump("authority")
