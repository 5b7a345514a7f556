"""`corpid mandate`: authority that a business gives."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant
from corpid.cli.output import Answer, CommandError
from corpid.domain.mandate import HolderKind, MandateTerms, Side, Substitution

if TYPE_CHECKING:
    from corpid.services.ports import UnitOfWork

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Authority that a business gives."
)
Id = Annotated[str, typer.Argument(help="The mandate's internal id.")]
OnSide = Annotated[Side, typer.Option(help="The side that this is done for.")]
_COLUMNS = ("mandate_id", "organisation_id", "holder_kind", "holder_id", "state", "powers")


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid mandate``."""
    parent.add_typer(app, name="mandate")


@command(
    app,
    "mandate grant",
    example="corpid mandate grant --organisation 99000001 --person sample.person "
    "--power open_account --limit 50000.00:HKD",
)
async def grant(
    run: Run,
    organisation: Annotated[str, typer.Option(help="The business that gives it.")],
    power: Annotated[list[str], typer.Option(help="A power; may be repeated.")],
    person: Annotated[
        str | None, typer.Option(help="The person who gets it: username or internal id.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="Or the business that gets it, by its number.")
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option(help="A service it is for; default: every one.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option(help="Largest transaction, such as 50000.00:HKD.")
    ] = None,
    joint: Annotated[
        str | None, typer.Option(help="Who must sign together, such as directors:2.")
    ] = None,
    substitution: Annotated[
        Substitution, typer.Option(help="Whether the holder may pass it on.")
    ] = Substitution.NOT_ALLOWED,
    valid_from: Annotated[
        str | None, typer.Option(help="First day, a Hong Kong date; default: today.")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option(help="Last day, a Hong Kong date; default: until it is ended.")
    ] = None,
    parent: Annotated[
        str | None, typer.Option(help="The mandate that it is passed on from.")
    ] = None,
) -> Answer:
    """Propose a mandate for the business; it counts once the holder has accepted it."""
    from corpid.cli import documents
    from corpid.domain.dates import hong_kong_date
    from corpid.services.mandates import Mandates
    from corpid.services.organisations import find_organisation

    async with run.foundation() as base:
        today = hong_kong_date(int(base.clock() * 1000)).isoformat()
        terms = _terms(
            powers=power,
            services=service or [],
            limit=limit,
            joint=joint,
            substitution=substitution,
            valid_from=valid_from or today,
            valid_until=valid_until,
        )
        read = base.store.read
        kind, holder_id = await _holder(read, person, agent)
        proposed = await Mandates(base.store, base.clock, base.random).grant(
            organisation_id=(await find_organisation(read, organisation)).organisation_id,
            holder_kind=kind,
            holder_id=holder_id,
            terms=terms,
            actor=run.actor,
            parent_id=parent,
        )
    document = documents.mandate(proposed)
    note = f"Proposed. It counts after: corpid mandate accept {proposed.mandate_id}"
    return Answer(document, [documents.facts(document)], [note])


@command(app, "mandate accept", example="corpid mandate accept $MANDATE")
async def accept(run: Run, mandate_id: Id, side: OnSide = Side.HOLDER) -> Answer:
    """Accept a proposed mandate for one side, usually the holder's."""
    from corpid.cli import documents
    from corpid.services.mandates import Mandates

    async with run.foundation() as base:
        mandates = Mandates(base.store, base.clock, base.random)
        await mandates.accept(mandate_id, side, run.actor)
        view = await mandates.show(mandate_id)
    document = documents.mandate(view.mandate, view.effective.value)
    return Answer(document, [documents.facts(document)])


@command(app, "mandate decline", example="corpid mandate decline $PROPOSED --reason 'not needed'")
async def decline(
    run: Run, mandate_id: Id, side: OnSide = Side.HOLDER, reason: Reason = ""
) -> Answer:
    """Decline a proposed mandate; it can then never be accepted."""
    from corpid.cli import documents
    from corpid.services.mandates import Mandates

    async with run.foundation() as base:
        mandates = Mandates(base.store, base.clock, base.random)
        declined = await mandates.decline(mandate_id, side, run.actor, reason)
    document = documents.mandate(declined)
    return Answer(document, [documents.facts(document)])


@command(app, "mandate suspend", example="corpid mandate suspend $MANDATE --reason audit --yes")
async def suspend(run: Run, mandate_id: Id, reason: Reason = "", yes: Yes = False) -> Answer:
    """Suspend a mandate: its credentials are suspended, its tokens end."""
    from corpid.cli.destroying import shown_or_done

    async with run.foundation() as base:
        revocation = base.revocation
        return await shown_or_done(
            f"Suspend the mandate {mandate_id}",
            lambda: revocation.plan_suspend_mandate(mandate_id, run.actor, reason),
            lambda: revocation.suspend_mandate(mandate_id, run.actor, reason),
            yes=yes,
        )


@command(app, "mandate resume", example="corpid mandate resume $MANDATE")
async def resume(run: Run, mandate_id: Id, reason: Reason = "") -> Answer:
    """Resume a suspended mandate; tokens that ended stay ended."""
    from corpid.cli.destroying import shown_or_done

    async with run.foundation() as base:
        revocation = base.revocation
        return await shown_or_done(
            f"Resume the mandate {mandate_id}",
            lambda: revocation.plan_resume_mandate(mandate_id, run.actor, reason),
            lambda: revocation.resume_mandate(mandate_id, run.actor, reason),
            yes=True,
        )


@command(app, "mandate end", example="corpid mandate end $MANDATE --reason 'left the firm' --yes")
async def end(
    run: Run, mandate_id: Id, side: OnSide = Side.GRANTOR, reason: Reason = "", yes: Yes = False
) -> Answer:
    """End a mandate for good, with every token and credential that rests on it."""
    from corpid.cli.destroying import shown_or_done

    async with run.foundation() as base:
        revocation = base.revocation
        return await shown_or_done(
            f"End the mandate {mandate_id}",
            lambda: revocation.plan_end_mandate(mandate_id, run.actor, side, reason),
            lambda: revocation.end_mandate(mandate_id, run.actor, side, reason),
            yes=yes,
        )


@command(app, "mandate show", example="corpid mandate show $MANDATE")
async def show(run: Run, mandate_id: Id, at: At = None) -> Answer:
    """Show a mandate with everything that happened to it."""
    from corpid.cli import documents
    from corpid.services.mandates import Mandates

    at_ms = instant(at)
    async with run.foundation() as base:
        view = await Mandates(base.store, base.clock, base.random).show(mandate_id, at_ms)
    history: list[dict[str, Any]] = [
        {
            "event": row.event.value,
            "side": row.side.value,
            "actor": row.actor,
            "state": row.state.value,
            "reason": row.reason or None,
            "recorded_at": documents.when(row.recorded_at),
        }
        for row in view.history
    ]
    document = {
        **documents.mandate(view.mandate, view.effective.value),
        "known_at": documents.when(view.at_ms),
        "history": history,
    }
    return Answer(
        document,
        [
            documents.facts(document, leave_out=("history",)),
            documents.table(
                history,
                ("recorded_at", "event", "side", "actor", "state", "reason"),
                title="History",
            ),
        ],
    )


@command(app, "mandate list", example="corpid mandate list --organisation 99000001")
async def find(
    run: Run,
    organisation: Annotated[str | None, typer.Option(help="The business that gave them.")] = None,
    person: Annotated[str | None, typer.Option(help="The person who holds them.")] = None,
    agent: Annotated[str | None, typer.Option(help="The business that holds them.")] = None,
) -> Answer:
    """List the mandates that a business gave, or that somebody holds."""
    from corpid.cli import documents
    from corpid.domain.dates import hong_kong_date
    from corpid.services.mandates import Mandates
    from corpid.services.organisations import find_organisation

    async with run.foundation() as base:
        read = base.store.read
        given_by = None
        if organisation is not None:
            given_by = (await find_organisation(read, organisation)).organisation_id
        kind, holder_id = None, None
        if given_by is None or person is not None or agent is not None:
            kind, holder_id = await _holder(read, person, agent)
        found = await Mandates(base.store, base.clock, base.random).list(
            organisation_id=given_by, holder_kind=kind, holder_id=holder_id
        )
        today = hong_kong_date(int(base.clock() * 1000)).isoformat()
    document = [documents.mandate(one, one.state_on(today).value) for one in found]
    return Answer(document, [documents.table(document, _COLUMNS)])


async def _holder(
    uow: "UnitOfWork", person: str | None, agent: str | None
) -> tuple[HolderKind, str]:
    from corpid.services.organisations import find_organisation
    from corpid.services.people import find_person

    if (person is None) == (agent is None):
        raise CommandError("invalid_value", "name the holder: either --person or --agent")
    if person is not None:
        return HolderKind.PERSON, (await find_person(uow, person)).person_id
    assert agent is not None
    organisation = await find_organisation(uow, agent)
    return HolderKind.ORGANISATION, organisation.organisation_id


def _terms(
    *,
    powers: list[str],
    services: list[str],
    limit: str | None,
    joint: str | None,
    substitution: Substitution,
    valid_from: str,
    valid_until: str | None,
) -> MandateTerms:
    from corpid.domain.mandate import Limit, RepresentationType, SigningRule
    from corpid.services.representations import checked_day

    amount, _, currency = (limit or "").partition(":")
    group, _, signers = (joint or "").partition(":")
    if joint is not None and not signers.isdecimal():
        raise CommandError("invalid_value", "--joint is a group and a number, as in directors:2")
    return MandateTerms(
        powers=tuple(powers),
        services=tuple(services),
        limit=None if limit is None else Limit(amount, currency or "HKD"),
        representation_type=RepresentationType.SOLE if joint is None else RepresentationType.JOINT,
        signing_rule=None if joint is None else SigningRule(group, int(signers)),
        substitution=substitution,
        valid_from=checked_day(valid_from, "--valid-from"),
        valid_until=None if valid_until is None else checked_day(valid_until, "--valid-until"),
    )
