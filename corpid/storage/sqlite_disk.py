"""What waits for the disk, and must not do so on the event loop: slow commits, and checkpoints.

A commit on a quick disk is cheaper than a hop to a thread. But a sync of the journal takes along
all that other processes have written there, and a busy disk may take 100 ms for it; on the loop
nothing else would be served meanwhile.
"""

import asyncio
import logging
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from corpid.storage.sqlite_connection import connect

SLOW: Final = 0.010
"""Seconds that a commit may take on the event loop: as long as a group of units may run there."""

SLOW_IN_THREAD: Final = 0.025
"""The same in the thread, where waiting for the interpreter, some 5 ms at a time, is part of it."""

REMEMBERED: Final = 5.0
"""Seconds without a slow commit after which commits come back to the event loop."""

CHECKPOINT_CHANGES: Final = 2000
"""Rows changed between two checkpoints: 8 to 16 MB of journal. Keys are random, so a page is
written again and again, and copying it back less often saves work."""

MAX_FRAMES: Final = 16_384
"""Pages of journal (64 MB) from which on others are made to wait for a moment to begin it anew."""

_RESTART_PATIENCE_MS: Final = 10
_log = logging.getLogger(__name__)


class Pace:
    """Whether the next commit may be waited for on the event loop."""

    def __init__(self) -> None:
        self._slow_until = float("-inf")
        self._shared_until = float("-inf")

    def is_slow(self, now: float) -> bool:
        """Whether a commit was slow, or another process wrote, a short while ago."""
        return now < self._slow_until or now < self._shared_until

    def is_shared(self, now: float) -> bool:
        """Whether another process wrote a short while ago."""
        return now < self._shared_until

    def took(self, seconds: float, now: float, *, in_thread: bool) -> None:
        """A commit that ended `now` took so long."""
        if seconds > (SLOW_IN_THREAD if in_thread else SLOW):
            self._slow_until = now + REMEMBERED

    def shared(self, now: float) -> None:
        """Another process holds the write lock: the next sync has its part of the journal too."""
        self._shared_until = now + REMEMBERED


def commit(connection: sqlite3.Connection) -> float:
    """Commit the open transaction. The seconds that it took; raises sqlite3.Error."""
    began = time.monotonic()
    connection.execute("COMMIT")
    return time.monotonic() - began


def started_thread(name: str) -> ThreadPoolExecutor | None:
    """One thread that waits for work; None where no more can be started."""
    thread = ThreadPoolExecutor(1, thread_name_prefix=name)
    try:
        # Begun with nothing: what could not begin is kept, and would run with the next.
        thread.submit(int)
    except RuntimeError:
        return None
    return thread


class Checkpoints:
    """Moves the journal into the file, in a thread and on a connection of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._changes = 0
        self._running: asyncio.Future[None] | None = None

    @property
    def running(self) -> bool:
        """Whether one is under way: then it may be what holds the write lock."""
        return self._running is not None

    def committed(self, changes: int, loop: asyncio.AbstractEventLoop) -> None:
        """So many rows were changed since the database was opened: begin one if it is time."""
        if changes - self._changes < CHECKPOINT_CHANGES or self._running is not None:
            return
        self._changes = changes
        if self._thread is None:
            self._thread = started_thread("storage-checkpoint")
        if self._thread is None:
            _log.warning("the journal was not moved into the database: no thread can be started")
            return
        self._running = loop.run_in_executor(self._thread, self._run)
        self._running.add_done_callback(self._ended)

    def _run(self) -> None:
        connection = connect(self._path, read_only=False)
        try:
            checkpoint(connection)
        finally:
            connection.close()

    def _ended(self, run: "asyncio.Future[None]") -> None:
        self._running = None
        if not run.cancelled() and (error := run.exception()) is not None:
            # Nothing is lost: the next one moves more, at last one within a commit.
            _log.warning("the journal was not moved into the database: %s", error)

    async def close(self) -> None:
        """Wait for the one under way."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(None, thread.shutdown)


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move the journal into the file, while others write. Raises sqlite3.Error."""
    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if frames > MAX_FRAMES:
        # Others wrote meanwhile, again and again, so that it never began anew by itself. Little
        # is left to move. Whoever still reads an old part is not waited for long.
        connection.execute(f"PRAGMA busy_timeout={_RESTART_PATIENCE_MS}")
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        connection.execute("PRAGMA busy_timeout=0")
