"""The SQLModel tables: storage only. ``table=True`` does not validate, so CHECK constraints do.

Column types are TEXT, BIGINT and BLOB only, so that both engines return the same values:
instants are epoch milliseconds, register dates ISO text, JSON canonical text.
"""

from sqlmodel import SQLModel

from corpid.storage.tables.authority import (
    MandateEventTable,
    MandateTable,
    RepresentationTable,
)
from corpid.storage.tables.clients import (
    ClientPolicyTable,
    ClientRegistrationTable,
    ClientTable,
    RegistrationTokenTable,
    SectorTable,
    WalletProviderTable,
)
from corpid.storage.tables.credentials import (
    CredentialChangeTable,
    CredentialTable,
    IssuanceBatchTable,
    MandateStatusTable,
    OfferTable,
    StatusEntryTable,
    StatusHistoryTable,
    StatusListTable,
    StatusTokenTable,
)
from corpid.storage.tables.grants import (
    AccessTokenTable,
    AuthorizationCodeTable,
    GrantTable,
    NarrowedTokenTable,
    PolledRequestTable,
    PushedRequestTable,
    RefreshTokenTable,
    ReplayTable,
)
from corpid.storage.tables.operations import (
    AuditTable,
    CertificateAuthorityTable,
    ChangeTable,
    KeyTable,
    MetaTable,
    OutboxTable,
    SecretTable,
)
from corpid.storage.tables.organisations import (
    BranchTable,
    IdentifierTable,
    OrganisationNameTable,
    OrganisationTable,
    RegistrationTable,
)
from corpid.storage.tables.people import (
    ConsentTable,
    GuessTable,
    InteractionTable,
    PasswordTable,
    PersonTable,
    SessionTable,
    TotpTable,
)

metadata = SQLModel.metadata

__all__ = [
    "AccessTokenTable",
    "AuditTable",
    "AuthorizationCodeTable",
    "BranchTable",
    "CertificateAuthorityTable",
    "ChangeTable",
    "ClientPolicyTable",
    "ClientRegistrationTable",
    "ClientTable",
    "ConsentTable",
    "CredentialChangeTable",
    "CredentialTable",
    "GrantTable",
    "GuessTable",
    "IdentifierTable",
    "InteractionTable",
    "IssuanceBatchTable",
    "KeyTable",
    "MandateEventTable",
    "MandateStatusTable",
    "MandateTable",
    "MetaTable",
    "NarrowedTokenTable",
    "OfferTable",
    "OrganisationNameTable",
    "OrganisationTable",
    "OutboxTable",
    "PasswordTable",
    "PersonTable",
    "PolledRequestTable",
    "PushedRequestTable",
    "RefreshTokenTable",
    "RegistrationTable",
    "RegistrationTokenTable",
    "ReplayTable",
    "RepresentationTable",
    "SecretTable",
    "SectorTable",
    "SessionTable",
    "StatusEntryTable",
    "StatusHistoryTable",
    "StatusListTable",
    "StatusTokenTable",
    "TotpTable",
    "WalletProviderTable",
    "metadata",
]
