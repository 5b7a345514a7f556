"""`corpid credential`: what was issued, and what becomes of it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant
from corpid.cli.output import NOT_FOUND, Answer, CommandError
from corpid.domain.credential import Credential, CredentialState, status_of

if TYPE_CHECKING:
    from corpid.services.revocation import Revocation
    from corpid.services.revocation_effects import RevocationReport
    from corpid.wiring.foundation import Foundation

    Act = Callable[[Revocation, str, str, str], Awaitable[RevocationReport]]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Credentials issued.")
Id = Annotated[str | None, typer.Argument(help="The credential's internal id.")]
StatusUri = Annotated[str | None, typer.Option(help="Or: the status list's URI …")]
Index = Annotated[int | None, typer.Option(min=0, help="… and the index in it.")]


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid credential``."""
    parent.add_typer(app, name="credential")


@command(app, "credential show", example="corpid credential show $CREDENTIAL")
async def show(
    run: Run,
    credential_id: Id = None,
    status_uri: StatusUri = None,
    index: Index = None,
    at: At = None,
) -> Answer:
    """Show the record of a credential and its history; its content is nowhere kept."""
    from corpid.cli import documents
    from corpid.services.credential_history import history_of

    at_ms = instant(at)
    async with run.foundation() as base:
        found = await _find(base, credential_id, status_uri, index)
        status = await base.store.read.status_lists.status_of(found.entry)
        history = await history_of(base.store.read, found)
    document = {**documents.credential(found), "status": status.value}
    if at_ms is not None:
        history = [one for one in history if one.at <= at_ms]
        if not history:
            raise CommandError("not_found", "this credential was issued later", NOT_FOUND)
        then = history[-1]
        document |= {
            "state": then.state.value,
            "status": status_of(then.state).value,
            "changed_at": documents.when(then.at),
        }
        del document["on_hold"]  # how it stands now
    document["history"] = [documents.credential_change(one) for one in history]
    columns = ("at", "state", "by", "reason")
    return Answer(
        document,
        [
            documents.facts(document, leave_out=("history",)),
            documents.table(document["history"], columns, title="History"),
        ],
    )


@command(app, "credential list", example="corpid credential list --organisation 99000001")
async def find(
    run: Run,
    organisation: Annotated[str | None, typer.Option(help="The business's number.")] = None,
    person: Annotated[str | None, typer.Option(help="Username or internal id.")] = None,
    state: Annotated[CredentialState | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 200,
) -> Answer:
    """List credentials."""
    from corpid.cli import documents
    from corpid.services.organisations import find_organisation
    from corpid.services.people import find_person

    async with run.foundation() as base:
        read = base.store.read
        whose = None if organisation is None else await find_organisation(read, organisation)
        who = None if person is None else await find_person(read, person)
        found = await read.credentials.find(
            organisation_id=None if whose is None else whose.organisation_id,
            person_id=None if who is None else who.person_id,
            state=state,
            limit=limit,
        )
    document = [documents.credential(one) for one in found]
    columns = ("credential_id", "type", "state", "person_id", "issued_at", "expires_at")
    return Answer(document, [documents.table(document, columns)])


@command(
    app,
    "credential revoke",
    example="corpid credential revoke $CREDENTIAL --reason 'phone lost' --yes",
)
async def revoke(
    run: Run,
    credential_id: Id = None,
    status_uri: StatusUri = None,
    index: Index = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Revoke one credential for good; the authority behind it stays."""
    from corpid.services.revocation import Revocation

    acts = Revocation.plan_revoke_credential, Revocation.revoke_credential
    return await _change(run, "Revoke", (credential_id, status_uri, index), acts, reason, yes)


@command(
    app,
    "credential suspend",
    example="corpid credential suspend $CREDENTIAL --reason 'phone mislaid' --yes",
)
async def suspend(
    run: Run,
    credential_id: Id = None,
    status_uri: StatusUri = None,
    index: Index = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Suspend one credential until it is resumed; the authority behind it stays."""
    from corpid.services.revocation import Revocation

    acts = Revocation.plan_suspend_credential, Revocation.suspend_credential
    return await _change(run, "Suspend", (credential_id, status_uri, index), acts, reason, yes)


@command(
    app,
    "credential resume",
    example="corpid credential resume $CREDENTIAL --reason 'phone found' --yes",
)
async def resume(
    run: Run,
    credential_id: Id = None,
    status_uri: StatusUri = None,
    index: Index = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Resume a credential that was suspended by itself.

    What is suspended with its mandate or organisation comes back with that.
    """
    from corpid.services.revocation import Revocation

    acts = Revocation.plan_resume_credential, Revocation.resume_credential
    return await _change(run, "Resume", (credential_id, status_uri, index), acts, reason, yes)


async def _change(
    run: Run,
    verb: str,
    named: tuple[str | None, str | None, int | None],
    acts: "tuple[Act, Act]",
    reason: str,
    yes: bool,
) -> Answer:
    from corpid.cli.destroying import shown_or_done

    plan, act = acts
    async with run.foundation() as base:
        target = (await _find(base, *named)).credential_id
        return await shown_or_done(
            f"{verb} the credential {target}",
            lambda: plan(base.revocation, target, run.actor, reason),
            lambda: act(base.revocation, target, run.actor, reason),
            yes=yes,
        )


async def _find(
    base: "Foundation", credential_id: str | None, status_uri: str | None, index: int | None
) -> Credential:
    from corpid.domain.credential import StatusEntry
    from corpid.domain.errors import NotFound

    read: Any = base.store.read.credentials
    by_entry = status_uri is not None and index is not None
    if (credential_id is None) == (not by_entry):
        raise CommandError(
            "invalid_value", "name the credential by its id, or by --status-uri and --index"
        )
    if credential_id is not None:
        found = await read.by_id(credential_id)
    else:
        assert status_uri is not None
        assert index is not None
        prefix = base.settings.status_url + "/"
        if not status_uri.startswith(prefix):
            raise NotFound(f"{status_uri} is no status list of this service ({prefix}…)")
        found = await read.by_entry(StatusEntry(status_uri.removeprefix(prefix), index))
    if found is None:
        raise NotFound("no credential is known by that")
    assert isinstance(found, Credential)
    return found
