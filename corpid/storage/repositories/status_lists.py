"""Status lists and their entries."""

from typing import Any, Final

from sqlalchemy import BigInteger, and_, bindparam, case, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from corpid.domain.credential import EntryStatus, StatusEntry
from corpid.domain.errors import NotFound
from corpid.services.records import StatusListHead, StatusListRow, StatusTokenRow
from corpid.storage.constructs import (
    adding,
    adding_once,
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
_token = table("status_token")
_history = table("status_history")

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
# What an entry was before it changes: nothing where this is its first change, for it was valid.
_KEEP: Final = Statement(
    insert(_history).from_select(
        ["list_id", "list_index", "version", "status", "since", "until"],
        select(
            _entry.c.list_id,
            _entry.c.list_index,
            _entry.c.version,
            _entry.c.status,
            _entry.c.changed_at,
            case(
                (_entry.c.changed_at > bindparam("now", type_=BigInteger), _entry.c.changed_at),
                else_=bindparam("now", type_=BigInteger),
            ),
        ).where(given(_entry.c.list_id), given(_entry.c.list_index)),
    )
)


def _set_status(insertion: Any) -> Any:
    """A clock that went back must not reorder history: no change is before the one before it."""
    new = insertion.excluded
    return insertion.on_conflict_do_update(
        index_elements=["list_id", "list_index"],
        set_={
            "status": new.status,
            "version": new.version,
            "changed_at": case(
                (_entry.c.changed_at > new.changed_at, _entry.c.changed_at), else_=new.changed_at
            ),
        },
    )


_SET_STATUS: Final = Statement.per_dialect(
    sqlite=_set_status(sqlite_insert(_entry)),
    postgresql=_set_status(postgresql_insert(_entry)),
)
_STATUS: Final = Statement(
    select(_entry.c.status).where(given(_entry.c.list_id), given(_entry.c.list_index))
)
_CHANGED_SINCE: Final = Statement(
    select(_entry.c.list_index, _entry.c.status)
    .where(given(_entry.c.list_id), _entry.c.version > bindparam("since"))
    .order_by(_entry.c.version)
)
_NOT_VALID_NOW: Final = Statement(
    select(_entry.c.list_index, _entry.c.status).where(
        given(_entry.c.list_id),
        _entry.c.changed_at <= bindparam("at"),
        _entry.c.status != EntryStatus.VALID.value,
    )
)
_NOT_VALID_THEN: Final = Statement(
    select(_history.c.list_index, _history.c.status).where(
        given(_history.c.list_id),
        _history.c.since <= bindparam("at"),
        _history.c.until > bindparam("at"),
        _history.c.status != EntryStatus.VALID.value,
    )
)
_HEADS: Final = Statement(
    select(
        _list.c.list_id,
        _list.c.bits,
        _list.c.size,
        _list.c.version,
        _list.c.created_at,
        _list.c.closed_at,
        _token.c.version,
        _token.c.published_at,
    )
    .select_from(_list.outerjoin(_token, _list.c.list_id == _token.c.list_id))
    .order_by(_list.c.created_at, _list.c.list_id)
)
_CLOSE: Final = changing(
    _list, given(_list.c.list_id), _list.c.closed_at.is_(None), closed_at=bindparam("now")
)
_TOKEN: Final = finding(_token, given(_token.c.list_id))


def _publish(insertion: Any) -> Any:
    new = insertion.excluded
    same = _token.c.version == new.version
    # One from a clock that was ahead speaks of a time that has not come.
    ahead = _token.c.published_at > bindparam("now", type_=BigInteger)
    return insertion.on_conflict_do_update(
        index_elements=["list_id"],
        set_={column.name: new[column.name] for column in _token.c if not column.primary_key},
        where=or_(
            _token.c.version < new.version,
            and_(same, or_(_token.c.published_at <= new.published_at, ahead)),
        ),
    )


_PUBLISH: Final = Statement.per_dialect(
    sqlite=_publish(sqlite_insert(_token)),
    postgresql=_publish(postgresql_insert(_token)),
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

        What it was before is kept, if it was ever changed before.

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
            _KEEP, list_id=entry.list_id, list_index=entry.index, now=now_ms
        )
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

    async def not_valid_at(self, list_id: str, at_ms: int) -> list[tuple[int, EntryStatus]]:
        """Entries that were not valid at an instant (epoch ms)."""
        reads = self._in.reads
        found = [
            *await reads.all(_NOT_VALID_NOW, list_id=list_id, at=at_ms),
            *await reads.all(_NOT_VALID_THEN, list_id=list_id, at=at_ms),
        ]
        return [(index, EntryStatus(status)) for index, status in found]

    async def heads(self) -> list[StatusListHead]:
        """Every list, oldest first, without what makes them large."""
        return [StatusListHead(*row) for row in await self._in.reads.all(_HEADS)]

    async def close(self, list_id: str, now_ms: int) -> bool:
        """No entry of it is given out any more; False when that was so already."""
        return await self._in.writes.execute(_CLOSE, list_id=list_id, now=now_ms) == 1

    async def token(self, list_id: str) -> StatusTokenRow | None:
        """The signed list that was stored last."""
        row = await self._in.reads.one(_TOKEN, list_id=list_id)
        return None if row is None else StatusTokenRow(*row)

    async def publish(self, row: StatusTokenRow, now_ms: int) -> bool:
        """Store a signed list; False when a newer one (version, then time) is stored already.

        One that was stored under a clock that was ahead of ``now_ms`` counts as older.
        """
        changed = await self._in.writes.execute(
            _PUBLISH,
            list_id=row.list_id,
            version=row.version,
            published_at=row.published_at,
            published_until=row.published_until,
            jwt=row.jwt,
            cwt=row.cwt,
            now=now_ms,
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
