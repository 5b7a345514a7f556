"""`corpid db`: the database's schema, and what has outlived its use."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from corpid.cli.context import Run, Yes, command
from corpid.cli.output import NOT_FOUND, Answer, CommandError, Facts

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The database.")
_DAY_MS: Final = 86_400_000


def add_to(parent: typer.Typer) -> None:
    """Put these commands under ``corpid db``."""
    parent.add_typer(app, name="db")


@command(app, "db migrate", example="corpid db migrate")
async def migrate(run: Run) -> Answer:
    """Bring the database up to this version; it needs no master key. Make a backup before."""
    from corpid.storage import migrations

    url = run.settings().database_location()
    before = await migrations.current(url)
    after = await migrations.migrate(url)
    document = {"before": before, "revision": after, "changed": before != after}
    title = "Nothing to do" if before == after else "Migrated"
    return Answer(document, [Facts([("before", before or "empty"), ("now", after)], title)])


@command(app, "db backup", example="corpid db backup corpid.backup.db")
async def backup(
    run: Run,
    file: Annotated[Path, typer.Argument(help="Where to: a file that is not there yet.")],
) -> Answer:
    """Copy an SQLite database while it is in use, ready to be put in its place.

    In the copy no status list is open, so that what is issued after a restore shares its entry
    with nothing that was issued since the copy was made. PostgreSQL has its own tools.
    """
    from corpid.storage.errors import StorageError
    from corpid.storage.sqlite_backup import backup as copy
    from corpid.wiring.foundation import sqlite_file
    from keys.clock import system_clock

    source = sqlite_file(run.settings().database_location())
    if source is None:
        raise CommandError("not_sqlite", "PostgreSQL is backed up by its own tools")
    if not source.exists():
        raise CommandError("not_found", f"there is no database at {source}", NOT_FOUND)
    try:
        size = await asyncio.to_thread(copy, source, file, int(system_clock() * 1000))
    except StorageError as error:
        raise CommandError("not_copied", str(error)) from None
    document = {"file": str(file), "bytes": size}
    return Answer(document, [Facts(list(document.items()), "Copied")])


@command(app, "db purge", example="corpid db purge --yes")
async def purge(run: Run, yes: Yes = False) -> Answer:
    """Delete what has outlived its use; the running service does so by itself too."""
    from corpid.cli.destroying import dry_run_note
    from corpid.services.key_rotation import KeyRotation
    from corpid.storage import purge as storage
    from corpid.storage import unused_clients

    async with run.foundation() as base:
        now_ms = int(base.clock() * 1000)
        unused = now_ms - base.settings.registration_unused_days * _DAY_MS
        destroyed: tuple[str, ...] = ()
        if yes:
            counts = await storage.purge(base.database, now_ms)
            counts["client"] = await unused_clients.purge_unused_clients(base.database, unused)
            rotation = KeyRotation(base.store, base.master, base.clock, base.certificates)
            destroyed = await rotation.destroy_retired(run.actor)
        else:
            counts = await storage.purgeable(base.database, now_ms)
            counts["client"] = await unused_clients.unused_clients(base.database, unused)
    document = {"dry_run": not yes, "rows": counts, "keys_destroyed": list(destroyed)}
    title = "Deleted rows" if yes else "Rows that would be deleted"
    rows = [(name.replace("_", " "), count) for name, count in counts.items()]
    return Answer(document, [Facts(rows, title)], () if yes else (dry_run_note(),))
