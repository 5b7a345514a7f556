"""Which database this is: the same text as long as it goes on from its own past.

A copy that is restored, or a standby that takes over, goes on from an earlier moment, and what the
one before it gave out since would be given out again. PostgreSQL shows that: another cluster,
another timeline (point-in-time recovery, promotion), another table (a dump that was read in).
SQLite does not; there ``corpid db backup`` prepares the copy.
"""

from typing import Final

from sqlalchemy import ColumnClause, literal_column, select

from corpid.storage.errors import StorageError
from corpid.storage.interface import Database
from corpid.storage.statement import Statement

_TABLE: Final[ColumnClause[str]] = literal_column(
    "CAST(CAST(CAST('status_list' AS regclass) AS oid) AS text)"
)
_CLUSTER: Final[ColumnClause[str]] = literal_column(
    "(SELECT CAST(system_identifier AS text) FROM pg_control_system()) || '/' || "
    "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)
_ALL: Final = Statement(select(_CLUSTER, _TABLE))
_LEAST: Final = Statement(select(_TABLE))


async def lineage(database: Database) -> str:
    """The text; empty where the engine shows nothing (SQLite)."""
    if database.dialect == "sqlite":
        return ""
    try:
        row = await database.one(_ALL)
    except StorageError:  # a host that lets nobody ask about the cluster
        row = await database.one(_LEAST)
    return "/".join(str(part) for part in row or ())
