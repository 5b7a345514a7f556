"""Organisations, their numbers, and what registers say of them."""

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from corpid.domain.organisation import IdentifierScheme
from corpid.storage.tables.columns import KEYED, blob, integer, one_of, text


class OrganisationTable(SQLModel, table=True):
    """One row per business; nothing here but the internal id and our own suspension."""

    __tablename__ = "organisation"
    __table_args__ = (KEYED,)

    organisation_id: str = text(primary_key=True)
    created_at: int = integer()
    suspended_at: int | None = integer(nullable=True, default=None)


class IdentifierTable(SQLModel, table=True):
    """Registration numbers as intervals; one open row per (scheme, value)."""

    __tablename__ = "identifier"
    __table_args__ = (
        one_of("scheme", [scheme.value for scheme in IdentifierScheme]),
        CheckConstraint(
            "scheme NOT IN ('hk.brn', 'hk.cr_dummy') OR length(value) = 8", name="ck_value_length"
        ),
        Index(
            "ux_identifier_open",
            "scheme",
            "value",
            unique=True,
            sqlite_where=sql("valid_to IS NULL"),
            postgresql_where=sql("valid_to IS NULL"),
        ),
        # Numbers that gave way to another, for whoever still has an old certificate.
        Index(
            "ix_identifier_past",
            "scheme",
            "value",
            sqlite_where=sql("valid_to IS NOT NULL"),
            postgresql_where=sql("valid_to IS NOT NULL"),
        ),
        KEYED,
    )

    organisation_id: str = text(primary_key=True, foreign_key="organisation.organisation_id")
    scheme: str = text(primary_key=True)
    value: str = text(primary_key=True)
    valid_from: int = integer(primary_key=True)
    valid_to: int | None = integer(nullable=True, default=None)
    source: str = text()
    as_of: str = text()
    recorded_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)


class RegistrationTable(SQLModel, table=True):
    """A register's facts about an organisation; a changed fact adds a row and ends this one."""

    __tablename__ = "registration"
    __table_args__ = (
        Index(
            "ux_registration_open",
            "organisation_id",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        KEYED,
    )

    organisation_id: str = text(primary_key=True, foreign_key="organisation.organisation_id")
    recorded_at: int = integer(primary_key=True)
    ended_at: int | None = integer(nullable=True, default=None)
    entity_type: str = text()
    type_text: str = text()
    status: str = text()
    name_en: str = text()
    name_zh_hant: str = text()
    name_zh_hans: str = text()
    address: str = text()
    incorporated_on: str | None = text(nullable=True, default=None)
    place_of_incorporation: str | None = text(nullable=True, default=None)
    digest: bytes = blob()
    source: str = text()
    as_of: str = text()


class OrganisationNameTable(SQLModel, table=True):
    """The names of the open registrations, folded, to be searched by their beginning.

    Derived from ``registration``. A key of its own, because no engine folds case or width in
    every script, nor the two engines alike; compared by code point on both. No foreign key, which
    would be looked up for each of millions of names that were read from ``registration`` just now.
    """

    __tablename__ = "organisation_name"
    __table_args__ = (KEYED,)

    folded: str = Field(
        primary_key=True,
        sa_type=Text().with_variant(Text(collation="C"), "postgresql"),
    )
    organisation_id: str = text(primary_key=True)


class BranchTable(SQLModel, table=True):
    """Branches of a business; ``000`` is the head office."""

    __tablename__ = "branch"
    __table_args__ = (CheckConstraint("length(code) = 3", name="ck_branch_code"), KEYED)

    organisation_id: str = text(primary_key=True, foreign_key="organisation.organisation_id")
    code: str = text(primary_key=True)
    recorded_at: int = integer(primary_key=True)
    ended_at: int | None = integer(nullable=True, default=None)
    name_en: str = text()
    name_zh_hant: str = text()
    name_zh_hans: str = text()
    address: str = text()
    source: str | None = text(nullable=True, default=None)
    as_of: str | None = text(nullable=True, default=None)
