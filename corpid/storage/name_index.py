"""The names of newly imported organisations, brought into the search index in its own order.

Names come from a register in no order. Written one business at a time, each would change another
page of the index, and a page is 4 KB of journal: most of an import's work. So an import leaves
them out, and writes them at its end, sorted, where neighbours share their pages.

A note in the database says from which instant on organisations may lack their names. It is written
with the first of them and removed when all are there, so an import that died is made good by the
next one.
"""

import heapq
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Final

from sqlalchemy import bindparam, select

from corpid.storage import organisation_rows as rows
from corpid.storage.constructs import adding_once, adding_or_replacing, given, removing, table
from corpid.storage.errors import UniqueViolation
from corpid.storage.interface import Database, Row, Transaction, Work
from corpid.storage.paced import PacedWriter
from corpid.storage.repositories.organisations import NAMES
from corpid.storage.statement import Statement

NOTE: Final = "names_missing_from"
PAGE: Final = 2000
"""Organisations that are read at a time."""

RUN: Final = 30_000
"""Names that are sorted in memory; more are merged from temporary files."""

_meta = table("meta")
_name = table("organisation_name")
_organisation = table("organisation")
_READ_NOTE: Final = Statement(select(_meta.c.value).where(_meta.c.name == NOTE))
_WRITE_NOTE: Final = adding_or_replacing(_meta)
_REMOVE_NOTE: Final = removing(_meta, _meta.c.name == NOTE, given(_meta.c.value))
_ADDED: Final = Statement(
    select(_organisation.c.organisation_id)
    .where(
        _organisation.c.organisation_id > bindparam("after"),
        _organisation.c.created_at >= bindparam("since"),
    )
    .order_by(_organisation.c.organisation_id)
    .limit(bindparam("limit"))
)
_ADD_ONCE: Final = adding_once(_name)


class NameIndex:
    """What an import leaves for its end."""

    def __init__(self, database: Database, writer: PacedWriter) -> None:
        self._database = database
        self._writer = writer
        self._since: int | None = None

    async def prepare(self, earliest: int) -> None:
        """Be told of organisations before they are added: the earliest instant among them."""
        if self._since is None:
            note = await self._database.one(_READ_NOTE)
            self._since = earliest if note is None else min(earliest, int(note[0]))
        self._since = min(self._since, earliest)

    async def note(self, transaction: Transaction) -> None:
        """Write the note beside them, again and again: another import may have removed it."""
        await transaction.execute(_WRITE_NOTE, name=NOTE, value=str(self._since))

    async def complete(self) -> None:
        """Index the names of all organisations that may lack them, of whatever import."""
        note = await self._database.one(_READ_NOTE)
        if note is None:
            return
        with ExitStack() as files:
            runs = [self._spool(run, files) async for run in self._sorted_runs(int(note[0]))]
            await self._add(heapq.merge(*(_lines(run) for run in runs)))

        async def done(transaction: Transaction) -> None:
            await transaction.execute(_REMOVE_NOTE, value=note[0])

        await self._database.bulk(done, repeatable=True)
        self._since = None

    async def _sorted_runs(self, since: int) -> AsyncIterator[list[Row]]:
        gathered: list[Row] = []
        after = ""
        while ids := await self._database.all(_ADDED, after=after, since=since, limit=PAGE):
            after = ids[-1][0]
            named = await self._database.all(NAMES, ids=[one for (one,) in ids])
            for organisation_id, *names in named:
                gathered += [(name, organisation_id) for name in rows.folded(names)]
            if len(gathered) >= RUN:
                gathered.sort()
                yield gathered
                gathered = []
        gathered.sort()
        yield gathered

    def _spool(self, run: list[Row], files: ExitStack) -> IO[str]:
        # A folded name has neither line ends nor tabs: every run of blanks became one space.
        made = TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed by files
        file = files.enter_context(made)
        file.writelines(f"{name}\t{organisation_id}\n" for name, organisation_id in run)
        file.seek(0)
        return file

    async def _add(self, names: Iterable[Row]) -> None:
        pace = self._writer.pace(start=200, least=50, most=5000, with_row_locks=5000)
        remaining = iter(names)
        while batch := list(islice(remaining, pace.size)):
            try:
                await self._writer.write(_loading(batch), len(batch), pace)
            except UniqueViolation:  # some are there: an import died here, or one was added by hand
                await self._writer.write(_adding(batch), len(batch), pace)


def _loading(batch: list[Row]) -> Work[None]:
    async def unit(transaction: Transaction) -> None:
        await transaction.load(_name, batch)

    return unit


def _adding(batch: list[Row]) -> Work[None]:
    async def unit(transaction: Transaction) -> None:
        mappings = [{"folded": name, "organisation_id": one} for name, one in batch]
        await transaction.many(_ADD_ONCE, mappings)

    return unit


def _lines(run: IO[str]) -> Iterator[Row]:
    for line in run:
        name, _, organisation_id = line[:-1].partition("\t")
        yield name, organisation_id
