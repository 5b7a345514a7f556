"""Group commit: many units of work, one fsync.

Units that become ready within a few turns of the event loop share a transaction. Nobody is answered
before the commit, and everybody is told if it fails.

A savepoint for each unit would make SQLite copy every page that the unit changes, although units
hardly ever fail. So the units of a group run without; if one fails, the group is rolled back and
runs again, then with a savepoint for each, so that the one that fails takes only itself back.

Where the disk is slow the loop does not wait for it: see `sqlite_disk`.
"""

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Any, Final, TypeVar

from corpid.storage.errors import StorageBusy, StorageError, StorageUnavailable
from corpid.storage.interface import Work
from corpid.storage.sqlite_connection import run, translate
from corpid.storage.sqlite_disk import Checkpoints, Pace, commit, started_thread

T = TypeVar("T")

MAX_GROUP: Final = 64
"""Units in one commit."""

MAX_TURNS: Final = 4
"""Turns of the event loop in which a group may still grow before it is committed."""

MAX_HOLD: Final = 0.005
"""Seconds after which no further unit joins a group: the loop stands still meanwhile."""

RETRY_BETWEEN: Final = (0.001, 0.005)
"""Seconds between two attempts to get the write lock from another process."""

LEFT_FREE: Final = 0.003
"""Seconds after a commit in the thread for which the write lock is left to another process, which
would not find it free otherwise: a commit takes long then, and more wait for the next already."""


class _Unit:
    __slots__ = ("context", "error", "expires", "future", "guarded", "result", "work")

    def __init__(self, work: Work[Any], future: asyncio.Future[Any], expires: float) -> None:
        self.work = work
        self.future = future
        self.expires = expires
        # Log context of the caller, so that its lines are attributed to its request.
        self.context: Context = copy_context()
        self.guarded = False  # by a savepoint of its own: a unit of its group has failed before
        self.result: Any = None
        self.error: BaseException | None = None


class GroupCommit:
    """The one writer of a process: queues units of work and commits them in groups."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        aside: sqlite3.Connection,
        checkpoints: Checkpoints,
        *,
        deadline: float,
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._checkpoints = checkpoints
        self._deadline = deadline
        self._pace = Pace()
        self._thread: ThreadPoolExecutor | None = None
        self._queue: deque[_Unit] = deque()
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.working = False
        """True while units run: then nothing else of this database may be used."""
        self.reading = connection
        """Where to read: by another connection while a commit is under way in the thread."""

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.append(_Unit(work, future, loop.time() + self._deadline))
        if not self._scheduled:
            self._scheduled = True
            self._idle.clear()
            loop.call_soon(self._gather, loop)
        return await future

    async def close(self) -> None:
        """Wait until nothing is queued, nor under way in the thread, and end the thread."""
        await self._idle.wait()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _gather(self, loop: asyncio.AbstractEventLoop, seen: int = 0, turns: int = 0) -> None:
        """Commit what waits, as soon as a turn of the loop has brought nothing more.

        A commit costs the same for one unit as for many. A turn in which nothing else is ready
        takes some microseconds, so nobody waits noticeably for others who do not come.
        """
        waiting = len(self._queue)
        if waiting == seen or waiting >= MAX_GROUP or turns >= MAX_TURNS:
            self._flush(loop)
        else:
            loop.call_soon(self._gather, loop, waiting, turns + 1)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            pause = self._commit_group(loop)
        except BaseException as error:
            # Interrupted in the middle (Ctrl-C): roll back, answer everybody, let it pass.
            self._give_up(self._queue, error)
            self._queue.clear()
            self._rest()
            raise
        if pause is not None:
            self._go_on(pause, loop)

    def _go_on(self, pause: float, loop: asyncio.AbstractEventLoop) -> None:
        if not self._queue:
            self._rest()
        elif pause:
            loop.call_later(pause, self._flush, loop)
        else:
            loop.call_soon(self._flush, loop)

    def _rest(self) -> None:
        self._scheduled = False
        self._idle.set()

    def _commit_group(self, loop: asyncio.AbstractEventLoop) -> float | None:
        """Commit one group from the queue. Seconds until the next may be tried.

        None if the commit has only begun, in the thread: `_committed` will go on.
        """
        while self._queue and self._queue[0].future.done():  # cancelled before it began
            self._queue.popleft()
        if not self._queue:
            return 0.0
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return self._not_begun(translate(error), error, loop.time())
        group: list[_Unit] = []
        try:
            self._run_group(group, loop)
            # A single unit that failed, and a group that runs again, have been rolled back already.
            if self._connection.in_transaction:
                thread = self._its_thread() if self._pace.is_slow(loop.time()) else None
                if thread is not None:
                    self._commit_in(thread, group, loop)
                    return None
                self._pace.took(commit(self._connection), loop.time(), in_thread=False)
        except (sqlite3.Error, StorageError) as error:
            self._give_up(group, error)
        except BaseException as error:
            self._give_up(group, error)
            raise
        else:
            self._answer(group, loop)
        return 0.0

    def _its_thread(self) -> ThreadPoolExecutor | None:
        """The thread for slow commits; None where no more can be started."""
        if self._thread is None:
            self._thread = started_thread("storage-commit")
        return self._thread

    def _commit_in(
        self, thread: ThreadPoolExecutor, group: list[_Unit], loop: asyncio.AbstractEventLoop
    ) -> None:
        committing = loop.run_in_executor(thread, commit, self._connection)
        self.reading = self._aside
        committing.add_done_callback(partial(self._committed, group, loop))

    def _committed(
        self,
        group: list[_Unit],
        loop: asyncio.AbstractEventLoop,
        committing: "asyncio.Future[float]",
    ) -> None:
        self.reading = self._connection
        try:
            self._pace.took(committing.result(), loop.time(), in_thread=True)
        except sqlite3.Error as error:
            self._give_up(group, error)
        except BaseException as error:
            self._give_up(group, error)
            raise
        else:
            self._answer(group, loop)
        finally:
            self._go_on(LEFT_FREE if self._pace.is_shared(loop.time()) else 0.0, loop)

    def _give_up(self, units: Iterable[_Unit], error: BaseException) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if isinstance(error, StorageError):
            failure = error
        elif isinstance(error, sqlite3.Error):
            failure = translate(error)
        else:
            failure = StorageUnavailable(f"interrupted by {type(error).__name__}")
        _fail(units, failure, error)

    def _answer(self, group: list[_Unit], loop: asyncio.AbstractEventLoop) -> None:
        for unit in group:
            if unit.future.done():  # cancelled
                continue
            if unit.error is None:
                unit.future.set_result(unit.result)
            else:
                unit.future.set_exception(unit.error)
        self._checkpoints.committed(self._connection.total_changes, loop)

    def _not_begun(self, failure: StorageError, cause: Exception, now: float) -> float:
        """Fail those that have waited long enough, or everybody if waiting cannot help."""
        queue = self._queue
        waiting_helps = isinstance(failure, StorageBusy)
        while queue and (not waiting_helps or queue[0].expires <= now):
            _fail((queue.popleft(),), failure, cause)
        if not waiting_helps:
            return 0.0
        if not self._checkpoints.running:
            self._pace.shared(now)
        return random.uniform(*RETRY_BETWEEN)  # noqa: S311 - jitter, no secret

    def _run_group(self, group: list[_Unit], loop: asyncio.AbstractEventLoop) -> None:
        queue = self._queue
        until = loop.time() + MAX_HOLD
        self.working = True
        try:
            while queue and len(group) < MAX_GROUP:
                unit = queue.popleft()
                if unit.future.done():
                    continue
                group.append(unit)
                if unit.guarded:
                    self._run_in_savepoint(unit)
                elif not self._run_bare(unit):
                    if len(group) > 1:
                        self._postpone(group)
                    return  # no transaction is open any more
                if loop.time() > until:
                    return
        finally:
            self.working = False

    def _run_bare(self, unit: _Unit) -> bool:
        """Run a unit; when it fails, everything of the group is rolled back."""
        try:
            unit.result = unit.context.run(run, unit.work, self._connection)
        except (Exception, asyncio.CancelledError) as error:
            unit.error = error
            self._still_open(error)
            self._connection.execute("ROLLBACK")
            return False
        return True

    def _postpone(self, group: list[_Unit]) -> None:
        """Put a group that was rolled back in front of the queue, to run under savepoints."""
        for unit in group:
            unit.guarded, unit.result, unit.error = True, None, None
        self._queue.extendleft(reversed(group))
        group.clear()

    def _run_in_savepoint(self, unit: _Unit) -> None:
        execute = self._connection.execute
        execute("SAVEPOINT unit")
        try:
            unit.result = unit.context.run(run, unit.work, self._connection)
        except (Exception, asyncio.CancelledError) as error:
            unit.error = error
            self._still_open(error)
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _still_open(self, error: BaseException) -> None:
        """A full disk and its like make SQLite roll back everything: then nobody has succeeded."""
        if not self._connection.in_transaction:
            if isinstance(error, StorageError):
                raise error
            raise StorageUnavailable("the database rolled the transaction back") from error


def _fail(units: Iterable[_Unit], failure: StorageError, cause: BaseException) -> None:
    for unit in units:
        if unit.future.done():
            continue
        # One object each, for a traceback grows on every raise. `__new__`, because subclasses
        # build their message from other arguments.
        own = type(failure).__new__(type(failure), *failure.args)
        own.__dict__.update(failure.__dict__)
        own.__cause__ = cause
        unit.future.set_exception(own)
