"""`corpid organisation`: businesses, one at a time."""

from typing import Annotated, Final

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant
from corpid.cli.output import Answer
from corpid.domain.register_entry import EntityStatus, EntityType

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Businesses and their numbers.")
Number = Annotated[str, typer.Argument(help="The business's number, in any usual spelling.")]
_MIN_YEAR: Final = 1800


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid organisation``."""
    parent.add_typer(app, name="organisation")


@command(
    app,
    "organisation add",
    example="corpid organisation add 99123456 --name-en 'Sample Lantern Limited'",
)
async def add(
    run: Run,
    number: Number,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    name_zh_hant: Annotated[str | None, typer.Option(help="Name in Traditional Chinese.")] = None,
    name_zh_hans: Annotated[str | None, typer.Option(help="Name in Simplified Chinese.")] = None,
    entity_type: Annotated[
        EntityType, typer.Option("--type", help="Legal kind.")
    ] = EntityType.LOCAL_PRIVATE_COMPANY,
    status: Annotated[
        EntityStatus, typer.Option(help="Status in the register.")
    ] = EntityStatus.LIVE,
    address: Annotated[str | None, typer.Option(help="Registered address.")] = None,
    incorporated_on: Annotated[str | None, typer.Option(help="Hong Kong date, YYYY-MM-DD.")] = None,
    place: Annotated[str | None, typer.Option(help="Place of incorporation.")] = None,
    source: Annotated[str, typer.Option(help="Where the facts come from.")] = "operator",
    as_of: Annotated[
        str | None, typer.Option(help="When the source said so (date or instant); default: now.")
    ] = None,
) -> Answer:
    """Add a business, or a branch of one that is known (12345678-001)."""
    from corpid.cli import documents
    from corpid.domain.business_number import parse_business_number
    from corpid.domain.dates import instant_text
    from corpid.domain.errors import InvalidValue
    from corpid.domain.languages import Names
    from corpid.domain.register_entry import RegisterEntry
    from corpid.services.organisations import Organisations

    parsed = parse_business_number(number)
    async with run.foundation() as base:
        now_ms = int(base.clock() * 1000)
        try:
            entry = RegisterEntry(
                number=parsed,
                names=Names(name_en, name_zh_hant, name_zh_hans),
                entity_type=entity_type,
                status=status,
                source=source,
                as_of=as_of or instant_text(now_ms),
                address=address,
                incorporated_on=incorporated_on,
                place_of_incorporation=place,
            )
        except ValueError as error:
            raise InvalidValue(f"this organisation cannot be added: {error}") from error
        found = await Organisations(base.store, base.clock, base.random).add(entry, run.actor)
    document = documents.organisation(found)
    return Answer(document, [documents.facts(document)])


@command(
    app,
    "organisation show",
    example="corpid organisation show HKG:99000001 --at 2099-12-31",
)
async def show(run: Run, number: Number, at: At = None) -> Answer:
    """Show a business with its numbers, branches, representatives and mandates."""
    from corpid.cli import documents
    from corpid.domain.dates import hong_kong_date
    from corpid.services.organisations import Organisations

    at_ms = instant(at)
    async with run.foundation() as base:
        view = await Organisations(base.store, base.clock, base.random).show(number, at_ms)
    day = hong_kong_date(view.at_ms).isoformat()
    document = {
        **documents.organisation(view.organisation),
        "known_at": documents.when(view.at_ms),
        "identifiers": [documents.identifier(one) for one in view.identifiers],
        "branches": [documents.branch(one) for one in view.branches],
        "representations": [documents.representation(one) for one in view.representations],
        "mandates": [documents.mandate(one, one.state_on(day).value) for one in view.mandates],
    }
    lists = ("registration", "identifiers", "branches", "representations", "mandates")
    registered = document["registration"]
    return Answer(
        document,
        [
            documents.facts(document, leave_out=lists),
            documents.facts(registered, title="Registration"),
            documents.table(
                document["identifiers"],
                ("scheme", "value", "valid_from", "valid_to", "source"),
                title="Numbers",
            ),
            documents.table(document["branches"], ("code", "names"), title="Branches"),
            documents.table(
                document["representations"],
                ("representation_id", "person_id", "role", "valid_from", "valid_to"),
                title="Representations",
            ),
            documents.table(
                document["mandates"],
                ("mandate_id", "holder_kind", "holder_id", "state", "powers"),
                title="Mandates given",
            ),
        ],
    )


@command(app, "organisation list", example="corpid organisation list 'sample k' --limit 5")
async def find(
    run: Run,
    text: Annotated[str, typer.Argument(help="The beginning of a number or a name.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
) -> Answer:
    """List businesses whose number or name, in any script, begins so."""
    from corpid.cli import documents
    from corpid.services.organisations import Organisations

    async with run.foundation() as base:
        found = await Organisations(base.store, base.clock, base.random).search(text, limit)
    document = [documents.organisation(one) for one in found]
    rows = [
        {**one, "name": one["registration"]["names"], "status": one["registration"]["status"]}
        for one in document
    ]
    return Answer(
        document, [documents.table(rows, ("number", "name", "status"), empty="nothing found")]
    )


@command(
    app,
    "organisation suspend",
    example="corpid organisation suspend 99000001 --reason 'court order' --yes",
)
async def suspend(run: Run, number: Number, reason: Reason = "", yes: Yes = False) -> Answer:
    """Suspend a business here: nobody acts for it, its credentials are suspended."""
    from corpid.cli.destroying import shown_or_done
    from corpid.services.organisations import find_organisation

    async with run.foundation() as base:
        target = (await find_organisation(base.store.read, number)).organisation_id
        revocation = base.revocation
        return await shown_or_done(
            f"Suspend {number}",
            lambda: revocation.plan_suspend_organisation(target, run.actor, reason),
            lambda: revocation.suspend_organisation(target, run.actor, reason),
            yes=yes,
        )


@command(app, "organisation resume", example="corpid organisation resume 99000001")
async def resume(run: Run, number: Number, reason: Reason = "") -> Answer:
    """Lift the suspension of a business; tokens that ended stay ended."""
    from corpid.cli.destroying import shown_or_done
    from corpid.services.organisations import find_organisation

    async with run.foundation() as base:
        target = (await find_organisation(base.store.read, number)).organisation_id
        revocation = base.revocation
        return await shown_or_done(
            f"Resume {number}",
            lambda: revocation.plan_resume_organisation(target, run.actor, reason),
            lambda: revocation.resume_organisation(target, run.actor, reason),
            yes=True,
        )
