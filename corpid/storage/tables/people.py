"""People, how they sign in, their sessions, interactions and consents."""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from corpid.domain.person import Assurance
from corpid.storage.tables.columns import KEYED, blob, integer, one_of, text


class PersonTable(SQLModel, table=True):
    """A human known to the service."""

    __tablename__ = "person"
    __table_args__ = (KEYED,)

    person_id: str = text(primary_key=True)
    name_en: str = text()
    name_zh_hant: str = text()
    name_zh_hans: str = text()
    email: str | None = text(nullable=True, default=None)
    phone: str | None = text(nullable=True, default=None)
    created_at: int = integer()
    closed_at: int | None = integer(nullable=True, default=None)


class PasswordTable(SQLModel, table=True):
    """Password sign-in."""

    __tablename__ = "password"
    __table_args__ = (KEYED,)

    username: str = text(primary_key=True)
    person_id: str = text(foreign_key="person.person_id", index=True)
    password_hash: str = text()
    created_at: int = integer()


class TotpTable(SQLModel, table=True):
    """One-time codes (RFC 6238); ``last_step`` makes each code count once."""

    __tablename__ = "totp"
    __table_args__ = (KEYED,)

    person_id: str = text(primary_key=True, foreign_key="person.person_id")
    sealed_secret: bytes = blob()
    last_step: int = integer(default=0)
    created_at: int = integer()


class GuessTable(SQLModel, table=True):
    """How often guessing failed under one slot: a keyed hash of who or what is guessed."""

    __tablename__ = "guess"
    __table_args__ = (Index("ix_guess_expiry", "expires_at"), KEYED)

    slot: bytes = blob(primary_key=True)
    failures: int = integer()
    blocked_until: int = integer()
    expires_at: int = integer()


class SessionTable(SQLModel, table=True):
    """A browser's sign-in session. The cookie is stored as a keyed hash only."""

    __tablename__ = "session"
    __table_args__ = (
        one_of("assurance", [level.value for level in Assurance]),
        Index("ix_session_expiry", "expires_at"),
        KEYED,
    )

    session_hash: bytes = blob(primary_key=True)
    session_id: str = text(unique=True)
    person_id: str = text(foreign_key="person.person_id", index=True)
    assurance: str = text()
    methods: str = text()  # amr values, blank separated
    browser: str = text(default="")  # roughly, for the person: never the whole User-Agent
    began_at: int = integer()
    signed_in_at: int = integer()
    seen_at: int = integer()
    expires_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)


class InteractionTable(SQLModel, table=True):
    """An authorization request waiting for a person, bound to the browser that began it."""

    __tablename__ = "interaction"
    __table_args__ = (
        Index("ix_interaction_expiry", "expires_at"),
        Index(
            "ix_interaction_open",
            "client_id",
            "expires_at",
            sqlite_where=sql("finished_at IS NULL"),
            postgresql_where=sql("finished_at IS NULL"),
        ),
        KEYED,
    )

    interaction_hash: bytes = blob(primary_key=True)
    binding_hash: bytes = blob()
    client_id: str = text()
    request: str = text()  # the validated authorization request, JSON
    pushed_request_hash: bytes | None = blob(nullable=True, default=None)
    person_id: str | None = text(nullable=True, default=None)
    organisation_id: str | None = text(nullable=True, default=None)
    created_at: int = integer()
    expires_at: int = integer()
    finished_at: int | None = integer(nullable=True, default=None)


class ConsentTable(SQLModel, table=True):
    """What a person, for an organisation, agreed that a client is told."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "ux_consent_open",
            "person_id",
            "organisation_id",
            "client_id",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        Index("ix_consent_client", "client_id"),
        Index(
            "ix_consent_organisation",
            "organisation_id",
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        KEYED,
    )

    person_id: str = text(primary_key=True, foreign_key="person.person_id")
    organisation_id: str = text(primary_key=True, foreign_key="organisation.organisation_id")
    client_id: str = text(primary_key=True)
    given_at: int = integer(primary_key=True)
    ended_at: int | None = integer(nullable=True, default=None)
    scopes: str = text()  # blank separated
    claims: str = text(default="")  # requested claims, canonical JSON, or empty
