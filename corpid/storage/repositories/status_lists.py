"""Status lists and their entries."""

from typing import Final

from sqlalchemy import and_, bindparam, or_, select

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.domain.errors import NotFound
from corpid.services.records import StatusListRow
from corpid.storage.constructs import (
    adding,
    adding_once,
    adding_or_replacing,
    changing,
    finding,
    given,
    table,
)
from corpid.storage.repositories.operations import bump
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_list = table("status_list")
_entry = table("status_entry")
_mandate_status = table("mandate_status")

_ALL: Final = Statement(select(*_list.c).order_by(_list.c.created_at, _list.c.list_id))
_BY_ID: Final = finding(_list, given(_list.c.list_id))
_ADD: Final = adding(_list)
_RESERVE: Final = Statement(
    _list.update()
    .where(
        given(_list.c.list_id),
        _list.c.closed_at.is_(None),
        _list.c.reserved + bindparam("count") <= _list.c.size,
    )
    .values(reserved=_list.c.reserved + bindparam("count"))
    .returning(_list.c.reserved)
)
# Holds the list's row until the commit, so versions become visible in their order.
_NEXT_VERSION: Final = Statement(
    _list.update()
    .where(given(_list.c.list_id))
    .values(version=_list.c.version + 1)
    .returning(_list.c.version)
)
_SET_STATUS: Final = adding_or_replacing(_entry)
_STATUS: Final = Statement(
    select(_entry.c.status).where(given(_entry.c.list_id), given(_entry.c.list_index))
)
_CHANGED_SINCE: Final = Statement(
    select(_entry.c.list_index, _entry.c.status)
    .where(given(_entry.c.list_id), _entry.c.version > bindparam("since"))
    .order_by(_entry.c.version)
)
_PUBLISH: Final = changing(
    _list,
    given(_list.c.list_id),
    or_(
        _list.c.published_version < bindparam("signed"),
        and_(
            _list.c.published_version == bindparam("signed"),
            or_(_list.c.published_at.is_(None), _list.c.published_at <= bindparam("at")),
        ),
    ),
    published_version=bindparam("signed"),
    published_token=bindparam("token"),
    published_at=bindparam("at"),
    published_until=bindparam("until"),
)
_MANDATE_ENTRY: Final = Statement(
    select(_mandate_status.c.list_id, _mandate_status.c.list_index).where(
        given(_mandate_status.c.mandate_id), given(_mandate_status.c.sector)
    )
)
_MANDATE_ENTRIES: Final = Statement(
    select(_mandate_status.c.list_id, _mandate_status.c.list_index)
    .where(given(_mandate_status.c.mandate_id))
    .order_by(_mandate_status.c.list_id, _mandate_status.c.list_index)
)
_ADD_MANDATE_ENTRY: Final = adding_once(_mandate_status)


class SqlStatusLists(Repository):
    """``services.ports.StatusLists``."""

    __slots__ = ()

    async def all(self) -> list[StatusListRow]:
        """Every list, oldest first."""
        return [StatusListRow(*row) for row in await self._in.reads.all(_ALL)]

    async def by_id(self, list_id: str) -> StatusListRow | None:
        """One list."""
        row = await self._in.reads.one(_BY_ID, list_id=list_id)
        return None if row is None else StatusListRow(*row)

    async def add(self, row: StatusListRow) -> None:
        """Add a list."""
        await self._in.writes.execute(
            _ADD,
            list_id=row.list_id,
            bits=row.bits,
            size=row.size,
            sealed_permutation_key=row.sealed_permutation_key,
            reserved=row.reserved,
            version=row.version,
            published_version=row.published_version,
            published_token=row.published_token,
            published_at=row.published_at,
            published_until=row.published_until,
            created_at=row.created_at,
            closed_at=row.closed_at,
        )

    async def reserve(self, list_id: str, count: int) -> int | None:
        """Reserve a block of counter values; the first of them, or None when the list is full.

        A closed list counts as full. The block is not used up to the list's end in parts: None
        is said already when fewer than ``count`` (at least 1) values are left.
        """
        if count < 1:
            raise ValueError("a block has at least one value")
        row = await self._in.writes.one(_RESERVE, list_id=list_id, count=count)
        return None if row is None else row[0] - count

    async def set_status(self, entry: StatusEntry, status: EntryStatus, now_ms: int) -> None:
        """Write an entry's status, raise the list's version, and bump the change counter.

        Raises:
            NotFound: there is no such list.
        """
        # The counter first: two transactions that change several lists then line up here, and do
        # not wait for each other's lists.
        await bump(self._in.writes, "status")
        row = await self._in.writes.one(_NEXT_VERSION, list_id=entry.list_id)
        if row is None:
            raise NotFound("there is no such status list")
        await self._in.writes.execute(
            _SET_STATUS,
            list_id=entry.list_id,
            list_index=entry.index,
            status=status.value,
            version=row[0],
            changed_at=now_ms,
        )

    async def status_of(self, entry: StatusEntry) -> EntryStatus:
        """An entry's status; one that was never written is valid."""
        row = await self._in.reads.one(_STATUS, list_id=entry.list_id, list_index=entry.index)
        return EntryStatus.VALID if row is None else EntryStatus(row[0])

    async def changed_since(self, list_id: str, version: int) -> list[tuple[int, EntryStatus]]:
        """Entries whose last change has a version above ``version``, in the order of change."""
        found = await self._in.reads.all(_CHANGED_SINCE, list_id=list_id, since=version)
        return [(index, EntryStatus(status)) for index, status in found]

    async def publish(
        self, list_id: str, version: int, token: str, published_at: int, published_until: int
    ) -> bool:
        """Store a signed list; False when a newer one (version, then time) is stored already."""
        changed = await self._in.writes.execute(
            _PUBLISH,
            list_id=list_id,
            signed=version,
            token=token,
            at=published_at,
            until=published_until,
        )
        return changed == 1

    async def mandate_entry(self, authority: str, sector: str) -> StatusEntry | None:
        """The entry of a mandate or representation for a sector."""
        row = await self._in.reads.one(_MANDATE_ENTRY, mandate_id=authority, sector=sector)
        return None if row is None else StatusEntry(*row)

    async def mandate_entries(self, authority: str) -> list[StatusEntry]:
        """Its entries for all sectors."""
        found = await self._in.reads.all(_MANDATE_ENTRIES, mandate_id=authority)
        return [StatusEntry(*row) for row in found]

    async def add_mandate_entry(
        self, authority: str, sector: str, entry: StatusEntry, now_ms: int
    ) -> bool:
        """Add one; False when that sector has one already."""
        added = await self._in.writes.execute(
            _ADD_MANDATE_ENTRY,
            mandate_id=authority,
            sector=sector,
            list_id=entry.list_id,
            list_index=entry.index,
            created_at=now_ms,
        )
        return added == 1
