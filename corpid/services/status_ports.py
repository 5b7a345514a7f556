"""What the status lists need of storage."""

from typing import Protocol

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.services.records import StatusListHead, StatusListRow, StatusTokenRow


class StatusLists(Protocol):
    """Status lists and their entries."""

    async def all(self) -> list[StatusListRow]: ...
    async def by_id(self, list_id: str) -> StatusListRow | None: ...
    async def add(self, row: StatusListRow) -> None: ...
    async def reserve(self, list_id: str, count: int) -> int | None:
        """Reserve a block of counter values; the first of them, or None when the list is full."""

    async def set_status(self, entry: StatusEntry, status: EntryStatus, now_ms: int) -> None:
        """Write an entry's status, raise the list's version, and bump the change counter."""

    async def status_of(self, entry: StatusEntry) -> EntryStatus: ...
    async def changed_since(self, list_id: str, version: int) -> list[tuple[int, EntryStatus]]:
        """Entries whose last change has a version above ``version``."""

    async def not_valid_at(self, list_id: str, at_ms: int) -> list[tuple[int, EntryStatus]]:
        """Entries that were not valid at an instant."""

    async def heads(self) -> list[StatusListHead]:
        """Every list, oldest first, without what makes them large."""

    async def close(self, list_id: str, now_ms: int) -> bool:
        """No entry of it is given out any more; False when that was so already."""

    async def token(self, list_id: str) -> StatusTokenRow | None:
        """The signed list that was stored last."""

    async def publish(self, row: StatusTokenRow, now_ms: int) -> bool:
        """Store a signed list; False when a newer one (version, then time) is stored already.

        One that was stored under a clock that was ahead of ``now_ms`` counts as older.
        """

    async def mandate_entry(self, authority: str, sector: str) -> StatusEntry | None: ...
    async def mandate_entries(self, authority: str) -> list[StatusEntry]: ...
    async def add_mandate_entry(
        self, authority: str, sector: str, entry: StatusEntry, now_ms: int
    ) -> bool:
        """False when that pair has an entry already."""
