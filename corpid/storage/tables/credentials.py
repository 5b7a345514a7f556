"""Offers, issued credentials, and the status lists that tell whether they hold."""

from sqlalchemy import Index
from sqlalchemy import text as sql_text
from sqlmodel import SQLModel

from corpid.domain.credential import CredentialState
from corpid.storage.tables.columns import KEYED, blob, integer, one_of, text


class OfferTable(SQLModel, table=True):
    """A credential offer; its codes are stored as keyed hashes.

    ``grant_types`` says how it may be redeemed (NULL: by its code), ``tx_code`` how a wallet asks
    for the transaction code (JSON, OpenID4VCI 4.1.1), ``next_try_at`` when one may be tried again
    after wrong ones.
    """

    __tablename__ = "credential_offer"
    __table_args__ = (
        Index("ix_offer_expiry", "expires_at"),
        Index("ix_offer_person", "person_id"),
        KEYED,
    )

    offer_id: str = text(primary_key=True)
    code_hash: bytes = blob(unique=True)
    transaction_code_hash: bytes | None = blob(nullable=True, default=None)
    wrong_tries: int = integer(default=0)
    organisation_id: str = text(foreign_key="organisation.organisation_id")
    person_id: str = text(foreign_key="person.person_id")
    authority: str = text()  # the mandate or representation that the person holds
    credential_types: str = text()  # blank separated: configuration[/branch]
    created_at: int = integer()
    expires_at: int = integer()
    used_at: int | None = integer(nullable=True, default=None)
    ended_at: int | None = integer(nullable=True, default=None)
    grant_types: str | None = text(nullable=True, default=None)  # blank separated
    tx_code: str | None = text(nullable=True, default=None)
    next_try_at: int | None = integer(nullable=True, default=None)


class DeferredIssuanceTable(SQLModel, table=True):
    """An issuance that waits for an operator's yes (OpenID4VCI 9), or was decided upon."""

    __tablename__ = "deferred_issuance"
    __table_args__ = (
        one_of("state", ["waiting", "approved", "denied"]),
        Index("ix_deferred_issuance_person", "person_id"),
        Index("ix_deferred_issuance_expiry", "expires_at"),
        KEYED,
    )

    deferral_id: str = text(primary_key=True)
    client_id: str = text()
    organisation_id: str = text(foreign_key="organisation.organisation_id")
    person_id: str = text(foreign_key="person.person_id")
    configuration_id: str = text()
    dataset: str = text()  # what the grant's credential is about
    holders: str = text()  # JSON array of the public JWKs
    state: str = text()
    created_at: int = integer()
    expires_at: int = integer()
    decided_at: int | None = integer(nullable=True, default=None)
    taken_at: int | None = integer(nullable=True, default=None)
    decided_by: str = text(default="")
    reason: str = text(default="")


class IssuanceBatchTable(SQLModel, table=True):
    """How far the bulk issuance of one file has come: by lines, so that none is done twice.

    ``done_line`` is the last line that was, ``chunk_from`` the first of its transaction, ``turn``
    how many there were.
    """

    __tablename__ = "issuance_batch"
    __table_args__ = (Index("ix_issuance_batch_expiry", "expires_at"), KEYED)

    batch_id: str = text(primary_key=True)
    actor: str = text()
    turn: int = integer(default=0)
    chunk_from: int = integer(default=0)
    done_line: int = integer(default=0)
    issued: int = integer(default=0)
    refused: int = integer(default=0)
    started_at: int = integer()
    finished_at: int | None = integer(nullable=True, default=None)
    expires_at: int = integer()


class CredentialTable(SQLModel, table=True):
    """The record of one credential issued to one holder key.

    ``ends_at`` is when it gives way to the one that renews it, if that is not accepted sooner.
    ``on_hold_since`` is when it was suspended by itself, not with its authority.
    """

    __tablename__ = "credential"
    __table_args__ = (
        one_of("state", [state.value for state in CredentialState]),
        Index("ix_credential_organisation", "organisation_id", "issued_at"),
        Index("ix_credential_person", "person_id"),
        Index("ix_credential_authority", "authority"),
        Index("ux_credential_entry", "list_id", "list_index", unique=True),
        Index("ix_credential_grant", "grant_id"),
        Index(
            "ix_credential_ends",
            "ends_at",
            sqlite_where=sql_text("ends_at IS NOT NULL"),
            postgresql_where=sql_text("ends_at IS NOT NULL"),
        ),
        KEYED,
    )

    credential_id: str = text(primary_key=True)
    credential_type: str = text()
    type_version: str = text()
    credential_format: str = text()
    organisation_id: str = text(foreign_key="organisation.organisation_id")
    person_id: str = text(foreign_key="person.person_id")
    authority: str = text()  # mandate or representation id
    grant_id: str = text()
    holder_thumbprint: str = text()
    list_id: str = text(foreign_key="status_list.list_id")
    list_index: int = integer()
    state: str = text()
    payload_digest: bytes = blob()
    signing_kid: str = text()
    issued_at: int = integer()
    expires_at: int = integer()
    changed_at: int = integer()
    change_reason: str = text(default="")
    ends_at: int | None = integer(nullable=True, default=None)
    on_hold_since: int | None = integer(nullable=True, default=None)


class CredentialChangeTable(SQLModel, table=True):
    """What became of a credential after it was issued, in the order of ``number``."""

    __tablename__ = "credential_change"
    __table_args__ = (
        one_of("state", [state.value for state in CredentialState]),
        KEYED,
    )

    credential_id: str = text(primary_key=True, foreign_key="credential.credential_id")
    number: int = integer(primary_key=True)
    state: str = text()
    changed_at: int = integer()
    reason: str = text(default="")
    actor: str = text(default="")


class StatusListTable(SQLModel, table=True):
    """One status list: how far it is used, and how often an entry of it has changed."""

    __tablename__ = "status_list"
    __table_args__ = (KEYED,)

    list_id: str = text(primary_key=True)
    bits: int = integer()
    size: int = integer()
    sealed_permutation_key: bytes = blob()
    reserved: int = integer(default=0)  # counter values handed out in blocks
    version: int = integer(default=0)  # grows with every change of an entry
    created_at: int = integer()
    closed_at: int | None = integer(nullable=True, default=None)


class StatusTokenTable(SQLModel, table=True):
    """The last signed token of each list in both forms; issuances write the list's own row."""

    __tablename__ = "status_token"
    __table_args__ = (KEYED,)

    list_id: str = text(primary_key=True, foreign_key="status_list.list_id")
    version: int = integer()
    published_at: int = integer()
    published_until: int = integer()
    jwt: str = text()
    cwt: bytes = blob()


class StatusHistoryTable(SQLModel, table=True):
    """What an entry was from ``since`` to before ``until``, where its first change left it so.

    That it was valid before its first change is written nowhere.
    """

    __tablename__ = "status_history"
    __table_args__ = (
        one_of("status", ["valid", "invalid", "suspended"]),
        Index("ix_status_history_end", "until"),
        KEYED,
    )

    list_id: str = text(primary_key=True, foreign_key="status_list.list_id")
    list_index: int = integer(primary_key=True)
    version: int = integer(primary_key=True)
    status: str = text()
    since: int = integer()
    until: int = integer()


class StatusEntryTable(SQLModel, table=True):
    """Entries that are not valid; an absent row is VALID. ``version`` dates the last change."""

    __tablename__ = "status_entry"
    __table_args__ = (
        one_of("status", ["valid", "invalid", "suspended"]),
        Index("ix_status_entry_version", "list_id", "version"),
        KEYED,
    )

    list_id: str = text(primary_key=True, foreign_key="status_list.list_id")
    list_index: int = integer(primary_key=True)
    status: str = text()
    version: int = integer()
    changed_at: int = integer()


class MandateStatusTable(SQLModel, table=True):
    """The status entry of each pair of client sector and mandate: shared entries would link."""

    __tablename__ = "mandate_status"
    __table_args__ = (
        Index("ux_mandate_status_entry", "list_id", "list_index", unique=True),
        KEYED,
    )

    mandate_id: str = text(primary_key=True)  # a mandate's or a representation's id
    sector: str = text(primary_key=True)
    list_id: str = text(foreign_key="status_list.list_id")
    list_index: int = integer()
    created_at: int = integer()
