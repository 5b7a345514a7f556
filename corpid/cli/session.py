"""`corpid session`: where people are signed in."""

from typing import Annotated, Any

import typer

from corpid.cli.context import Reason, Run, Yes, command
from corpid.cli.output import NOT_FOUND, Answer, CommandError, Facts

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Where people are signed in.")
Person = Annotated[str, typer.Argument(help="User name or person id.")]


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid session``."""
    parent.add_typer(app, name="session")


@command(app, "session list", example="corpid session list sample.person")
async def find(run: Run, person: Person) -> Answer:
    """List the browsers in which a person is signed in, and for which relying parties."""
    from corpid.cli import documents
    from corpid.services.people import find_person

    async with run.foundation() as base:
        found = await find_person(base.store.read, person)
        views = await base.session_list.of(found.person_id)
    document: list[dict[str, Any]] = [
        {
            "session_id": one.session.session_id,
            "browser": one.session.browser or None,
            "assurance": one.session.assurance.value,
            "began_at": documents.when(one.session.began_at),
            "signed_in_at": documents.when(one.session.signed_in_at),
            "used_at": documents.when(one.session.used_at),
            "expires_at": documents.when(one.session.expires_at),
            "clients": [client.client_id for client in one.clients],
        }
        for one in views
    ]
    columns = ("session_id", "browser", "assurance", "began_at", "used_at", "clients")
    return Answer(document, [documents.table(document, columns)])


@command(app, "session end", example="corpid session end --person sample.person --yes")
async def end(
    run: Run,
    session_id: Annotated[str | None, typer.Argument(help="One session, by its id.")] = None,
    person: Annotated[
        str | None, typer.Option(help="All of a person: user name or person id.")
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
) -> Answer:
    """End one session, or all of a person: tokens end, and the relying parties are told."""
    from corpid.cli.destroying import dry_run_note
    from corpid.services.people import find_person

    if (session_id is None) == (person is None):
        raise CommandError("invalid_value", "name one session, or a person by --person")
    async with run.foundation() as base:
        sessions = base.session_list
        if session_id is not None:
            known = await sessions.find(session_id)
            if known is None:
                raise CommandError("not_found", f"there is no session {session_id}", NOT_FOUND)
            ids = [session_id] if known.ended_at is None else []
        else:
            assert person is not None
            found = await find_person(base.store.read, person)
            ids = [one.session.session_id for one in await sessions.of(found.person_id)]
        done = await sessions.end(ids, run.actor, reason or "operator") if yes else None
    document = {
        "done": done is not None,
        "dry_run": not yes,
        "session_ids": ids,
        "sessions": len(ids) if done is None else done.sessions,
        "authorizations": None if done is None else done.authorizations,
        "logouts": None if done is None else done.logouts,
    }
    rows = [(name, document[name]) for name in ("sessions", "authorizations", "logouts")]
    title = "Sessions ended" if yes else "These sessions would end"
    return Answer(document, [Facts(rows, title)], () if yes else (dry_run_note(),))
