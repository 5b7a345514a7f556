"""What the protocols keep: pushed requests, grants, codes, tokens, and what counts once.

The key of a pushed request, a code and an access token begins with the instant at which it is over
(``TokenHasher.key``), so that rows lie in that order: a write touches a page that others of the
same moment have just touched, and what is to be purged needs no index.
"""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from corpid.storage.tables.columns import KEYED, blob, integer, text


class PushedRequestTable(SQLModel, table=True):
    """A pushed authorization request (RFC 9126), by the keyed hash of its handle."""

    __tablename__ = "pushed_request"
    __table_args__ = (
        Index(
            "ix_pushed_request_open",
            "client_id",
            "expires_at",
            sqlite_where=sql("counted IS NOT NULL AND used_at IS NULL"),
            postgresql_where=sql("counted IS NOT NULL AND used_at IS NULL"),
        ),
        KEYED,
    )

    request_hash: bytes = blob(primary_key=True)
    client_id: str = text()
    parameters: str = text()  # JSON object of the request's parameters
    dpop_jkt: str | None = text(nullable=True, default=None)
    expires_at: int = integer()
    used_at: int | None = integer(nullable=True, default=None)
    counted: int | None = integer(nullable=True, default=None)  # 1 where its client's are counted


class GrantTable(SQLModel, table=True):
    """One authorization: exactly one subject, one actor; every token of the family hangs on it."""

    __tablename__ = "authorization_grant"
    __table_args__ = (
        Index("ix_grant_actor", "actor"),
        Index("ix_grant_subject", "subject"),
        Index("ix_grant_session", "session_id"),
        Index("ix_grant_authority", "authority"),
        Index("ix_grant_client", "client_id", "auth_time"),
        Index("ix_grant_expiry", "expires_at"),
        KEYED,
    )

    grant_id: str = text(primary_key=True)
    client_id: str = text()
    grant_type: str = text()
    subject: str | None = text(nullable=True, default=None)  # organisation_id
    actor: str | None = text(nullable=True, default=None)  # person_id
    authority: str | None = text(nullable=True, default=None)  # mandate or representation id
    session_id: str | None = text(nullable=True, default=None)
    scope: str = text(default="")
    resource: str = text(default="")  # blank separated
    details: str = text(default="")  # claims request, authorization_details, nonce … as JSON
    acr: str | None = text(nullable=True, default=None)
    amr: str = text(default="")
    auth_time: int | None = integer(nullable=True, default=None)  # epoch seconds
    created_at: int = integer()
    expires_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)
    end_reason: str | None = text(nullable=True, default=None)


class PolledRequestTable(SQLModel, table=True):
    """A request that waits for a person while its client asks (RFC 8628, CIBA)."""

    __tablename__ = "polled_request"
    __table_args__ = (
        Index("ux_polled_request_user_code", "user_code_hash", unique=True),
        Index("ix_polled_request_actor", "actor"),
        Index("ix_polled_request_subject", "subject"),
        Index("ix_polled_request_expiry", "expires_at"),
        Index(
            "ix_polled_request_open",
            "client_id",
            "expires_at",
            sqlite_where=sql("grant_id IS NULL AND refused_at IS NULL"),
            postgresql_where=sql("grant_id IS NULL AND refused_at IS NULL"),
        ),
        KEYED,
    )

    code_hash: bytes = blob(primary_key=True)
    grant_type: str = text()
    client_id: str = text()
    user_code_hash: bytes | None = blob(nullable=True, default=None)
    subject: str | None = text(nullable=True, default=None)  # organisation_id that was named
    actor: str | None = text(nullable=True, default=None)  # person_id that was named
    parameters: str = text()  # JSON object of the request's parameters
    sealed: bytes | None = blob(nullable=True, default=None)
    interval: int = integer()
    next_poll_at: int = integer()
    created_at: int = integer()
    expires_at: int = integer()
    grant_id: str | None = text(nullable=True, default=None)
    refused_at: int | None = integer(nullable=True, default=None)
    used_at: int | None = integer(nullable=True, default=None)


class ManagedGrantTable(SQLModel, table=True):
    """The ``grant_id`` by which a client knows a grant, and the grant that it stands for now."""

    __tablename__ = "managed_grant"
    __table_args__ = (Index("ix_managed_grant_expiry", "expires_at"), KEYED)

    handle: str = text(primary_key=True)
    grant_id: str = text()
    expires_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)


class AuthorizationCodeTable(SQLModel, table=True):
    """An authorization code, claimed once by ``UPDATE … WHERE used_at IS NULL``."""

    __tablename__ = "authorization_code"
    __table_args__ = (KEYED,)

    code_hash: bytes = blob(primary_key=True)
    grant_id: str = text()
    redirect_uri: str = text()
    code_challenge: str | None = text(nullable=True, default=None)
    dpop_jkt: str | None = text(nullable=True, default=None)
    expires_at: int = integer()
    used_at: int | None = integer(nullable=True, default=None)


class AccessTokenTable(SQLModel, table=True):
    """An access token by its keyed hash, opaque or JWT: ending one is immediate."""

    __tablename__ = "access_token"
    __table_args__ = (KEYED,)

    token_hash: bytes = blob(primary_key=True)
    grant_id: str | None = text(nullable=True, default=None)
    client_id: str = text()
    scope: str = text(default="")
    audience: str = text(default="")
    jkt: str | None = text(nullable=True, default=None)
    issued_at: int = integer()
    expires_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)
    x5t: str | None = text(nullable=True, default=None)  # thumbprint of a client certificate


class NarrowedTokenTable(SQLModel, table=True):
    """The authorization details of an access token that has fewer of them than its grant."""

    __tablename__ = "narrowed_token"
    __table_args__ = (KEYED,)

    token_hash: bytes = blob(primary_key=True)
    details: str = text()  # JSON array
    expires_at: int = integer()


class RefreshTokenTable(SQLModel, table=True):
    """A refresh token by its keyed hash; ``rotated_at`` is set when a newer one replaced it."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        Index("ix_refresh_token_expiry", "expires_at"),
        KEYED,
    )

    token_hash: bytes = blob(primary_key=True)
    grant_id: str = text()
    jkt: str | None = text(nullable=True, default=None)
    issued_at: int = integer()
    expires_at: int = integer()
    rotated_at: int | None = integer(nullable=True, default=None)


class ReplayTable(SQLModel, table=True):
    """What may be used once: assertions and proofs by hash, until they would expire anyway."""

    __tablename__ = "replay"
    __table_args__ = (Index("ix_replay_expiry", "expires_at"), KEYED)

    key_hash: bytes = blob(primary_key=True)
    expires_at: int = integer()
