"""What became of one credential: from its issuance on, what it was, since when, by whom and why."""

from corpid.domain.credential import Credential, CredentialChange, CredentialState
from corpid.services.ports import UnitOfWork


async def in_wallet(read: UnitOfWork, credential: Credential, now_ms: int) -> int:
    """How many live credentials of its type were issued under the same grant.

    As the bound of live ones counts them: without what gives way to a renewal.
    """
    grant_id = await read.credentials.grant_of(credential.credential_id)
    if grant_id is None:
        return 0
    return await read.credentials.live_under(grant_id, credential.credential_type, now_ms)


async def history_of(read: UnitOfWork, credential: Credential) -> list[CredentialChange]:
    """Its whole history, oldest first; the first entry is its issuance."""
    issued = CredentialChange(CredentialState.ISSUED, credential.issued_at, "", "")
    return [issued, *await read.credentials.changes_of(credential.credential_id)]
