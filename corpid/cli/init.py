"""`corpid init`: the foundations of a new service, made once."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from corpid.cli.context import Run, command
from corpid.cli.output import Answer, CommandError, Facts

if TYPE_CHECKING:
    from corpid.settings import Settings
    from corpid.storage.store import SqlStore
    from keys.sealing import MasterKey


def add_to(parent: typer.Typer) -> None:
    """Put the command under ``corpid``."""

    @command(parent, "init", example="corpid init")
    async def init(run: Run) -> Answer:
        """Set up a new service: master key file, database, secrets and first keys.

        A master key is made only where neither the database is set up nor the key file exists.
        Running it again changes nothing. Back the key file up: without it the database is lost.
        """
        from corpid.cli.config import without_password
        from corpid.services.bootstrap import check, is_initialised
        from corpid.storage import migrations
        from corpid.storage.database import open_database
        from corpid.storage.store import SqlStore
        from keys.clock import system_clock

        settings = run.settings()
        url = settings.database_location()
        before = await _revision(url)
        if before is not None:  # so that a database of a newer version is refused first
            await migrations.migrate(url)
            database = await open_database(url)
            try:
                store = SqlStore(database, system_clock, os.urandom)
                already = await is_initialised(store)
                if already:
                    await check(store, _existing_key(settings), settings.issuer)
            finally:
                await database.close()
        else:
            already = False
        created = None
        if not already:
            master, created = _key(settings)
            await migrations.migrate(url)
            database = await open_database(url)
            try:
                await _initialise(SqlStore(database, system_clock, os.urandom), master, settings)
            finally:
                await database.close()
        document = {
            "initialised": not already,
            "already": already,
            "issuer": settings.issuer,
            "database": without_password(settings.database_url),
            "revision": migrations.head(),
            "master_key_created": None if created is None else str(created),
        }
        notes = []
        if created is not None:
            notes.append(
                f"The new master key is in {created}. Keep a copy of it elsewhere: without it "
                "nothing in this database can be opened."
            )
        title = "Set up already, nothing was changed" if already else "Set up"
        return Answer(document, [Facts(list(document.items()), title)], notes)


async def _revision(url: str) -> str | None:
    """The revision of the database, None where there is none yet."""
    from corpid.storage import migrations
    from corpid.wiring.foundation import sqlite_file

    file = sqlite_file(url)
    if file is not None and not file.exists():
        if not file.parent.is_dir():
            raise CommandError("no_directory", f"the directory {file.parent} does not exist")
        return None
    return await migrations.current(url)


async def _initialise(store: "SqlStore", master: "MasterKey", settings: "Settings") -> None:
    from corpid.services.bootstrap import initialise
    from keys.clock import system_clock

    await initialise(store, master, settings.issuer, system_clock, os.urandom)


def _existing_key(settings: "Settings") -> "MasterKey":
    """The key of a database that is set up: never a new one."""
    from corpid.errors import ConfigurationError, WrongDatabase
    from keys.sealing import MasterKey

    try:
        return MasterKey.from_text(settings.read_master_key())
    except ConfigurationError as error:
        raise WrongDatabase(
            f"the database is set up already, but its master key is not there ({error.args[0]}). "
            "Put the key back from its backup, or set CORPID_MASTER_KEY_FILE to where it is. No "
            "new key was made: it could not open this database"
        ) from None


def _key(settings: "Settings") -> tuple["MasterKey", Path | None]:
    """The key for a new database, and its file if it was made now."""
    from keys.sealing import MasterKey

    path = settings.master_key_file
    if settings.master_key or path is None or path.exists():
        return MasterKey.from_text(settings.read_master_key()), None
    master = MasterKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another `init` came first: its key is the one
        return MasterKey.from_text(settings.read_master_key()), None
    except OSError as error:
        raise CommandError(
            "unwritable_file", f"the master key file {path} cannot be made: {error.strerror}"
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(master.text() + "\n")
        stream.flush()
        # It must outlive a power cut that the database survives.
        os.fsync(stream.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return master, path
