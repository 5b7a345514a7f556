"""`corpid offer`: credential offers that an operator hands out."""

from typing import Annotated

import typer

from corpid.cli.context import Run, command
from corpid.cli.output import Answer, Facts, Plain
from corpid.domain.credential import OfferGrant

_TRANSACTION_CODE = "Code that the wallet asks for; default: six random digits."
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Credential offers.")


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid offer``."""
    parent.add_typer(app, name="offer")


@command(
    app,
    "offer create",
    example="corpid offer create --organisation 99000001 --person sample.person "
    "--type representative",
)
async def create(
    run: Run,
    organisation: Annotated[str, typer.Option(help="The business's number.")],
    person: Annotated[str, typer.Option(help="Username or internal id of who acts for it.")],
    kind: Annotated[
        list[str],
        typer.Option("--type", help="Credential type (docs/credential-types.md); may be repeated."),
    ],
    branch: Annotated[
        str | None, typer.Option(help="Code of the branch that a credential is about.")
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(help="Mandate or representation that they rest on; default: the first."),
    ] = None,
    transaction_code: Annotated[
        str | None,
        typer.Option(help=_TRANSACTION_CODE),
    ] = None,
    grants: Annotated[
        list[OfferGrant] | None,
        typer.Option("--grant", help="How it may be redeemed; may be repeated. Default: by code."),
    ] = None,
    description: Annotated[
        str | None,
        typer.Option(help="Where its holder finds the transaction code, at most 300 characters."),
    ] = None,
    lifetime: Annotated[int, typer.Option(help="Seconds that it holds.")] = 600,
    qr: Annotated[bool, typer.Option(help="Draw a QR code.")] = True,
) -> Answer:
    """Offer credentials to a person's wallet: prints the link, its QR code and the code.

    Send the transaction code another way than the link: who has both gets the credential.
    """
    from corpid.cli import documents
    from corpid.services.organisations import find_organisation
    from corpid.services.people import find_person

    wording = {} if description is None else {"description": description}
    async with run.foundation() as base:
        read = base.store.read
        whose = await find_organisation(read, organisation)
        who = await find_person(read, person)
        offer = await base.offers.create(
            whose.organisation_id,
            who.person_id,
            kind,
            actor=run.actor,
            grants=[one.value for one in grants or [OfferGrant.PRE_AUTHORIZED_CODE]],
            transaction_code=transaction_code,
            lifetime=lifetime,
            **wording,
            branch=branch,
            authority_id=authority,
        )
    document = {
        "offer_id": offer.offer_id,
        "link": offer.link,
        "reference": offer.reference,
        "transaction_code": offer.transaction_code,
        "types": kind,
        "expires_at": documents.when(offer.expires_at),
        "offer": dict(offer.document),
    }
    facts = [("holds until", document["expires_at"])]
    if offer.transaction_code is not None:
        facts.insert(0, ("transaction code", offer.transaction_code))
    shown: list[Facts | Plain] = [Plain(offer.link), Facts(facts)]
    if qr and not run.as_json:
        shown.insert(1, Plain(_qr(offer.reference)))
    return Answer(document, shown)


def _qr(text: str) -> str:
    """A QR code for a terminal, two rows a line."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False, error="m").terminal(drawn, compact=True)
    return drawn.getvalue()
