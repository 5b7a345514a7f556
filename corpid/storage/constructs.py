"""Short forms for the statements of the repositories: one construct, compiled per engine."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from corpid.storage.statement import Statement
from corpid.storage.tables import metadata

MAX_ROWS: Final = 1000
"""Rows that any listing returns at most."""


def table(name: str) -> Table:
    """One of this project's tables."""
    return metadata.tables[name]


def adding(to: Table) -> Statement:
    """INSERT of a whole row; every column is a parameter of its own name."""
    return Statement(insert(to))


def adding_once(to: Table) -> Statement:
    """INSERT of a whole row unless its key is there; the number of affected rows tells."""
    return Statement.per_dialect(
        sqlite=sqlite_insert(to).on_conflict_do_nothing(),
        postgresql=postgresql_insert(to).on_conflict_do_nothing(),
    )


def adding_or_replacing(to: Table, columns: Iterable[str] | None = None) -> Statement:
    """INSERT of a whole row, or UPDATE of ``columns`` (default: all) where its key is there."""
    key = [column.name for column in to.primary_key]
    changed = list(columns) if columns else [c.name for c in to.c if not c.primary_key]
    sqlite = sqlite_insert(to)
    postgresql = postgresql_insert(to)
    return Statement.per_dialect(
        sqlite=sqlite.on_conflict_do_update(
            index_elements=key, set_={name: sqlite.excluded[name] for name in changed}
        ),
        postgresql=postgresql.on_conflict_do_update(
            index_elements=key, set_={name: postgresql.excluded[name] for name in changed}
        ),
    )


def finding(of: Table, *conditions: ColumnElement[bool]) -> Statement:
    """SELECT of whole rows."""
    return Statement(select(*of.c).where(*conditions))


def given(column: Any, name: str | None = None) -> ColumnElement[bool]:
    """``column = :name``, the name being the column's unless another is given."""
    is_: ColumnElement[bool] = column == bindparam(name or column.name)
    return is_


def counting(of: Table, *conditions: ColumnElement[bool]) -> Statement:
    """SELECT of how many rows there are, counted up to the parameter ``at_most``."""
    few: Select[Any] = select(literal_column("1")).select_from(of).where(*conditions)
    counted = few.limit(bindparam("at_most", type_=BigInteger())).subquery()
    return Statement(select(func.count()).select_from(counted))


def changing(of: Table, *conditions: ColumnElement[bool], **values: Any) -> Statement:
    """UPDATE."""
    return Statement(update(of).where(*conditions).values(**values))


def removing(of: Table, *conditions: ColumnElement[bool]) -> Statement:
    """DELETE."""
    return Statement(delete(of).where(*conditions))


def shared(construct: Any, *of: Table) -> tuple[Statement, Statement]:
    """A select as it is, and one that keeps its rows from changing until the transaction ends.

    The second is for reads that a write rests on: on PostgreSQL another transaction could change
    the row between the two. SQLite has one writer, so there both are the same.
    """
    return Statement(construct), Statement(construct.with_for_update(read=True, of=of or None))


def holding(name: ColumnElement[str]) -> Select[Any]:
    """SELECT for ``Transaction.lock``: who holds that name lets nobody else past it.

    For what is decided on rows that may not be there yet, so that no row can be locked. Names that
    share a hash wait for each other without need.
    """
    return select(func.pg_advisory_xact_lock(func.hashtextextended(name, literal_column("0"))))
