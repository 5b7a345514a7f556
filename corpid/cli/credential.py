"""`corpid credential`: what was issued, and what becomes of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from corpid.cli.context import At, Reason, Run, Yes, command, instant
from corpid.cli.output import NOT_FOUND, Answer, CommandError
from corpid.domain.credential import Credential, CredentialState, status_of

if TYPE_CHECKING:
    from corpid.services.revocation_credentials import CredentialAct
    from corpid.wiring.foundation import Foundation

KEY_COMPROMISE: Final = "key_compromise"
"""The reason with which a wallet is not trusted any more."""
app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Credentials issued.")
Id = Annotated[str | None, typer.Argument(help="The credential's internal id.")]
StatusUri = Annotated[str | None, typer.Option(help="Or: the status list's URI …")]
Index = Annotated[int | None, typer.Option(min=0, help="… and the index in it.")]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="Or many: a file (JSON lines, or CSV) with credential_id, also results of `issue`.",
    ),
]
Organisation = Annotated[
    str | None, typer.Option(help="Or many: all that go on of this business …")
]
Wallet = Annotated[
    bool | None,
    typer.Option(
        "--wallet/--key-only",
        help="Also all else that the same wallet got by the same authorization, which ends with "
        f"the sign-in and consent behind it. Default with --reason {KEY_COMPROMISE}.",
    ),
]
Kind = Annotated[str | None, typer.Option("--type", help="… of this type, or of both.")]


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
    from corpid.services.credential_history import history_of, in_wallet

    at_ms = instant(at)
    async with run.foundation() as base:
        found = await _find(base, _Which(credential_id, status_uri, index, None, None, None))
        status = await base.store.read.status_lists.status_of(found.entry)
        history = await history_of(base.store.read, found)
        beside = await in_wallet(base.store.read, found, int(base.clock() * 1000))
    document = {**documents.credential(found), "status": status.value, "in_wallet": beside}
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
        del document["on_hold"], document["in_wallet"]  # how it stands now
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
    file: From = None,
    organisation: Organisation = None,
    kind: Kind = None,
    wallet: Wallet = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Revoke one credential for good, or many; the authority behind it stays.

    Its wallet may be issued another one for another key. Where a telephone was lost, or somebody
    else may have the keys, --wallet ends that too.
    """
    which = _Which(credential_id, status_uri, index, file, organisation, kind)
    whole = reason == KEY_COMPROMISE if wallet is None else wallet
    return await _change(run, "revoke_wallet" if whole else "revoke", which, reason, yes)


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
    file: From = None,
    organisation: Organisation = None,
    kind: Kind = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Suspend one credential until it is resumed, or many; the authority behind it stays."""
    which = _Which(credential_id, status_uri, index, file, organisation, kind)
    return await _change(run, "suspend", which, reason, yes)


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
    file: From = None,
    organisation: Organisation = None,
    kind: Kind = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """Resume a credential that was suspended by itself, or many.

    What is suspended with its mandate or organisation comes back with that.
    """
    which = _Which(credential_id, status_uri, index, file, organisation, kind)
    return await _change(run, "resume", which, reason, yes)


_WORDS: Final = {
    "revoke": "Revoke the credential",
    "revoke_wallet": "Revoke all of the wallet of the credential",
    "suspend": "Suspend the credential",
    "resume": "Resume the credential",
}


@dataclass(frozen=True, slots=True)
class _Which:
    """One credential, by its id or its status entry; or many, from a file or a listing."""

    credential_id: str | None
    status_uri: str | None
    index: int | None
    file: Path | None
    organisation: str | None
    kind: str | None

    @property
    def many(self) -> bool:
        return any((self.file, self.organisation, self.kind))


async def _change(run: Run, verb: str, which: _Which, reason: str, yes: bool) -> Answer:
    from corpid.cli.destroying import shown_or_done
    from corpid.services.revocation_credentials import CredentialAct

    act = CredentialAct[verb.upper()]
    async with run.foundation() as base:
        if which.many:
            return await _change_many(base, run, which, act, reason, yes)
        target = (await _find(base, which)).credential_id
        acts = base.revocation
        plan, do = {
            CredentialAct.REVOKE: (acts.plan_revoke_credential, acts.revoke_credential),
            CredentialAct.REVOKE_WALLET: (acts.plan_revoke_wallet, acts.revoke_wallet),
            CredentialAct.SUSPEND: (acts.plan_suspend_credential, acts.suspend_credential),
            CredentialAct.RESUME: (acts.plan_resume_credential, acts.resume_credential),
        }[act]
        return await shown_or_done(
            f"{_WORDS[verb]} {target}",
            lambda: plan(target, run.actor, reason),
            lambda: do(target, run.actor, reason),
            yes=yes,
        )


async def _change_many(
    base: "Foundation",
    run: Run,
    which: _Which,
    act: "CredentialAct",
    reason: str,
    yes: bool,
) -> Answer:
    from corpid.cli.bulk_reports import bulk_answer
    from corpid.cli.progress import count_lines, progress_bar
    from corpid.cli.row_files import read_rows
    from corpid.services.bulk import BulkReport, ShortTurns, steadily
    from corpid.services.bulk_change import BulkChange, going_on
    from corpid.services.organisations import find_organisation
    from corpid.storage.paced import FREE_SECONDS

    if (
        which.credential_id
        or which.status_uri
        or (which.file and (which.organisation or which.kind))
    ):
        raise CommandError("invalid_value", "name one credential, a file, or a business or type")
    read = base.store.read
    whose = None
    if which.organisation is not None:
        whose = (await find_organisation(read, which.organisation)).organisation_id
    with progress_bar(None if which.file is None else count_lines(which.file)) as show:

        def tell(report: BulkReport) -> None:
            show(report.line, f"{report.rows:,} rows, {report.refused:,} refused")

        turns = ShortTurns(base.store, FREE_SECONDS)
        bulk = BulkChange(
            base.revocation,
            base.offers,
            turns,
            act,
            actor=run.actor,
            reason=reason,
            progress=tell,
            rehearsal=not yes,
        )
        if which.file is None:
            report = await bulk.run(going_on(read.credentials, whose, which.kind))
        else:
            report = await bulk.run(steadily(read_rows(which.file)))
    return bulk_answer(report, {"act": act.value}, yes=yes)


async def _find(base: "Foundation", which: _Which) -> Credential:
    from corpid.domain.credential import StatusEntry
    from corpid.domain.errors import NotFound

    read: Any = base.store.read.credentials
    credential_id, status_uri, index = which.credential_id, which.status_uri, which.index
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
