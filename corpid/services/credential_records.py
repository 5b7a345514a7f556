"""The record of an issuance, and what the wallet answers: what is written, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corpid.domain.credential import (
    FINAL,
    Credential,
    CredentialState,
    EntryStatus,
    StatusEntry,
)
from corpid.domain.issuance import Reason, Refusal
from corpid.services import deferrals
from corpid.services.credential_facts import Denied, Facts, IssuanceFacts, request_of
from corpid.services.credential_type import CredentialType
from corpid.services.ports import UnitOfWork
from corpid.services.records import BY_WALLET, WALLET, Beside, CredentialRow
from keys.clock import Clock
from oidc.issuer.ports import Deferral, IssuedCredential, NotificationEvent
from oidc.records import Grant

BESIDE_MS: Final = 24 * 3600 * 1000
"""How long a credential goes on beside the one that renews it, if the wallet says nothing."""
RENEWED: Final = "renewed"
_GRANT_ENDED: Final = Refusal(
    Reason.AUTHORITY_ENDED, "the authorization behind this access token has ended"
)


@dataclass(frozen=True, slots=True)
class Basis:
    """The host's note in an ``Issuance``."""

    facts: Facts
    kind: CredentialType
    entry: StatusEntry


class CredentialRecords:
    """The ``IssuerWrites`` port over one unit of work.

    ``most_live``: so many live credentials of a type the keys of one grant may have.
    ``told`` is what the audit trail is told of an issuance beside its facts.
    """

    def __init__(
        self,
        facts: IssuanceFacts,
        clock: Clock,
        uow: UnitOfWork,
        most_live: int,
        told: Mapping[str, object],
    ) -> None:
        self._facts = facts
        self._clock = clock
        self._uow = uow
        self._most_live = most_live
        self._told = told

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """See ``IssuerWrites.use_once``."""
        return await self._uow.provider_writes.use_once(key_hash, expires_at)

    async def record(self, issued: Sequence[IssuedCredential]) -> None:
        """See ``IssuerWrites.record``."""
        first = issued[0]
        grant, now_ms = first.grant, first.issued_at
        basis = first.issuance.basis
        assert isinstance(basis, Basis)
        await self._facts.require_same(
            self._uow, basis.facts, basis.kind, first.issuance.claims, grant, now_ms
        )
        await self._succeed(issued, now_ms)
        rows = [_row_of(one) for one in issued]
        await self._uow.credentials.add_all(rows)
        made = [row.credential for row in rows]
        facts = {**facts_of(*made), **self._told}
        await self._uow.operations.audit("credential.issued", facts)

    async def defer(self, deferral: Deferral) -> str:
        """See ``IssuerWrites.defer``."""
        return await deferrals.keep(self._uow, deferral, deferral.created_at)

    async def take_deferred(self, deferral_id: str) -> bool:
        """See ``IssuerWrites.take_deferred``."""
        now_ms = int(self._clock() * 1000)
        return await self._uow.deferred_issuances.take(deferral_id, now_ms)

    async def _succeed(self, issued: Sequence[IssuedCredential], now_ms: int) -> None:
        """See to what the same keys got before under this grant.

        A retry: the answer was lost, so at once. A renewal: beside the new one, until the wallet
        says that it has that, or for a day. What we revoked or suspended is renewed by nobody.

        Raises:
            Denied: nobody may have it under this grant any more, or for this key, or so many.
        """
        first, credentials = issued[0], self._uow.credentials
        beside = await credentials.beside(
            first.grant.grant_id,
            first.configuration.description.type_id,
            first.configuration.format,
            [one.holder_thumbprint for one in issued],
            now_ms,
        )
        refusal = self._refusal(beside, len(issued))
        if refusal is not None:
            raise Denied(refusal, request_of(first.grant, first.configuration))
        for earlier in beside.earlier:
            unanswered = earlier.state is CredentialState.ISSUED
            if unanswered and earlier.issued_at >= first.token_issued_at:
                await end_credential(
                    self._uow, earlier, CredentialState.REPLACED, "the wallet asked again", now_ms
                )
            else:
                await credentials.give_way(earlier.credential_id, now_ms + BESIDE_MS)

    def _refusal(self, beside: Beside, count: int) -> Refusal | None:
        if not beside.goes_on:
            return _GRANT_ENDED
        for earlier in beside.earlier:
            if earlier.state in (CredentialState.REVOKED, CredentialState.SUSPENDED):
                return _over(earlier.state)
        if beside.others + count > self._most_live:
            return Refusal(
                Reason.TOO_MANY_LIVE,
                f"the wallet has {beside.others} live credentials of this type, and at most "
                f"{self._most_live}: let it tell which it has deleted, or revoke some",
            )
        return None

    async def notify(
        self, credential_ids: Sequence[str], event: NotificationEvent, grant: Grant
    ) -> bool:
        """See ``IssuerWrites.notify``."""
        found = [await self._uow.credentials.by_id(one) for one in credential_ids]
        mine = [one for one in found if one is not None and _is_whose(one, grant)]
        if len(mine) < len(found):
            return False
        now_ms = int(self._clock() * 1000)
        for credential in mine:
            if event is NotificationEvent.ACCEPTED:
                await self._accept(credential, now_ms)
            else:
                await self._lose(credential, event, now_ms)
        return True

    async def _accept(self, credential: Credential, now_ms: int) -> None:
        if credential.state is not CredentialState.ISSUED:
            return
        if not await self._uow.credentials.change_state(
            credential.credential_id,
            CredentialState.ACCEPTED,
            now_ms,
            actor=WALLET,
            instead_of=CredentialState.ISSUED,
        ):
            return  # suspended or ended since it was read
        await self._uow.operations.audit("credential.accepted", facts_of(credential))
        for earlier in await self._uow.credentials.giving_way(credential.credential_id):
            await end_credential(self._uow, earlier, CredentialState.REPLACED, RENEWED, now_ms)

    async def _lose(self, credential: Credential, event: NotificationEvent, now_ms: int) -> None:
        """The wallet does not have it: what it would have renewed goes on.

        It may ask again, but not for what is suspended: else its word would undo that.
        """
        if credential.state in FINAL:
            return
        # Nobody renews it from here on. Before the change: the grant's row is locked first.
        beside = await self._uow.credentials.same_key(credential.credential_id)
        suspended = credential.state is CredentialState.SUSPENDED
        if not await end_credential(
            self._uow,
            credential,
            CredentialState.REVOKED,
            event.value if suspended else f"{BY_WALLET}{event}",
            now_ms,
            WALLET,
            instead_of=credential.state,
        ):
            # Suspended, resumed or ended since it was read: judged anew.
            now = await self._uow.credentials.by_id(credential.credential_id)
            assert now is not None
            await self._lose(now, event, now_ms)
            return
        before = _renewed_by(credential, beside)
        if before is not None:
            await self._uow.credentials.give_way(before.credential_id, None)


def _renewed_by(lost: Credential, beside: Sequence[Credential]) -> Credential | None:
    """What goes on instead of a lost one: the last that the wallet took up, else the last.

    One alone, and none where the lost one was renewed itself: a wallet that renews and loses again
    and again would have ever more otherwise.
    """
    if any(one.issued_at > lost.issued_at for one in beside):
        return None
    taken_up = [one for one in beside if one.state is not CredentialState.ISSUED]
    return next(reversed(taken_up or beside), None)


async def end_credential(
    uow: UnitOfWork,
    credential: Credential,
    state: CredentialState,
    reason: str,
    now_ms: int,
    actor: str = "",
    instead_of: CredentialState | None = None,
) -> bool:
    """End a credential and its status entry, inside a write.

    False when it was over already, or is not what it has to be any more (``instead_of``).
    """
    if not await uow.credentials.change_state(
        credential.credential_id, state, now_ms, reason, actor, instead_of
    ):
        return False
    await uow.status_lists.set_status(credential.entry, EntryStatus.INVALID, now_ms)
    facts = {**facts_of(credential), "reason": reason}
    await uow.operations.audit(f"credential.{state}", facts)
    return True


def _row_of(issued: IssuedCredential) -> CredentialRow:
    basis, description = issued.issuance.basis, issued.configuration.description
    assert isinstance(basis, Basis)
    authority = basis.facts.authority
    credential = Credential(
        credential_id=issued.issuance.credential_id,
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
        issued_at=issued.issued_at,
        expires_at=issued.issuance.expires_at * 1000,
        changed_at=issued.issued_at,
    )
    return CredentialRow(credential, issued.grant.grant_id, issued.signing_kid)


def _over(state: CredentialState) -> Refusal:
    revoked = state is CredentialState.REVOKED
    reason = Reason.KEY_REVOKED if revoked else Reason.KEY_SUSPENDED
    return Refusal(reason, f"the credential of this key is {state}")


def _is_whose(credential: Credential, grant: Grant) -> bool:
    return (credential.organisation_id, credential.person_id) == (grant.subject, grant.actor)


def facts_of(first: Credential, *more: Credential) -> dict[str, Any]:
    """Of one credential, or of those of one response, which differ in these three alone."""
    facts: dict[str, Any] = {
        "credential_id": first.credential_id,
        "type": first.credential_type,
        "format": first.credential_format,
        "organisation_id": first.organisation_id,
        "person_id": first.person_id,
        "authority": first.mandate_id or first.representation_id,
        "list_id": first.entry.list_id,
        "index": first.entry.index,
    }
    if more:
        facts["with"] = [
            {
                "credential_id": one.credential_id,
                "list_id": one.entry.list_id,
                "index": one.entry.index,
            }
            for one in more
        ]
    return facts
