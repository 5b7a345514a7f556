"""Bulk access for register imports: many organisations in a few short transactions.

Numbers in force are looked up with one statement per scheme, and rows are written with one
statement per table; a pause after each transaction lets the service's own writes through.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import select, text

from corpid.domain.organisation import Identifier, Registration
from corpid.storage import organisation_rows as rows
from corpid.storage.client_cache import ClientCache
from corpid.storage.constructs import adding, given, table
from corpid.storage.interface import Database, Transaction
from corpid.storage.repositories.operations import add_audit, bump
from corpid.storage.repositories.organisations import (
    ADD_NAME,
    ADD_REGISTRATION,
    END_REGISTRATION,
    REMOVE_NAMES,
)
from corpid.storage.scope import Scope
from corpid.storage.statement import Statement, any_of
from keys.clock import Clock, Random, system_clock

T = TypeVar("T")

BATCH: Final = 100
"""Organisations in one transaction: about 10 ms, during which nobody else can write."""

LOOKED_UP: Final = 1000
"""Numbers in one look-up."""

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
# PostgreSQL keeps the plan that it made for an empty table until the table is analysed.
_ANALYSE: Final = Statement(text("ANALYZE organisation, identifier, registration"))
_FIRST_ANALYSIS: Final = 2000
_ADD_ORGANISATION: Final = adding(table("organisation"))
_ADD_IDENTIFIER: Final = adding(_identifier)


class SqlRegisterRows:
    """``services.ports.RegisterRows``."""

    def __init__(
        self,
        database: Database,
        clock: Clock = system_clock,
        random: Random = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random
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

    async def add(
        self,
        entries: Sequence[tuple[Identifier, Registration]],
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Add new organisations, each with its number and registration, in batches.

        With ``facts`` every batch has an audit row of them, and raises the counter ``authority``.

        Raises:
            UniqueViolation: a number belongs to an organisation already; its batch is not written.
        """
        for batch in _chunks(entries, BATCH):
            organisations = [
                {
                    "organisation_id": registration.organisation_id,
                    "created_at": registration.recorded_at,
                    "suspended_at": None,
                }
                for _, registration in batch
            ]
            identifiers = [
                rows.identifier_columns(
                    registration.organisation_id, identifier, registration.recorded_at
                )
                for identifier, registration in batch
            ]
            registered = [rows.registration_columns(registration) for _, registration in batch]
            names = [name for _, one in batch for name in rows.folded_names(one)]
            await self._in_turn(
                (_ADD_ORGANISATION, organisations),
                (_ADD_IDENTIFIER, identifiers),
                (ADD_REGISTRATION, registered),
                (ADD_NAME, names),
                audit=None if facts is None else {**facts, "added": len(batch)},
            )
        await self._analyse(len(entries))

    async def _analyse(self, added: int) -> None:
        self._added += added
        if self._database.dialect == "postgresql" and self._added >= self._next_analysis:
            self._next_analysis = self._added * 3

            async def unit(transaction: Transaction) -> None:
                await transaction.all(_ANALYSE)  # its tag has no count of rows

            await self._database.bulk(unit)

    async def replace(
        self, registrations: Sequence[Registration], facts: Mapping[str, object] | None = None
    ) -> None:
        """End the open registrations of these organisations and add new ones, in batches.

        ``facts`` as in ``add``; the audit row names the organisations.
        """
        for batch in _chunks(registrations, BATCH):
            await self._in_turn(
                (
                    END_REGISTRATION,
                    [
                        {"organisation_id": one.organisation_id, "now": one.recorded_at}
                        for one in batch
                    ],
                ),
                (REMOVE_NAMES, [{"organisation_id": one.organisation_id} for one in batch]),
                (ADD_REGISTRATION, [rows.registration_columns(one) for one in batch]),
                (ADD_NAME, [name for one in batch for name in rows.folded_names(one)]),
                audit=None
                if facts is None
                else {**facts, "changed": [one.organisation_id for one in batch]},
            )

    async def _in_turn(
        self,
        *steps: tuple[Statement, Sequence[Mapping[str, Any]]],
        audit: Mapping[str, object] | None,
    ) -> None:
        async def unit(transaction: Transaction) -> None:
            for statement, parameters in steps:
                await transaction.many(statement, parameters)
            if audit is not None:
                scope = Scope(transaction, transaction, self._clock, self._random, ClientCache())
                await add_audit(scope, "register.imported", audit)
                await bump(transaction, "authority")

        began = time.perf_counter()
        await self._database.bulk(unit)
        if self._database.dialect == "sqlite":
            # The lock is not handed on in order: without a pause nobody else would get it.
            await asyncio.sleep(time.perf_counter() - began)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
