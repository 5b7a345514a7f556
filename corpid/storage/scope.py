"""What every repository works in: a connection or a transaction, the clock, randomness, caches."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from sqlalchemy import Table

from corpid.clock import milliseconds
from corpid.storage.change_counters import ChangeCounters
from corpid.storage.client_cache import ClientCache
from corpid.storage.interface import Connection, Row, Transaction
from corpid.storage.statement import Statement
from keys.clock import Clock, Random

CHANGES: Final = "corpid_change"
"""The channel that is notified when a change counter was raised."""


class Scope:
    """``reads`` and ``writes`` are the same transaction inside a write.

    ``locking`` says that a decision will be written on what is read: see ``constructs.shared``.
    """

    __slots__ = ("clients", "clock", "counters", "locking", "random", "reads", "writes")

    def __init__(
        self,
        reads: Connection,
        writes: Transaction | None,
        clock: Clock,
        random: Random,
        clients: ClientCache,
        counters: ChangeCounters,
    ) -> None:
        self.reads = reads
        self.writes: Transaction = _READ_ONLY if writes is None else writes
        self.locking = writes is not None
        self.clock = clock
        self.random = random
        self.clients = clients
        self.counters = counters

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return milliseconds(self.clock)


class Repository:
    """One aggregate's statements over a scope."""

    __slots__ = ("_in",)

    def __init__(self, scope: Scope) -> None:
        self._in = scope


class _ReadOnly:
    """Stands where a transaction would: `store.read` does not write."""

    has_one_writer: Final = False

    async def one(self, statement: Statement, /, **params: Any) -> Row | None:
        self._refuse()

    async def all(self, statement: Statement, /, **params: Any) -> list[Row]:
        self._refuse()

    async def execute(self, statement: Statement, /, **params: Any) -> int:
        self._refuse()

    async def lock(self, statement: Statement, /, **params: Any) -> None:
        self._refuse()

    async def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        self._refuse()

    async def load(self, table: Table, rows: Sequence[Row], /) -> None:
        self._refuse()

    async def notify(self, channel: str) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("store.read does not write: use store.write")


_READ_ONLY: Final = _ReadOnly()
