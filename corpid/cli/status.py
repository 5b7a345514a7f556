"""`corpid status`: the status lists."""

from typing import Any

import typer

from corpid.cli.context import Run, Yes, command
from corpid.cli.output import Answer, Facts

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Status lists.")
_COLUMNS = ("list_id", "open", "given", "size", "changes", "created_at")


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid status``."""
    parent.add_typer(app, name="status")


@command(app, "status list", example="corpid status list")
async def find(run: Run) -> Answer:
    """List the status lists: how many of their entries are given out, and how often one changed."""
    from corpid.cli import documents

    async with run.foundation() as base:
        rows = await base.store.read.status_lists.all()
    document: list[dict[str, Any]] = [
        {
            "list_id": row.list_id,
            "uri": f"{base.settings.status_url}/{row.list_id}",
            "open": row.closed_at is None,
            "given": row.reserved,
            "size": row.size,
            "bits": row.bits,
            "changes": row.version,
            "created_at": documents.when(row.created_at),
            "closed_at": documents.when(row.closed_at),
        }
        for row in rows
    ]
    return Answer(document, [documents.table(document, _COLUMNS)])


@command(app, "status reopen", example="corpid status reopen --yes")
async def reopen(run: Run, yes: Yes = False) -> Answer:
    """Give entries from new lists from now on; the old ones are served as before.

    Do this after the database was restored from anything but `corpid db backup`, before the service
    starts: entries that were given out since the copy was made are then given to nobody else.
    """
    from corpid.cli.destroying import dry_run_note
    from corpid.services.status_reopening import StatusReopening

    async with run.foundation() as base:
        reopening = StatusReopening(base.store, base.master, base.clock, base.random)
        if yes:
            closed = await reopening.reopen(run.actor, "by command")
        else:
            closed = await reopening.open_lists()
    document = {"dry_run": not yes, "closed": closed}
    title = "Closed, and as many opened" if yes else "These would be closed, and new ones opened"
    shown = [Facts([("list", one) for one in closed], title)]
    return Answer(document, shown, () if yes else (dry_run_note(),))
