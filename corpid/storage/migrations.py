"""Bringing a database's schema up to date, on both engines, also from the installed wheel.

Alembic's scripts lie in ``alembic/``: beside the package in the source tree, inside it in the
wheel. SQLite is migrated over a connection of its own. For PostgreSQL Alembic writes the SQL out
and asyncpg runs it, so that no second driver is needed; a migration of data is therefore SQL too.
Each migration is one transaction: it is done, or nothing has changed.
"""

import asyncio
import io
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import corpid
from corpid.errors import WrongDatabase
from corpid.storage.errors import StorageError
from corpid.storage.sqlite_connection import connect, translate
from corpid.storage.urls import sqlite_path

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from sqlalchemy.engine import Connection

COMMAND: Final = "corpid db migrate"
HEAD: Final = "0022"
"""The newest revision. Alembic takes a third of a second to load, so it is loaded only where
there is something to migrate; a test holds this to the scripts."""

_BUSY_TIMEOUT: Final = 30.0
_LOCK: Final = 0x636F72706964  # "corpid"; an advisory lock of this number means: migrating
# Alembic keeps what it works on in module globals.
_one_at_a_time: Final = threading.Lock()


class MigrationError(WrongDatabase):
    """The database's schema is not the one that this version works with."""

    code = "migration_error"


class NotMigrated(MigrationError):
    """The database is empty or of an older version."""

    code = "not_migrated"


class MadeByNewerVersion(MigrationError):
    """A newer version of the software has migrated the database."""

    code = "made_by_newer_version"


def head() -> str:
    """The revision that this version of the software works with."""
    return HEAD


async def current(url: str) -> str | None:
    """The revision of the database at ``url``; None when it was never migrated.

    Raises:
        StorageError: it cannot be opened or read.
    """
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_current_sqlite, path)
    from corpid.storage import migrations_postgresql

    return await migrations_postgresql.current(url)


async def check(url: str) -> None:
    """Refuse a database whose schema is not this version's.

    Raises:
        NotMigrated: it is older; the message says the command.
        MadeByNewerVersion: it is newer.
        StorageError: it cannot be opened or read.
    """
    revision = await current(url)
    if await asyncio.to_thread(_is_current, revision):
        return
    if revision is None:
        raise NotMigrated(f"the database has no tables yet: run `{COMMAND}`")
    raise NotMigrated(
        f"the database is of an older version (revision {revision}, needed {head()}): make a "
        f"backup, then run `{COMMAND}`"
    )


async def migrate(url: str) -> str:
    """Bring the database at ``url`` up to date and return its revision.

    Safe to run in several processes at once: one does it, the others find it done. A SQLite file
    that is not there is made.

    Raises:
        MadeByNewerVersion: it is newer than this version of the software.
        StorageError: it cannot be opened or written to.
    """
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_migrate_sqlite, path)
    from corpid.storage import migrations_postgresql

    return await migrations_postgresql.migrate(url, _LOCK, _script_from)


def _is_current(revision: str | None) -> bool:
    """Whether nothing is to be done. Raises MadeByNewerVersion for a revision not known here."""
    if revision == HEAD:
        return True
    scripts = _scripts()
    if revision is not None and revision not in {one.revision for one in scripts.walk_revisions()}:
        raise MadeByNewerVersion(
            f"the database was made by a newer version: its revision {revision} is not known to "
            f"this one ({corpid.__version__}), which knows up to {scripts.get_current_head()}. "
            "Install that version, or restore a backup made before the upgrade"
        )
    return False


def _config(**attributes: Any) -> "Config":
    from alembic.config import Config

    package = Path(corpid.__file__).parent
    places = (package / "alembic", package.parent / "alembic")
    folder = next((place for place in places if (place / "env.py").is_file()), None)
    if folder is None:
        raise StorageError("the migration scripts are missing: the installation is damaged")
    config = Config(output_buffer=io.StringIO(), attributes=attributes)
    # Interpolated by configparser, hence the doubled sign.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def _script_from(revision: str | None) -> str:
    """The SQL for PostgreSQL from that revision to the newest; empty when it is the newest."""
    if _is_current(revision):
        return ""
    from alembic.command import upgrade

    with _one_at_a_time:
        config = _config()
        upgrade(config, "head" if revision is None else f"{revision}:head", sql=True)
    written: str = config.output_buffer.getvalue()  # type: ignore[union-attr]
    return written


def _current_sqlite(path: str) -> str | None:
    if not Path(path).exists():
        return None
    connection = connect(path, read_only=True, busy_timeout=_BUSY_TIMEOUT)
    try:
        return _read_revision(connection)
    except sqlite3.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def _read_revision(connection: sqlite3.Connection) -> str | None:
    made = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    if made is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _migrate_sqlite(path: str) -> str:
    revision = _current_sqlite(path)
    if revision is not None and _is_current(revision):
        return revision
    from alembic.command import upgrade
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        "sqlite://", creator=lambda: _migrating_connection(path), poolclass=NullPool
    )
    event.listen(engine, "begin", _begin_immediate)
    try:
        with _one_at_a_time, engine.connect() as connection:
            upgrade(_config(connection=connection), "head")
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise translate(error.orig) from error
    finally:
        engine.dispose()
    return head()


def _migrating_connection(path: str) -> sqlite3.Connection:
    connection = connect(path, read_only=False, busy_timeout=_BUSY_TIMEOUT)
    # A table is altered by making it anew; env.py checks the references before the commit.
    connection.execute("PRAGMA foreign_keys=OFF")
    return connection


def _begin_immediate(connection: "Connection") -> None:
    # The driver is in autocommit mode. Taking the write lock before the revision is read is what
    # makes two processes wait for each other.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
