"""Bulk access for register imports: many organisations in a few short transactions.

Numbers in force are looked up with one statement per scheme, and rows are written with one
statement per table. On SQLite transactions are as long as 20 ms allow, and the lock stays free
between them for as long as a waiting writer of the service needs to notice.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import select, text

from corpid.clock import milliseconds
from corpid.domain.organisation import Identifier, Registration
from corpid.storage import organisation_rows as rows
from corpid.storage.change_counters import ChangeCounters
from corpid.storage.client_cache import ClientCache
from corpid.storage.constructs import given, table
from corpid.storage.interface import Database, Row, Transaction
from corpid.storage.name_index import NameIndex
from corpid.storage.paced import PacedWriter
from corpid.storage.repositories.operations import add_audit, bump
from corpid.storage.repositories.organisations import (
    ADD_NAME,
    ADD_REGISTRATION,
    END_REGISTRATION,
    NAMES,
    REMOVE_NAME,
)
from corpid.storage.resting import ended_but_resting, resting
from corpid.storage.scope import Scope
from corpid.storage.statement import Statement, any_of
from keys.clock import Clock, Random, system_clock

T = TypeVar("T")

LOOKED_UP: Final = 1000
"""Numbers in one look-up."""

_organisation = table("organisation")
_identifier = table("identifier")
_registration = table("registration")

# Two look-ups by one index each, and no join: PostgreSQL plans a join for tables as small as they
# were when an import began, and its time then grows with the square of the rows.
_HOLDERS: Final = Statement(
    select(_identifier.c.value, _identifier.c.organisation_id).where(
        given(_identifier.c.scheme),
        any_of(_identifier.c.value, "values"),
        _identifier.c.valid_to.is_(None),
        _identifier.c.ended_at.is_(None),
    )
)
_DIGESTS: Final = Statement(
    select(_registration.c.organisation_id, _registration.c.digest).where(
        any_of(_registration.c.organisation_id, "ids"), _registration.c.ended_at.is_(None)
    )
)
_STATUSES: Final = Statement(
    select(_registration.c.organisation_id, _registration.c.status).where(
        any_of(_registration.c.organisation_id, "ids"), _registration.c.ended_at.is_(None)
    )
)
# PostgreSQL keeps the plan that it made for an empty table until the table is analysed.
_ANALYSE: Final = Statement(text("ANALYZE organisation, identifier, registration"))
_FIRST_ANALYSIS: Final = 2000


class SqlRegisterRows:
    """``services.register_ports.RegisterRows``."""

    def __init__(
        self,
        database: Database,
        clock: Clock = system_clock,
        random: Random = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._writer = PacedWriter(database)
        self._pace = self._writer.pace(start=100, least=25, most=1000, with_row_locks=2000)
        self._names = NameIndex(database, self._writer)
        self._added = 0
        self._next_analysis = _FIRST_ANALYSIS

    async def digests(self, numbers: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """See ``RegisterRows.digests``."""
        return {number: digest for number, (_, digest) in (await self.known(numbers)).items()}

    async def known(
        self, numbers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[str, bytes]]:
        """Organisation id and digest of the open registrations of (scheme, value) numbers."""
        by_scheme: dict[str, list[str]] = {}
        for scheme, value in numbers:
            by_scheme.setdefault(scheme, []).append(value)
        found: dict[tuple[str, str], tuple[str, bytes]] = {}
        for scheme, values in by_scheme.items():
            for chunk in _chunks(values, LOOKED_UP):
                held = await self._database.all(_HOLDERS, scheme=scheme, values=list(chunk))
                ids = [organisation_id for _, organisation_id in held]
                digests: dict[str, bytes] = {}
                if ids:
                    digests = dict(await self._database.all(_DIGESTS, ids=ids))
                for value, organisation_id in held:
                    if organisation_id in digests:
                        found[scheme, value] = (organisation_id, digests[organisation_id])
        return found

    @property
    def at_once(self) -> int:
        """See ``RegisterRows.at_once``."""
        return self._pace.size

    async def statuses(self, organisation_ids: Sequence[str]) -> dict[str, str]:
        """See ``RegisterRows.statuses``."""
        return dict(await self._database.all(_STATUSES, ids=list(organisation_ids)))

    async def resting(self, organisation_ids: Sequence[str]) -> set[str]:
        """See ``RegisterRows.resting``."""
        return await resting(self._database, organisation_ids, milliseconds(self._clock))

    async def ended_but_resting(self, after: str, limit: int) -> list[str]:
        """See ``RegisterRows.ended_but_resting``."""
        return await ended_but_resting(self._database, after, limit, milliseconds(self._clock))

    async def add(
        self,
        entries: Sequence[tuple[Identifier, Registration]],
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Add new organisations, each with its number and registration, in batches.

        With ``facts`` every batch has an audit row of them. No counter is raised: nobody can have
        kept anything of an organisation that was not there.

        Raises:
            UniqueViolation: a number belongs to an organisation already; its batch is not written.
        """
        # In the order of their keys: then each row is written next to the one before.
        entries = sorted(entries, key=lambda entry: entry[1].organisation_id)
        for batch in self._pace.batches(entries):
            await self._add(batch, None if facts is None else {**facts, "added": len(batch)})
        await self._analyse(len(entries))

    async def _add(
        self,
        batch: Sequence[tuple[Identifier, Registration]],
        audit: Mapping[str, object] | None,
    ) -> None:
        organisations: list[Row] = []
        identifiers: list[Row] = []
        registrations: list[Row] = []
        for identifier, registration in batch:
            organisation_id, now_ms = registration.organisation_id, registration.recorded_at
            organisations.append((organisation_id, now_ms, None))
            identifiers.append(rows.identifier_row(organisation_id, identifier, now_ms))
            registrations.append(rows.registration_row(registration))
        await self._names.prepare(min(one.recorded_at for _, one in batch))

        async def unit(transaction: Transaction) -> None:
            await transaction.load(_organisation, organisations)
            await transaction.load(_identifier, identifiers)
            await transaction.load(_registration, registrations)
            await self._names.note(transaction)
            if audit is not None:
                await add_audit(self._scope(transaction), "register.imported", audit)

        await self._writer.write(unit, len(batch), self._pace)

    async def _analyse(self, added: int) -> None:
        self._added += added
        if self._database.dialect == "postgresql" and self._added >= self._next_analysis:
            self._next_analysis = self._added * 3

            async def unit(transaction: Transaction) -> None:
                await transaction.all(_ANALYSE)  # its tag has no count of rows

            await self._database.bulk(unit)

    async def complete(self) -> None:
        """See ``RegisterRows.complete``."""
        await self._names.complete()

    async def replace(
        self, registrations: Sequence[Registration], facts: Mapping[str, object] | None = None
    ) -> None:
        """End the open registrations of these organisations and add new ones, in batches.

        With ``facts`` every batch has an audit row of them that names the organisations, and
        raises the counter ``authority`` once.
        """
        for batch in self._pace.batches(registrations):
            await self._replace(
                batch,
                None
                if facts is None
                else {**facts, "changed": [one.organisation_id for one in batch]},
            )

    async def _replace(
        self, batch: Sequence[Registration], audit: Mapping[str, object] | None
    ) -> None:
        ended = [{"organisation_id": one.organisation_id, "now": one.recorded_at} for one in batch]
        ids = [one.organisation_id for one in batch]
        registrations = [rows.registration_columns(one) for one in batch]
        names = [name for one in batch for name in rows.folded_names_of(one)]

        async def unit(transaction: Transaction) -> None:
            known = await transaction.all(NAMES, ids=ids)
            await transaction.many(
                REMOVE_NAME, [name for one in known for name in rows.folded_names(*one)]
            )
            await transaction.many(END_REGISTRATION, ended)
            await transaction.many(ADD_REGISTRATION, registrations)
            await transaction.many(ADD_NAME, names)
            if audit is not None:
                await add_audit(self._scope(transaction), "register.imported", audit)
                await bump(transaction, "authority")

        await self._writer.write(unit, len(batch), self._pace)

    def _scope(self, transaction: Transaction) -> Scope:
        return Scope(
            transaction, transaction, self._clock, self._random, ClientCache(), ChangeCounters()
        )


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
