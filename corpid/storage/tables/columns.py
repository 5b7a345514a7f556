"""The three column types, and helpers that keep the table classes short."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, Text
from sqlmodel import Field


def text(**options: Any) -> Any:
    """A TEXT column."""
    return Field(sa_type=Text, **options)


def integer(**options: Any) -> Any:
    """A BIGINT column: an instant in epoch milliseconds, or a number."""
    return Field(sa_type=BigInteger, **options)


def blob(**options: Any) -> Any:
    """A BLOB (BYTEA) column."""
    return Field(sa_type=LargeBinary, **options)


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A CHECK that the column has one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{column}")


# A table found by its whole primary key: one B-tree instead of two on SQLite.
KEYED = {"sqlite_with_rowid": False}
