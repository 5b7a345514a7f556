"""What storage offers, whatever the engine: the protocols that repositories are written against.

Rows are plain tuples in column order. Both engines give the same values and the same errors
(`corpid.storage.errors`); what differs is written down here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Table

from corpid.storage.statement import DialectName, Statement

Row = tuple[Any, ...]
T = TypeVar("T")


class Connection(Protocol):
    """What can be asked of storage; outside a transaction each call sees all commits so far."""

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        """The first row, or None."""

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        """All rows; bound them with a limit, for they are fetched before this returns."""


class Transaction(Connection, Protocol):
    """One atomic unit of work; usable only while the work that was given it runs.

    After a statement has failed, the transaction will be rolled back, whatever the work does
    with the error: PostgreSQL cannot go on, so SQLite does not either. Use ON CONFLICT and the
    number of affected rows where a conflict is expected.
    """

    @property
    def has_one_writer(self) -> bool:
        """Whether nobody else can write until this transaction ends: SQLite."""

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        """Run it and return the number of affected rows."""

    async def lock(self, statement: Statement, /, **params: Any) -> None:
        """Keep the rows that it selects ``FOR UPDATE`` from others until the transaction ends.

        PostgreSQL only; SQLite has one writer, for which there is nothing to do.
        """

    async def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once per mapping of parameters."""

    async def load(self, table: Table, rows: Sequence[Row], /) -> None:
        """Add whole new rows, values in the order of the table's columns, the engine's fast way.

        Every column is given. One row that conflicts fails all (UniqueViolation). Unlike the
        other calls this does not compare each value with its column's type.
        """

    async def notify(self, channel: str) -> None:
        """Tell the subscribers of `channel` in all processes, once this has committed.

        PostgreSQL only; on SQLite other processes learn of a change by reading.
        """


Work = Callable[[Transaction], Awaitable[T]]


class Database(Connection, Protocol):
    """An open database, bound to the event loop that it was opened on."""

    @property
    def dialect(self) -> DialectName:
        """The engine."""

    async def write(self, work: Work[T], /) -> T:
        """Run `work` as one atomic unit and return its result once that is durable.

        Whatever `work` raises rolls the unit back and is raised here. `work` must await nothing
        but its transaction (`AwaitedInsideTransaction`), must have no effect elsewhere and may be
        run again after a conflict. A cancelled caller does not learn whether its unit was
        committed; it is, or is not, as a whole. On SQLite units are committed in groups and run
        one after another; on PostgreSQL they run side by side at READ COMMITTED, so decide within
        one statement (`UPDATE ... WHERE used_at IS NULL RETURNING`) or take the row's lock first.

        Raises StorageBusy after the deadline and StorageUnavailable when the outcome is unknown
        or nothing could be written.
        """

    async def bulk(self, work: Work[T], /, *, repeatable: bool = False) -> T:
        """Like `write`, but a transaction outside the groups: for imports and purges.

        On SQLite it runs in a thread of its own with its own connection, and while it runs no
        process can write: keep each call under 20 ms, and never wait for the event loop in it.

        `repeatable` work can be done again from its source: on SQLite a power cut may take the
        last such units (whole ones, and none that a later `write` has followed), in exchange
        for much speed. A killed process loses none.
        """

    async def subscribe(self, channel: str, callback: Callable[[], None], /) -> None:
        """Call `callback` on the loop whenever `channel` is notified, or may have been missed.

        PostgreSQL only; on SQLite nothing is ever called.
        """

    async def close(self) -> None:
        """Refuse new work, finish what is queued, release everything. Closing twice is fine."""
