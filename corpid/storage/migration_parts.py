"""The vocabulary of the migrations in ``alembic/versions``: a column or an index in a word.

Released migrations rest on it, so what is here never changes its meaning; add to it instead.
"""

from typing import Any, TypeVar

import sqlalchemy as sa

from alembic import op

T = TypeVar("T", bound=Any)


def text(*names: str) -> list[sa.Column[str]]:
    """TEXT columns; ``name!`` is part of the primary key, ``name?`` may be NULL."""
    return _columns(names, sa.Text())


def by_code_point(name: str) -> sa.Column[str]:
    """A TEXT column compared by code point on both engines: a range of it means the same."""
    kind = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    return sa.Column(name.rstrip("!"), kind, primary_key=name.endswith("!"))


def integer(*names: str) -> list[sa.Column[int]]:
    """BIGINT columns; none counts by itself."""
    return _columns(names, sa.BigInteger())


def blob(*names: str) -> list[sa.Column[bytes]]:
    """BLOB (BYTEA) columns."""
    return _columns(names, sa.LargeBinary())


def _columns(names: tuple[str, ...], kind: sa.types.TypeEngine[T]) -> list[sa.Column[T]]:
    return [
        sa.Column(
            name.rstrip("!?"),
            kind,
            primary_key=name.endswith("!"),
            nullable=name.endswith("?"),
            autoincrement=False,
        )
        for name in names
    ]


def to(**targets: str) -> list[sa.ForeignKeyConstraint]:
    """Foreign keys: ``column="table.column"``."""
    return [sa.ForeignKeyConstraint([name], [target]) for name, target in targets.items()]


def one_of(column: str, *values: str) -> sa.CheckConstraint:
    """A CHECK that the column has one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"ck_{column}")


def create(name: str, *parts: sa.schema.SchemaItem) -> None:
    """A table that is found by its whole key: on SQLite one B-tree instead of two."""
    op.create_table(name, *parts, sqlite_with_rowid=False)


def index(
    name: str, table: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    """An index, of the rows that fulfil ``where`` only if that is given."""
    condition = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def allowing(name: str, column: str, *values: str, whole: tuple[sa.schema.SchemaItem, ...]) -> None:
    """Other values that ``column`` of the table ``name`` may have; ``whole`` is all the rest of it.

    On SQLite the table is made anew, so its indexes are dropped before and created after.
    """
    check = one_of(column, *values)
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(f"ck_{column}", name)
        op.create_check_constraint(f"ck_{column}", name, check.sqltext)
        return
    op.rename_table(name, f"{name}_before")
    create(name, *whole, check)
    op.execute(f"INSERT INTO {name} SELECT * FROM {name}_before")  # noqa: S608 - as above
    op.drop_table(f"{name}_before")


def without_index(*names: str) -> None:
    """Those indexes no longer."""
    for name in names:
        op.drop_index(name)


def with_more(name: str, *parts: sa.schema.SchemaItem, **new: str) -> None:
    """The table ``name`` with more columns; ``parts`` is the whole of it as it is from now on.

    ``new`` gives each new column's value in the rows that are there, as SQL. On SQLite the table
    is made anew, so its indexes are dropped before and created after.
    """
    if op.get_context().dialect.name == "postgresql":
        for part in parts:
            if isinstance(part, sa.Column) and part.name in new:
                op.add_column(name, sa.Column(part.name, part.type))
        values = ", ".join(f"{column} = {value}" for column, value in new.items())
        op.execute(f"UPDATE {name} SET {values}")  # noqa: S608 - written by migrations
        for part in parts:
            if isinstance(part, sa.Column) and part.name in new and not part.nullable:
                op.alter_column(name, part.name, nullable=False)
        return
    columns = [part.name for part in parts if isinstance(part, sa.Column)]
    op.rename_table(name, f"{name}_before")
    create(name, *parts)
    listed = ", ".join(columns)
    values = ", ".join(new.get(column, column) for column in columns)
    op.execute(
        f"INSERT INTO {name} ({listed}) SELECT {values} FROM {name}_before"  # noqa: S608 - as above
    )
    op.drop_table(f"{name}_before")
