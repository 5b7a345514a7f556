"""Rows of credentials and their offers, and back."""

from typing import Any, Final

import orjson
from sqlalchemy import select

from corpid.domain.credential import Credential, CredentialState, StatusEntry
from corpid.services.records import BY_CODE, CredentialRow, Offer
from corpid.storage.constructs import table

_credential = table("credential")
_mandate = table("mandate")

# The mandate's own id is there only when the authority is a mandate, not a representation.
COLUMNS: Final = (
    _credential.c.credential_id,
    _credential.c.credential_type,
    _credential.c.type_version,
    _credential.c.credential_format,
    _credential.c.organisation_id,
    _credential.c.person_id,
    _credential.c.authority,
    _mandate.c.mandate_id,
    _credential.c.holder_thumbprint,
    _credential.c.list_id,
    _credential.c.list_index,
    _credential.c.state,
    _credential.c.payload_digest,
    _credential.c.issued_at,
    _credential.c.expires_at,
    _credential.c.changed_at,
    _credential.c.on_hold_since,
)
IS_MANDATE: Final = _credential.c.authority == _mandate.c.mandate_id
WHOLE: Final = select(*COLUMNS).join_from(_credential, _mandate, IS_MANDATE, isouter=True)


def values_of(row: CredentialRow) -> dict[str, Any]:
    """The columns of an issuance record.

    Raises:
        ValueError: the credential rests on neither or both of mandate and representation.
    """
    credential = row.credential
    if (credential.mandate_id is None) == (credential.representation_id is None):
        raise ValueError("a credential rests on a mandate or on a representation")
    return {
        "credential_id": credential.credential_id,
        "credential_type": credential.credential_type,
        "type_version": credential.type_version,
        "credential_format": credential.credential_format,
        "organisation_id": credential.organisation_id,
        "person_id": credential.person_id,
        "authority": credential.mandate_id or credential.representation_id,
        "grant_id": row.grant_id,
        "holder_thumbprint": credential.holder_thumbprint,
        "list_id": credential.entry.list_id,
        "list_index": credential.entry.index,
        "state": credential.state.value,
        "payload_digest": credential.payload_digest,
        "signing_kid": row.signing_kid,
        "issued_at": credential.issued_at,
        "expires_at": credential.expires_at,
        "changed_at": credential.changed_at,
        "change_reason": "",
        "ends_at": None,
        "on_hold_since": None,
    }


def offer_of(row: tuple[Any, ...]) -> Offer:
    """An offer from a whole row."""
    (
        offer_id,
        code_hash,
        transaction_code_hash,
        wrong_tries,
        organisation_id,
        person_id,
        authority,
        credential_types,
        created_at,
        expires_at,
        used_at,
        ended_at,
        grant_types,
        tx_code,
        _,
    ) = row
    return Offer(
        offer_id=offer_id,
        code_hash=code_hash,
        transaction_code_hash=transaction_code_hash,
        organisation_id=organisation_id,
        person_id=person_id,
        authority=authority,
        credentials=tuple(credential_types.split()),
        created_at=created_at,
        expires_at=expires_at,
        wrong_tries=wrong_tries,
        used_at=used_at,
        ended_at=ended_at,
        grants=(BY_CODE,) if grant_types is None else tuple(grant_types.split()),
        tx_code=None if tx_code is None else orjson.loads(tx_code),
    )


def credential_of(row: tuple[Any, ...]) -> Credential:
    """A credential from the columns that the statements name."""
    (
        credential_id,
        credential_type,
        type_version,
        credential_format,
        organisation_id,
        person_id,
        authority,
        mandate_id,
        holder_thumbprint,
        list_id,
        list_index,
        state,
        payload_digest,
        issued_at,
        expires_at,
        changed_at,
        on_hold_since,
    ) = row
    return Credential(
        credential_id=credential_id,
        credential_type=credential_type,
        type_version=type_version,
        credential_format=credential_format,
        organisation_id=organisation_id,
        person_id=person_id,
        mandate_id=mandate_id,
        representation_id=authority if mandate_id is None else None,
        holder_thumbprint=holder_thumbprint,
        entry=StatusEntry(list_id, list_index),
        state=CredentialState(state),
        payload_digest=payload_digest,
        issued_at=issued_at,
        expires_at=expires_at,
        changed_at=changed_at,
        on_hold=on_hold_since is not None,
    )
