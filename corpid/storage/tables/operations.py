"""What the service keeps for itself: keys, sealed secrets, audit, outbox, change counters."""

from sqlalchemy import CheckConstraint, Index
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from corpid.storage.tables.columns import KEYED, blob, integer, one_of, text


class MetaTable(SQLModel, table=True):
    """Facts about this database: the issuer that it was made under, the master key's check."""

    __tablename__ = "meta"
    __table_args__ = (KEYED,)

    name: str = text(primary_key=True)
    value: str = text()


class ChangeTable(SQLModel, table=True):
    """Counters that every process compares before it trusts its caches."""

    __tablename__ = "change"
    __table_args__ = (one_of("topic", ["clients", "keys", "authority", "status"]), KEYED)

    topic: str = text(primary_key=True)
    value: int = integer(default=0)


class SecretTable(SQLModel, table=True):
    """Secrets sealed under the master key: pairwise subjects, token hashes, nonces."""

    __tablename__ = "secret"
    __table_args__ = (KEYED,)

    name: str = text(primary_key=True)
    sealed: bytes = blob()
    created_at: int = integer()


class KeyTable(SQLModel, table=True):
    """Signing keys of the rings. The private part is sealed, and destroyed at retirement."""

    __tablename__ = "signing_key"
    __table_args__ = (
        one_of("purpose", ["tokens", "credentials", "status", "metadata", "mdoc", "encryption"]),
        one_of("alg", ["ES256", "RS256", "ECDH-ES"]),
        KEYED,
    )

    kid: str = text(primary_key=True)
    purpose: str = text()
    alg: str = text()
    public_jwk: str = text()
    sealed_private: bytes | None = blob(nullable=True, default=None)
    certificates: str = text(default="")  # base64 DER, blank separated, leaf first
    created_at: int = integer()
    publish_at: int = integer()
    activate_at: int = integer()
    retire_at: int | None = integer(nullable=True, default=None)
    remove_at: int | None = integer(nullable=True, default=None)
    destroyed_at: int | None = integer(nullable=True, default=None)


class CertificateAuthorityTable(SQLModel, table=True):
    """Roots of a development authority: the certificate, the sealed key, the revocation list."""

    __tablename__ = "certificate_authority"
    __table_args__ = (KEYED,)

    name: str = text(primary_key=True)
    certificate: str = text()  # base64 DER
    sealed_private: bytes = blob()
    revocation_list: bytes = blob()  # DER
    created_at: int = integer()


class AuditTable(SQLModel, table=True):
    """Append-only: canonical JSON bytes and their SHA-256. A log's order is given elsewhere."""

    __tablename__ = "audit"
    __table_args__ = (CheckConstraint("length(digest) = 32", name="ck_digest_length"), KEYED)

    audit_id: bytes = blob(primary_key=True)
    recorded_at: int = integer()
    event: str = text()
    body: bytes = blob()
    digest: bytes = blob()


class OutboxTable(SQLModel, table=True):
    """What must be told to others, written in the transaction that caused it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "topic",
            "recipient",
            "due_at",
            sqlite_where=sql("delivered_at IS NULL"),
            postgresql_where=sql("delivered_at IS NULL"),
        ),
        Index(
            "ix_outbox_delivered",
            "delivered_at",
            sqlite_where=sql("delivered_at IS NOT NULL"),
            postgresql_where=sql("delivered_at IS NOT NULL"),
        ),
        KEYED,
    )

    message_id: bytes = blob(primary_key=True)
    topic: str = text()
    recipient: str = text(default="")  # a client id, or "" where it goes to nobody in particular
    body: bytes = blob()
    created_at: int = integer()
    due_at: int = integer()
    attempts: int = integer(default=0)
    delivered_at: int | None = integer(nullable=True, default=None)
