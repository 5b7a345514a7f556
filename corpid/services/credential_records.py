"""The record of an issuance, and what the wallet answers: what is written, in one transaction."""

from dataclasses import dataclass
from typing import Any, Final

from corpid.domain.credential import Credential, CredentialState, EntryStatus, StatusEntry
from corpid.services.credential_facts import Facts, IssuanceFacts
from corpid.services.credential_type import CredentialType
from corpid.services.ports import UnitOfWork
from corpid.services.records import CredentialRow
from keys.clock import Clock
from oidc.issuer.ports import IssuedCredential, NotificationEvent
from oidc.records import Grant

_FINAL: Final = frozenset({CredentialState.REPLACED, CredentialState.REVOKED})


@dataclass(frozen=True, slots=True)
class Basis:
    """The host's note in an ``Issuance``."""

    facts: Facts
    kind: CredentialType
    entry: StatusEntry


class CredentialRecords:
    """The ``IssuerWrites`` port over one unit of work."""

    def __init__(self, facts: IssuanceFacts, clock: Clock, uow: UnitOfWork) -> None:
        self._facts = facts
        self._clock = clock
        self._uow = uow

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """See ``IssuerWrites.use_once``."""
        return await self._uow.provider_writes.use_once(key_hash, expires_at)

    async def record(self, issued: IssuedCredential) -> None:
        """See ``IssuerWrites.record``."""
        grant, now_ms, issuance = issued.grant, issued.issued_at, issued.issuance
        basis = issuance.basis
        assert isinstance(basis, Basis)
        await self._facts.require_same(
            self._uow, basis.facts, basis.kind, issuance.claims, grant, now_ms
        )
        description = issued.configuration.description
        credentials = self._uow.credentials
        for earlier in await credentials.unanswered(
            grant.grant_id,
            description.type_id,
            issued.configuration.format,
            issued.holder_thumbprint,
        ):
            await self._end(earlier, CredentialState.REPLACED, "the wallet asked again", now_ms)
        authority = basis.facts.authority
        credential = Credential(
            credential_id=issuance.credential_id,
            credential_type=description.type_id,
            type_version=description.version,
            credential_format=issued.configuration.format,
            organisation_id=authority.organisation.organisation_id,
            person_id=basis.facts.person.person_id,
            mandate_id=authority.authority_id if authority.mandate else None,
            representation_id=None if authority.mandate else authority.authority_id,
            holder_thumbprint=issued.holder_thumbprint,
            entry=basis.entry,
            state=CredentialState.ISSUED,
            payload_digest=issued.payload_digest,
            issued_at=now_ms,
            expires_at=issuance.expires_at * 1000,
            changed_at=now_ms,
        )
        await credentials.add(CredentialRow(credential, grant.grant_id, issued.signing_kid))
        await self._uow.operations.audit("credential.issued", _facts_of(credential))

    async def notify(self, credential_id: str, event: NotificationEvent, grant: Grant) -> bool:
        """See ``IssuerWrites.notify``."""
        credential = await self._uow.credentials.by_id(credential_id)
        if credential is None or (credential.organisation_id, credential.person_id) != (
            grant.subject,
            grant.actor,
        ):
            return False
        now_ms = int(self._clock() * 1000)
        if event is not NotificationEvent.ACCEPTED:
            if credential.state not in _FINAL:
                await self._end(credential, CredentialState.REVOKED, f"wallet: {event}", now_ms)
        elif credential.state is CredentialState.ISSUED:
            await self._uow.credentials.change_state(
                credential.credential_id, CredentialState.ACCEPTED, now_ms
            )
            await self._uow.operations.audit("credential.accepted", _facts_of(credential))
        return True

    async def _end(
        self, credential: Credential, state: CredentialState, reason: str, now_ms: int
    ) -> None:
        if not await self._uow.credentials.change_state(
            credential.credential_id, state, now_ms, reason
        ):
            return
        await self._uow.status_lists.set_status(credential.entry, EntryStatus.INVALID, now_ms)
        facts = {**_facts_of(credential), "reason": reason}
        await self._uow.operations.audit(f"credential.{state}", facts)


def _facts_of(credential: Credential) -> dict[str, Any]:
    return {
        "credential_id": credential.credential_id,
        "type": credential.credential_type,
        "format": credential.credential_format,
        "organisation_id": credential.organisation_id,
        "person_id": credential.person_id,
        "authority": credential.mandate_id or credential.representation_id,
        "list_id": credential.entry.list_id,
        "index": credential.entry.index,
    }
