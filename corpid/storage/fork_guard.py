"""Databases that were open when the process forked are refused in the child.

A SQLite connection must be neither used nor closed by a child (its locks are the parent's), and
two processes on one PostgreSQL socket read each other's answers. The child opens its own.
"""

import os
import weakref
from typing import Final, Protocol


class Refusable(Protocol):
    """Something open that can be told why it may not be used any more."""

    def refuse(self, reason: str) -> None:
        """Fail every later call with `reason`."""


_open: Final["weakref.WeakSet[Refusable]"] = weakref.WeakSet()
_inherited: Final[list[Refusable]] = []


def guard(database: Refusable) -> None:
    """Refuse `database` in every child of this process."""
    _open.add(database)


def release(database: Refusable) -> None:
    """`database` is closed: nothing to guard."""
    _open.discard(database)


def _after_fork() -> None:
    for database in list(_open):
        database.refuse("the database was opened before a fork: open it again in this process")
        _inherited.append(database)  # never collected, so never closed by the child
    _open.clear()


os.register_at_fork(after_in_child=_after_fork)
