"""Importing a whole register: streamed, in short transactions, writing only what changed.

An import has no state of its own: it compares every row's digest with what is known, so running
it again after it was interrupted goes on where it stopped, and running it again after it was
finished writes nothing. A number that gives way to another is not guessed from equal names.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from corpid.domain.business_number import BusinessNumber
from corpid.domain.identifiers import ordered_text_id
from corpid.domain.organisation import Branch, Identifier, Registration
from corpid.domain.register_entry import EntityStatus, RegisterEntry
from corpid.services.organisations import SCHEMES, branch_of, identifier_of, registration_of
from corpid.services.ports import Store, UnitOfWork
from corpid.services.register_ports import RegisterRows
from corpid.services.revocation import Revocation
from keys.clock import Clock, Random

BRANCHES: Final = 2000
"""Branches that are kept until the businesses that they belong to are written."""

LEFTOVERS: Final = 500
"""Organisations in one look for what was left on ended ones."""

MAX_PROBLEMS: Final = 1000
"""Problems that are kept with line and reason; beyond, they are only counted."""

_TWICE: Final = "an earlier row of this file has the same number; that one was imported"


class UnusableRow(Protocol):
    """A row that the reader could not make an entry of."""

    @property
    def reason(self) -> str:
        """What is wrong, for a person."""

    @property
    def number_text(self) -> str | None:
        """The number as written, if one was found."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was not imported."""

    line: int
    reason: str
    number_text: str | None


@dataclass(slots=True)
class ImportReport:
    """What an import did so far. ``bad`` counts every unusable row, ``problems`` lists the first.

    ``ended`` counts businesses that were live and that the register now says are not.
    """

    rows: int = 0
    line: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    branches: int = 0
    ended: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, problem: Problem) -> None:
        """Count a row that cannot be imported."""
        self.bad += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)


class _SeenNumbers:
    """Which numbers came already: a bit for each, so 100 million numbers take 12.5 MB."""

    def __init__(self) -> None:
        self._maps: dict[str, bytearray] = {}

    def add(self, number: BusinessNumber) -> bool:
        """Whether the number is new."""
        digits = number.value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        prefix = number.value[: len(number.value) - len(digits)]
        bits = self._maps.get(prefix)
        if bits is None:
            bits = self._maps[prefix] = bytearray((10 ** len(digits) + 7) // 8)
        place, bit = divmod(int(digits), 8)
        if bits[place] >> bit & 1:
            return False
        bits[place] |= 1 << bit
        return True


class RegisterImport:
    """One import. ``report`` is up to date after every chunk, also when ``run`` raises."""

    def __init__(
        self,
        store: Store,
        rows: RegisterRows,
        clock: Clock,
        random: Random,
        *,
        actor: str,
        source: str,
        progress: Callable[[ImportReport], None] | None = None,
    ) -> None:
        self._store = store
        self._rows = rows
        self._clock = clock
        self._random = random
        self._facts = {"source": source, "actor": actor}
        self._revocation = Revocation(store, clock, random)
        self._progress = progress
        self._seen = _SeenNumbers()
        self._seen_branches: set[str] = set()
        self.report = ImportReport()

    async def run(self, rows: Iterable[tuple[int, RegisterEntry | UnusableRow]]) -> ImportReport:
        """Import all (line, row) pairs.

        Raises whatever ``rows`` raises, after the good rows before the fault were imported.
        """
        entries: list[tuple[int, RegisterEntry]] = []
        branches: list[tuple[int, RegisterEntry]] = []
        reader = iter(rows)
        while True:
            try:
                line, row = next(reader)
            except StopIteration:
                break
            except Exception:
                await self._conclude(entries, branches)
                raise
            self.report.rows += 1
            self.report.line = line
            if not isinstance(row, RegisterEntry):
                self.report.refuse(Problem(line, row.reason, row.number_text))
            elif not row.number.is_head_office:
                branches.append((line, row))
                if len(branches) >= BRANCHES:
                    # The businesses that the branches belong to go first.
                    await self._finish(entries, branches)
            else:
                entries.append((line, row))
                if len(entries) >= self._rows.at_once:
                    await self._businesses(entries)
        await self._conclude(entries, branches)
        return self.report

    async def _conclude(
        self, entries: list[tuple[int, RegisterEntry]], branches: list[tuple[int, RegisterEntry]]
    ) -> None:
        await self._finish(entries, branches)
        await self._end_leftovers()
        await self._rows.complete()

    async def _finish(
        self, entries: list[tuple[int, RegisterEntry]], branches: list[tuple[int, RegisterEntry]]
    ) -> None:
        await self._businesses(entries)
        await self._branches(branches)

    async def _businesses(self, entries: list[tuple[int, RegisterEntry]]) -> None:
        """Write what is new or different in a chunk, and empty it."""
        wanted = self._first_of_each(entries)
        entries.clear()
        known = await self._rows.known([_key(entry.number) for entry in wanted])
        now_ms = int(self._clock() * 1000)
        added: list[tuple[Identifier, Registration]] = []
        changed: list[Registration] = []
        for entry in wanted:
            found = known.get(_key(entry.number))
            if found is None:
                # Its beginning is the time: rows of one import lie side by side in every table.
                organisation_id = ordered_text_id(now_ms, self._random)
                registration = registration_of(entry, organisation_id, now_ms)
                added.append((identifier_of(entry, now_ms), registration))
            elif found[1] != entry.digest():
                changed.append(registration_of(entry, found[0], now_ms))
        if added:
            await self._rows.add(added, self._facts)
        if changed:
            await self._replace(changed)
        self.report.added += len(added)
        self.report.changed += len(changed)
        self.report.unchanged += len(wanted) - len(added) - len(changed)
        if self._progress is not None:
            self._progress(self.report)

    def _first_of_each(self, entries: Sequence[tuple[int, RegisterEntry]]) -> list[RegisterEntry]:
        """The entries whose number has not come before in this file.

        Two rows of one number would take turns at every import: the first one counts.
        """
        first = []
        for line, entry in entries:
            if self._seen.add(entry.number):
                first.append(entry)
            else:
                self.report.refuse(Problem(line, _TWICE, str(entry.number)))
        return first

    async def _replace(self, changed: Sequence[Registration]) -> None:
        """Write what differs.

        Where a business ceases to be live, or is so again, and something rests on it, that
        follows in the same transaction; those are few, except in the import of a correction.
        """
        before = await self._rows.statuses([one.organisation_id for one in changed])
        turned = [one for one in changed if _turns(before.get(one.organisation_id), one.status)]
        resting: set[str] = set()
        if turned:
            resting = await self._rows.resting([one.organisation_id for one in turned])
        plain = [one for one in changed if one.organisation_id not in resting]
        if plain:
            await self._rows.replace(plain, self._facts)
        for registration in changed:
            if registration.organisation_id in resting:
                await self._revocation.record_registration(registration, self._facts["actor"])
        self.report.ended += sum(
            before.get(one.organisation_id) == EntityStatus.LIVE for one in turned
        )

    async def _end_leftovers(self) -> None:
        """End what rests on businesses that have ended, in whatever way it was left.

        Nothing is left by an import that died, for a register's word and what follows from it are
        one transaction; but something may have been given out while the word was written.
        """
        after = ""
        while found := await self._rows.ended_but_resting(after, LEFTOVERS):
            for organisation_id in found:
                await self._revocation.organisation_ended(
                    organisation_id, self._facts["actor"], "ended by its register"
                )
            after = found[-1]

    async def _branches(self, branches: list[tuple[int, RegisterEntry]]) -> None:
        """Write new and changed branches, one by one: registers have few; empty the list."""
        for line, entry in branches:
            number = entry.number
            scheme, value = SCHEMES[number.kind], number.value
            if str(number) in self._seen_branches:
                self.report.refuse(Problem(line, _TWICE, str(number)))
                continue
            self._seen_branches.add(str(number))
            owner = await self._store.read.organisations.by_number(scheme, value)
            if owner is None or number.branch is None:
                self.report.refuse(
                    Problem(line, f"a branch of {value}, which is not known", str(number))
                )
                continue
            branch = branch_of(entry, owner.organisation_id)
            known = await self._store.read.organisations.branches(owner.organisation_id)
            if branch in known:
                self.report.unchanged += 1
                continue
            await self._write_branch(branch)
            self.report.branches += 1
        branches.clear()
        if self._progress is not None:
            self._progress(self.report)

    async def _write_branch(self, branch: Branch) -> None:
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> None:
            await uow.organisations.add_branch(branch, now_ms)
            facts = {**self._facts, "organisation_id": branch.organisation_id}
            await uow.operations.audit("register.imported", {**facts, "branch": branch.code})
            await uow.operations.bump("authority")

        await self._store.write(work)


def _turns(before: str | None, after: str) -> bool:
    """Whether a change of status changes what may rest on the business."""
    if (before == EntityStatus.LIVE) != (after == EntityStatus.LIVE):
        return True
    had_ended = before is not None and EntityStatus(before).has_ended
    return EntityStatus(after).has_ended and not had_ended


def _key(number: BusinessNumber) -> tuple[str, str]:
    return SCHEMES[number.kind].value, number.value
