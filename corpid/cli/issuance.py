"""`corpid issuance`: credentials that wait for an operator's yes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpid.cli.context import Reason, Run, command
from corpid.cli.output import Answer

if TYPE_CHECKING:
    from corpid.services.deferred import DeferredIssuance

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Credentials that wait for approval."
)
Id = Annotated[str, typer.Argument(help="The waiting issuance's id.")]


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid issuance``."""
    parent.add_typer(app, name="issuance")


@command(app, "issuance list", example="corpid issuance list")
async def find(
    run: Run,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were decided upon or are over.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 200,
) -> Answer:
    """List what waits, the oldest first (CORPID_CREDENTIAL_APPROVAL says what does)."""
    from corpid.cli import documents
    from corpid.services.deferrals import Deferrals

    async with run.foundation() as base:
        found = await Deferrals(base.store, base.clock).find(everything=everything, limit=limit)
        now_ms = int(base.clock() * 1000)
    document = [_document(one, now_ms) for one in found]
    columns = ("issuance_id", "type", "organisation_id", "person_id", "state", "created_at")
    return Answer(document, [documents.table(document, columns)])


@command(app, "issuance approve", example="corpid issuance approve $ISSUANCE")
async def approve(run: Run, issuance_id: Id, reason: Reason = "") -> Answer:
    """Let the wallet have it when it asks again, if its holder may have it then."""
    return await _decide(run, issuance_id, reason, approved=True)


@command(app, "issuance deny", example="corpid issuance deny $ISSUANCE --reason 'not known'")
async def deny(run: Run, issuance_id: Id, reason: Reason = "") -> Answer:
    """Refuse it: the wallet is told so, and not why."""
    return await _decide(run, issuance_id, reason, approved=False)


async def _decide(run: Run, issuance_id: str, reason: str, *, approved: bool) -> Answer:
    from corpid.cli import documents
    from corpid.services.deferrals import Deferrals

    async with run.foundation() as base:
        deferrals = Deferrals(base.store, base.clock)
        act = deferrals.approve if approved else deferrals.deny
        found = await act(issuance_id, run.actor, reason)
        document = _document(found, int(base.clock() * 1000))
    return Answer(document, [documents.facts(document)])


def _document(one: "DeferredIssuance", now_ms: int) -> dict[str, Any]:
    from corpid.cli import documents

    return {
        "issuance_id": one.deferral_id,
        "type": one.configuration_id,
        "organisation_id": one.organisation_id,
        "person_id": one.person_id,
        "client_id": one.client_id or None,
        "keys": len(one.holders),
        "state": one.seen(now_ms).state.value,
        "created_at": documents.when(one.created_at),
        "expires_at": documents.when(one.expires_at),
        "decided_at": documents.when(one.decided_at),
        "decided_by": one.decided_by or None,
        "reason": one.reason or None,
    }
