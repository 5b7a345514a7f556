"""A copy of an SQLite database that may be put in its place later."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from corpid.storage.errors import StorageError

_PAGES: Final = 1024
_CLOSE: Final = "UPDATE status_list SET closed_at = ? WHERE closed_at IS NULL"


def backup(source: Path, target: Path, now_ms: int) -> int:
    """Copy a database that is in use to a new file, readable by its owner only; its size in bytes.

    In the copy all status lists are closed: after it is restored, entries come from new lists, and
    none that was given out in between is given out again.

    Raises:
        StorageError: the file is there already or cannot be written, or the copy is damaged.
    """
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise StorageError(f"{target} is there already: give the name of a new file") from None
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror}") from None
    try:
        _copy(source, target, now_ms)
        _flush(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink()
        raise StorageError(f"the copy could not be made: {error}") from None
    return target.stat().st_size


def _copy(source: Path, target: Path, now_ms: int) -> None:
    where = f"{source.absolute().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(where, uri=True)) as live,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        live.backup(copy, pages=_PAGES)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole
        with copy:
            copy.execute(_CLOSE, (now_ms,))
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError("the database is damaged")


def _flush(target: Path) -> None:
    for path in (target, target.absolute().parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
