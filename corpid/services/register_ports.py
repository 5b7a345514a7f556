"""What register imports need from storage beside ``services.ports``."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from corpid.domain.organisation import Identifier, Registration


class RegisterRows(Protocol):
    """Bulk access for register imports: many organisations in a few short transactions.

    A call is not atomic: what was written before an error stays, and an import is run again.
    """

    @property
    def at_once(self) -> int:
        """How many organisations are best handed over in one call now: one transaction's worth.

        Reading and preparing the next ones is then the pause in which others can write.
        """

    async def digests(self, numbers: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """The digests of the open registrations of these (scheme, value) numbers."""

    async def known(
        self, numbers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[str, bytes]]:
        """The same with the organisation id before the digest."""

    async def statuses(self, organisation_ids: Sequence[str]) -> dict[str, str]:
        """What the open registrations of these organisations say of their status."""

    async def resting(self, organisation_ids: Sequence[str]) -> set[str]:
        """Those of these on which something rests.

        An open representation, a mandate that is not over (given or held), a credential that is
        not revoked or replaced, a live authorization, a consent.
        """

    async def ended_but_resting(self, after: str, limit: int) -> list[str]:
        """Organisations that have ended by their register, and something rests on them still.

        In the order of their ids, those after ``after``.
        """

    async def add(
        self,
        entries: Sequence[tuple[Identifier, Registration]],
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Add new organisations, each with its number and registration.

        With ``facts`` every transaction has an audit row.
        """

    async def complete(self) -> None:
        """Make what was added searchable by name, also what an import that died had added."""

    async def replace(
        self, registrations: Sequence[Registration], facts: Mapping[str, object] | None = None
    ) -> None:
        """End the open registrations of these organisations and add these.

        With ``facts`` every transaction has an audit row and raises the counter ``authority``.
        """
