"""`corpid representation`: what a register says a person is to a business."""

from typing import Annotated

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant
from corpid.cli.output import Answer
from corpid.domain.organisation import Role

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Directors, proprietors, partners."
)
_COLUMNS = (
    "representation_id",
    "organisation_id",
    "person_id",
    "role",
    "valid_from",
    "valid_to",
    "source",
)


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid representation``."""
    parent.add_typer(app, name="representation")


@command(
    app,
    "representation add",
    example="corpid representation add --organisation 99000001 --person sample.person "
    "--role director --valid-from 2026-01-01",
)
async def add(
    run: Run,
    organisation: Annotated[str, typer.Option(help="The business's number.")],
    person: Annotated[str, typer.Option(help="Username or internal id.")],
    role: Annotated[Role, typer.Option(help="What the register says the person is.")],
    valid_from: Annotated[str | None, typer.Option(help="Hong Kong date; default: today.")] = None,
    valid_to: Annotated[
        str | None, typer.Option(help="Last day, a Hong Kong date; default: open.")
    ] = None,
    source: Annotated[str, typer.Option(help="Where this is known from.")] = "operator",
    as_of: Annotated[str | None, typer.Option(help="Date of the source; default: today.")] = None,
) -> Answer:
    """Record that a person has a role in a business."""
    from corpid.cli import documents
    from corpid.services.representations import Representations

    async with run.foundation() as base:
        added = await Representations(base.store, base.clock, base.random).add(
            organisation=organisation,
            person=person,
            role=role,
            actor=run.actor,
            valid_from=valid_from,
            valid_to=valid_to,
            source=source,
            as_of=as_of,
        )
    document = documents.representation(added)
    return Answer(document, [documents.facts(document)])


@command(
    app, "representation end", example="corpid representation end $REPRESENTATION --reason resigned"
)
async def end(
    run: Run,
    representation_id: Annotated[str, typer.Argument(help="Its internal id.")],
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """End a representation with every token and credential that rests on it."""
    from corpid.cli.destroying import shown_or_done

    async with run.foundation() as base:
        revocation = base.revocation
        return await shown_or_done(
            f"End the representation {representation_id}",
            lambda: revocation.plan_end_representation(representation_id, run.actor, reason),
            lambda: revocation.end_representation(representation_id, run.actor, reason),
            yes=yes,
        )


@command(app, "representation list", example="corpid representation list --organisation 99000001")
async def find(
    run: Run,
    organisation: Annotated[str | None, typer.Option(help="The business's number.")] = None,
    person: Annotated[str | None, typer.Option(help="Username or internal id.")] = None,
    at: At = None,
) -> Answer:
    """List the representations in a business, or of a person."""
    from corpid.cli import documents
    from corpid.services.representations import Representations

    at_ms = instant(at)
    async with run.foundation() as base:
        found = await Representations(base.store, base.clock, base.random).list(
            organisation=organisation, person=person, at_ms=at_ms
        )
    document = [documents.representation(one) for one in found]
    return Answer(document, [documents.table(document, _COLUMNS)])
