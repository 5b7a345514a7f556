"""Representations and mandates: who may act for whom, with every change kept."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from corpid.domain.mandate import HolderKind, MandateEvent, RepresentationType, Side, Substitution
from corpid.domain.organisation import Role
from corpid.storage.tables.columns import KEYED, integer, one_of, text

_STORED_STATES = ["proposed", "accepted", "suspended", "ended", "declined"]


class RepresentationTable(SQLModel, table=True):
    """A register's fact: this person has this role in this organisation."""

    __tablename__ = "representation"
    __table_args__ = (
        one_of("role", [role.value for role in Role]),
        Index("ix_representation_person", "person_id"),
        Index("ix_representation_organisation", "organisation_id"),
        Index(
            "ux_representation_open",
            "organisation_id",
            "person_id",
            "role",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        KEYED,
    )

    representation_id: str = text(primary_key=True)
    organisation_id: str = text(foreign_key="organisation.organisation_id")
    person_id: str = text(foreign_key="person.person_id")
    role: str = text()
    valid_from: str = text()
    valid_to: str | None = text(nullable=True, default=None)
    source: str = text()
    as_of: str = text()
    recorded_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)


class MandateTable(SQLModel, table=True):
    """A mandate's terms and its present state; the history is in ``mandate_event``."""

    __tablename__ = "mandate"
    __table_args__ = (
        one_of("holder_kind", [kind.value for kind in HolderKind]),
        one_of("representation_type", [kind.value for kind in RepresentationType]),
        one_of("substitution", [kind.value for kind in Substitution]),
        one_of("state", _STORED_STATES),
        CheckConstraint(
            "(representation_type = 'JOINT') = (signing_group IS NOT NULL)", name="ck_joint_rule"
        ),
        CheckConstraint(
            "(limit_amount IS NULL) = (limit_currency IS NULL)", name="ck_limit_currency"
        ),
        Index("ix_mandate_holder", "holder_kind", "holder_id"),
        Index("ix_mandate_organisation", "organisation_id"),
        KEYED,
    )

    mandate_id: str = text(primary_key=True)
    organisation_id: str = text(foreign_key="organisation.organisation_id")
    holder_kind: str = text()
    holder_id: str = text()
    powers: str = text()  # blank separated
    services: str = text()  # blank separated; empty means every service
    limit_amount: str | None = text(nullable=True, default=None)
    limit_currency: str | None = text(nullable=True, default=None)
    representation_type: str = text()
    signing_group: str | None = text(nullable=True, default=None)
    min_signers: int | None = integer(nullable=True, default=None)
    substitution: str = text()
    valid_from: str = text()
    valid_until: str | None = text(nullable=True, default=None)
    parent_id: str | None = text(nullable=True, default=None, foreign_key="mandate.mandate_id")
    state: str = text()
    grantor_accepted: int = integer()  # 0 or 1
    holder_accepted: int = integer()  # 0 or 1
    created_at: int = integer()
    changed_at: int = integer()


class MandateEventTable(SQLModel, table=True):
    """Everything that happened to a mandate: "the state at T, as known at T" is read from here."""

    __tablename__ = "mandate_event"
    __table_args__ = (
        one_of("event", [event.value for event in MandateEvent]),
        one_of("side", [side.value for side in Side]),
        one_of("state", _STORED_STATES),
        KEYED,
    )

    mandate_id: str = text(primary_key=True, foreign_key="mandate.mandate_id")
    sequence: int = integer(primary_key=True)
    event: str = text()
    side: str = text()
    actor: str = text()  # a person's internal id, or operator:NAME
    state: str = text()
    grantor_accepted: int = integer()
    holder_accepted: int = integer()
    reason: str = text(default="")
    recorded_at: int = integer()
