"""Relying parties: a client, its policy as intervals, and the sectors of pairwise subjects."""

from sqlalchemy import Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from corpid.storage.tables.columns import KEYED, blob, integer, text


class SectorTable(SQLModel, table=True):
    """A sector of pairwise identifiers (OpenID Connect Core 8.1); fixed at registration."""

    __tablename__ = "sector"
    __table_args__ = (KEYED,)

    sector: str = text(primary_key=True)
    created_at: int = integer()


class ClientTable(SQLModel, table=True):
    """A relying party. What may change is in ``client_policy``."""

    __tablename__ = "client"
    __table_args__ = (KEYED,)

    client_id: str = text(primary_key=True)
    sector: str = text(foreign_key="sector.sector")
    created_at: int = integer()
    disabled_at: int | None = integer(nullable=True, default=None)


class ClientPolicyTable(SQLModel, table=True):
    """A client's registration as it was from ``recorded_at`` to ``ended_at``."""

    __tablename__ = "client_policy"
    __table_args__ = (
        Index(
            "ux_client_policy_open",
            "client_id",
            unique=True,
            sqlite_where=sql("ended_at IS NULL"),
            postgresql_where=sql("ended_at IS NULL"),
        ),
        KEYED,
    )

    client_id: str = text(primary_key=True, foreign_key="client.client_id")
    recorded_at: int = integer(primary_key=True)
    ended_at: int | None = integer(nullable=True, default=None)
    metadata_json: str = text()  # RFC 7591 names and our own, canonical JSON
    secret_hash: bytes | None = blob(nullable=True, default=None)


class RegistrationTokenTable(SQLModel, table=True):
    """An initial access token (RFC 7591 3), kept by hash."""

    __tablename__ = "registration_token"
    __table_args__ = (
        Index("ux_registration_token_hash", "token_hash", unique=True),
        Index("ix_registration_token_expiry", "expires_at"),
        KEYED,
    )

    token_id: str = text(primary_key=True)
    token_hash: bytes = blob()
    label: str = text()
    policy: str | None = text(nullable=True, default=None)  # canonical JSON; NULL: the settings'
    uses_left: int = integer()
    created_at: int = integer()
    expires_at: int = integer()
    ended_at: int | None = integer(nullable=True, default=None)


class ClientRegistrationTable(SQLModel, table=True):
    """That a client registered itself. No foreign key: it is added before its client."""

    __tablename__ = "client_registration"
    __table_args__ = (Index("ix_client_registration_time", "registered_at"), KEYED)

    client_id: str = text(primary_key=True)
    token_hash: bytes = blob()
    initial_token_id: str | None = text(nullable=True, default=None)
    policy: str = text()  # what it may have, canonical JSON
    registered_at: int = integer()


class WalletProviderTable(SQLModel, table=True):
    """Who is trusted to attest wallets or keys, from ``added_at`` to ``removed_at``."""

    __tablename__ = "wallet_provider"
    __table_args__ = (
        Index(
            "ux_wallet_provider_trusted",
            "provider_id",
            unique=True,
            sqlite_where=sql("removed_at IS NULL"),
            postgresql_where=sql("removed_at IS NULL"),
        ),
        KEYED,
    )

    provider_id: str = text(primary_key=True)
    title: str = text()
    issuer: str | None = text(nullable=True, default=None)
    certificates: str = text(default="")  # base64 DER, blank separated
    jwks: str | None = text(nullable=True, default=None)  # canonical JSON
    attests: str = text()  # blank separated
    added_at: int = integer(primary_key=True)
    removed_at: int | None = integer(nullable=True, default=None)
