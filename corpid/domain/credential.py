"""Credentials as the product knows them: types, states, and who may have one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class OfferGrant(StrEnum):
    """The ways in which an offer may be redeemed (OpenID4VCI 1.0, 4.1.1)."""

    PRE_AUTHORIZED_CODE = "pre-authorized_code"
    AUTHORIZATION_CODE = "authorization_code"


class CredentialState(StrEnum):
    """The life of an issued credential. ``revoked`` and ``replaced`` are final."""

    ISSUED = "issued"  # handed out; the wallet has not told yet whether it kept it
    ACCEPTED = "accepted"  # the wallet's notification says it was stored
    REPLACED = "replaced"  # a retry or a renewal took its place
    SUSPENDED = "suspended"
    REVOKED = "revoked"


FINAL: Final = frozenset({CredentialState.REPLACED, CredentialState.REVOKED})


class Standing(StrEnum):
    """What a credential is worth at an instant: by its state, and by its dates."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class EntryStatus(StrEnum):
    """Values of a Token Status List entry that this service uses (section 7.1 of the draft)."""

    VALID = "valid"
    INVALID = "invalid"
    SUSPENDED = "suspended"

    @property
    def code(self) -> int:
        """The number that the list carries."""
        return _CODES[self]


def status_of(state: CredentialState) -> EntryStatus:
    """What the status list says of a credential in that state."""
    if state is CredentialState.SUSPENDED:
        return EntryStatus.SUSPENDED
    return EntryStatus.INVALID if state in FINAL else EntryStatus.VALID


_CODES = {EntryStatus.VALID: 0, EntryStatus.INVALID: 1, EntryStatus.SUSPENDED: 2}


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One place in one status list."""

    list_id: str
    index: int


@dataclass(frozen=True, slots=True)
class Credential:
    """The issuance record of one credential to one holder key. Times in epoch ms.

    ``credential_type``, ``type_version`` and ``credential_format`` say what was issued. ``on_hold``
    says that it was suspended by itself, so that it stays so when its authority is resumed.
    """

    credential_id: str
    credential_type: str
    type_version: str
    credential_format: str
    organisation_id: str
    person_id: str
    mandate_id: str | None
    representation_id: str | None
    holder_thumbprint: str
    entry: StatusEntry
    state: CredentialState
    payload_digest: bytes
    issued_at: int
    expires_at: int
    changed_at: int
    on_hold: bool = False

    def standing(self, now_ms: int) -> Standing:
        """What it is worth at that instant, as it stands now."""
        if self.state is CredentialState.REVOKED:
            return Standing.REVOKED
        if self.state is CredentialState.REPLACED:
            return Standing.SUPERSEDED
        if now_ms >= self.expires_at:
            return Standing.EXPIRED
        suspended = self.state is CredentialState.SUSPENDED
        return Standing.SUSPENDED if suspended else Standing.VALID


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """What a credential came to be, when (epoch ms), why and by whom.

    ``actor`` is a person's internal id, ``operator:NAME``, ``wallet``, or empty where the service
    itself did it or nobody is known.
    """

    state: CredentialState
    at: int
    reason: str
    actor: str
