"""`corpid offer`: credential offers that an operator hands out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpid.cli.context import Reason, Run, Yes, command
from corpid.cli.output import Answer, Facts, Plain
from corpid.domain.credential import OfferGrant

if TYPE_CHECKING:
    from corpid.services.records import Offer

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


@command(app, "offer list", example="corpid offer list --organisation 99000001")
async def find(
    run: Run,
    organisation: Annotated[str | None, typer.Option(help="The business's number.")] = None,
    person: Annotated[str | None, typer.Option(help="Username or internal id.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were taken, ended or have expired.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 200,
) -> Answer:
    """List offers that wait for their wallet, the latest first; no code is shown again."""
    from corpid.cli import documents
    from corpid.services.organisations import find_organisation
    from corpid.services.people import find_person

    async with run.foundation() as base:
        read, now_ms = base.store.read, int(base.clock() * 1000)
        whose = None if organisation is None else await find_organisation(read, organisation)
        who = None if person is None else await find_person(read, person)
        found = await read.credential_views.find_offers(
            organisation_id=None if whose is None else whose.organisation_id,
            person_id=None if who is None else who.person_id,
            open_at_ms=None if everything else now_ms,
            limit=limit,
        )
    document = [_document(one, now_ms) for one in found]
    columns = ("offer_id", "types", "state", "person_id", "created_at", "expires_at")
    rows = [{**one, "types": " ".join(one["types"])} for one in document]
    return Answer(document, [documents.table(rows, columns)])


@command(
    app,
    "offer withdraw",
    example="corpid offer withdraw $OFFER --reason 'sent to the wrong address' --yes",
)
async def withdraw(
    run: Run,
    offer_id: Annotated[str, typer.Argument(help="The offer's id.")],
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """End an offer that no wallet has taken: its link and its code are worth nothing from then on.

    What a wallet took already is revoked by itself.
    """
    from corpid.cli import documents
    from corpid.cli.destroying import dry_run_note
    from corpid.domain.errors import NotFound

    async with run.foundation() as base:
        done = False
        if yes:
            done = await base.offers.withdraw(offer_id, actor=run.actor, reason=reason)
        offer = await base.store.read.credentials.offer(offer_id)
        if offer is None:
            raise NotFound("there is no such offer")
        now_ms = int(base.clock() * 1000)
    over = not done and not offer.is_open(now_ms)
    document = {
        **_document(offer, now_ms),
        "done": done,
        "dry_run": not yes,
        "already": over,
    }
    notes = [f"It is over already: {document['state']}."] if over else []
    if not yes and not over:
        notes = [dry_run_note()]
    told = ("done", "dry_run", "already")
    return Answer(document, [documents.facts(document, leave_out=told)], notes)


def _document(offer: "Offer", now_ms: int) -> dict[str, Any]:
    """An offer without anything that redeems it."""
    from corpid.cli import documents
    from corpid.services.offer_state import state_of

    return {
        "offer_id": offer.offer_id,
        "state": state_of(offer, now_ms).value,
        "types": list(offer.credentials),
        "organisation_id": offer.organisation_id,
        "person_id": offer.person_id,
        "authority": offer.authority,
        "grants": list(offer.grants),
        "wrong_tries": offer.wrong_tries,
        "created_at": documents.when(offer.created_at),
        "expires_at": documents.when(offer.expires_at),
        "used_at": documents.when(offer.used_at),
        "ended_at": documents.when(offer.ended_at),
    }


def _qr(text: str) -> str:
    """A QR code for a terminal, two rows a line."""
    import io

    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False, error="m").terminal(drawn, compact=True)
    return drawn.getvalue()
