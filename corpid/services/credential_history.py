"""What became of one credential: from its issuance on, what it was, since when, by whom and why."""

from corpid.domain.credential import Credential, CredentialChange, CredentialState
from corpid.services.ports import UnitOfWork


async def history_of(read: UnitOfWork, credential: Credential) -> list[CredentialChange]:
    """Its whole history, oldest first; the first entry is its issuance."""
    issued = CredentialChange(CredentialState.ISSUED, credential.issued_at, "", "")
    return [issued, *await read.credentials.changes_of(credential.credential_id)]
