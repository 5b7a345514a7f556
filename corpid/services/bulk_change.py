"""Suspending, resuming or revoking many credentials, each by the one function for it.

Where a file's rows are offers, revoking withdraws those that nobody took: else what went out by
mistake could still be fetched.

Doing it again does nothing, so a run that was broken off is begun again from the start.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Final

from corpid.domain.errors import DomainError, InvalidValue
from corpid.services.bulk import (
    BulkReport,
    Problem,
    Row,
    ShortTurns,
    Told,
    UnusableRow,
    in_chunks,
)
from corpid.services.credential_ports import Credentials
from corpid.services.offers import Offers
from corpid.services.ports import UnitOfWork
from corpid.services.revocation import Revocation
from corpid.services.revocation_credentials import CredentialAct

PAGE: Final = 500
"""Ids in one look at a listing."""
_MOST: Final = 100
"""Characters of an id."""
_RESULTS_ONLY: Final = frozenset({"batch", "error", "offer_id"})
_REVOKING: Final = (CredentialAct.REVOKE, CredentialAct.REVOKE_WALLET)
_Outcome = tuple[int, str | DomainError]


class _Rehearsed(Exception):
    """Carries the outcomes of a rehearsal out of the transaction that it rolls back."""

    def __init__(self, outcomes: list[_Outcome]) -> None:
        super().__init__("a rehearsal is rolled back")
        self.outcomes = outcomes


class BulkChange:
    """One run, or its rehearsal: the same acts, rolled back."""

    def __init__(
        self,
        revocation: Revocation,
        offers: Offers,
        turns: ShortTurns,
        act: CredentialAct,
        *,
        actor: str,
        reason: str,
        progress: Told,
        rehearsal: bool,
    ) -> None:
        self._revocation = revocation
        self._offers = offers
        self._turns = turns
        self._act = act
        self._actor = actor
        self._reason = reason
        self._progress = progress
        self._rehearsal = rehearsal
        self.report = BulkReport()

    async def run(self, rows: AsyncIterable[tuple[int, Row]]) -> BulkReport:
        """Go through all of them."""
        await in_chunks(rows, self._turns, self._chunk)
        return self.report

    async def _chunk(self, chunk: Sequence[tuple[int, Row]]) -> None:
        async def work(uow: UnitOfWork) -> list[_Outcome]:
            outcomes = [(line, await self._one(uow, row)) for line, row in chunk]
            if self._rehearsal:
                raise _Rehearsed(outcomes)
            return outcomes

        try:
            outcomes = await self._turns.write(work, len(chunk))
        except _Rehearsed as rehearsed:
            outcomes = rehearsed.outcomes
        for line, outcome in outcomes:
            self._tell(line, outcome)
        self._progress(self.report)

    async def _one(self, uow: UnitOfWork, row: Row) -> str | DomainError:
        """What became of it, as it is counted; or why nothing did."""
        try:
            credential_id = _named(row, "credential_id")
            if credential_id is None:
                return await self._without(uow, row)
            done = await self._revocation.change_credential(
                uow, self._act, credential_id, self._actor, self._reason
            )
        except DomainError as error:
            return error
        return "changed" if done.credentials or done.authorizations else "already"

    async def _without(self, uow: UnitOfWork, row: Row) -> str:
        """A line of results that gave no credential: perhaps an offer.

        Raises:
            InvalidValue, NotFound: it names no offer.
        """
        offer_id = _named(row, "offer_id")
        if offer_id is None or self._act not in _REVOKING:
            return "without_credential"
        if await self._offers.withdraw_in(uow, offer_id, actor=self._actor, reason=self._reason):
            return "offers_withdrawn"
        offer = await uow.credentials.offer(offer_id)
        taken = offer is not None and offer.used_at is not None
        return "offers_taken" if taken else "already"

    def _tell(self, line: int, outcome: str | DomainError) -> None:
        report = self.report
        report.rows += 1
        report.line = line
        if isinstance(outcome, DomainError):
            report.refuse(Problem(line, outcome.code, outcome.message))
        else:
            report.count(outcome)


async def going_on(
    read: Credentials, organisation_id: str | None, credential_type: str | None
) -> AsyncIterator[tuple[int, Row]]:
    """All that are not over, of that business, of that type, or both; numbered from one."""
    after, number = "", 0
    while found := await read.going_on(
        after, PAGE, organisation_id=organisation_id, credential_type=credential_type
    ):
        for name in found:
            number += 1
            yield number, {"credential_id": name}
        after = found[-1]


def _named(row: Row, name: str) -> str | None:
    """What a row names under that; None for a line of results that has nothing there.

    Raises:
        InvalidValue: it names nothing, and is no line of results.
    """
    if isinstance(row, UnusableRow):
        raise InvalidValue(row.reason)
    named = row.get(name)
    if named is None and not _RESULTS_ONLY.isdisjoint(row):
        return None
    if not isinstance(named, str) or not 0 < len(named) <= _MOST:
        raise InvalidValue(f"{name} is missing")
    return named
