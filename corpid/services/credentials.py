"""Issuing credentials: the decision, the record, and what the wallet answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cachetools import LRUCache

from corpid.domain.credential import (
    Credential,
    CredentialState,
    CredentialType,
    EntryStatus,
    StatusEntry,
)
from corpid.domain.dates import hong_kong_day
from corpid.domain.errors import NotAllowed
from corpid.domain.identifiers import ordered_text_id
from corpid.domain.person import Assurance, Person
from corpid.services import credential_claims
from corpid.services.authorities import ActingAuthority, require_authority
from corpid.services.mandate_status import EntryAllocator
from corpid.services.offers import Offers
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import CredentialRow
from corpid.services.step_up import StepUp
from keys.clock import Clock, Random
from oidc.errors import CredentialRequestDenied
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.ports import (
    BasisChanged,
    Issuance,
    IssuedCredential,
    IssuerWrites,
    NotificationEvent,
)
from oidc.records import AccessToken, Grant

T = TypeVar("T")
LEAST_ASSURANCE: Final = Assurance.LOA2.value
"""Of the sign-in that a credential is fetched by, whatever the wallet's client accepts: with it
alone somebody could go on acting for the business elsewhere."""
_CACHED: Final = 2048
_Name = tuple[str | None, str | None, str | None, int]
_FINAL: Final = frozenset({CredentialState.REPLACED, CredentialState.REVOKED})


@dataclass(frozen=True, slots=True)
class _Facts:
    """What an issuance rests on, as it was read, and the claims that follow from it by type.

    ``standing`` changes when any of it does (``Authority.standing``).
    """

    authority: ActingAuthority
    person: Person
    standing: tuple[object, ...]
    claims: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Basis:
    """The host's note in an ``Issuance``."""

    facts: _Facts
    entry: StatusEntry


class CredentialIssuance:
    """The ``IssuerStore`` port. ``status_url`` is where lists are served, without the list's id.

    Facts are remembered between requests, and compared with the database inside the transaction
    that records the credential (which on PostgreSQL also keeps them from changing until it has
    committed): what is remembered saves reading, but never decides.
    """

    def __init__(
        self,
        store: Store,
        allocator: EntryAllocator,
        offers: Offers,
        clock: Clock,
        random: Random,
        status_url: str,
        step_up: StepUp,
    ) -> None:
        self._step_up = step_up
        self._store = store
        self._allocator = allocator
        self._offers = offers
        self._clock = clock
        self._random = random
        self._status_url = status_url.rstrip("/")
        self._facts: LRUCache[_Name, _Facts] = LRUCache(_CACHED)

    async def access_token(self, token_hash: bytes) -> tuple[AccessToken, Grant | None] | None:
        """See ``IssuerStore.access_token``; that of a disabled client is not known any more."""
        read = self._store.read.provider_reads
        found = await read.access_token(token_hash)
        if found is None or not found[0].client_id:  # a wallet that is no registered client
            return found
        return None if await read.client(found[0].client_id) is None else found

    async def offer(self, offer_id: str) -> Mapping[str, Any] | None:
        """See ``IssuerStore.offer``."""
        return await self._offers.document(offer_id)

    async def decide(
        self, grant: Grant, configuration: CredentialConfiguration, holder_thumbprint: str
    ) -> Issuance:
        """See ``IssuerStore.decide``. The reason of a refusal is for the wallet's developer.

        The holder's key is theirs by the proof that the endpoint checked; here: the account is
        open, and the authority under the grant counts now.
        """
        self._step_up.require(grant.acr, LEAST_ASSURANCE)
        now_ms = int(self._clock() * 1000)
        name = self._name(grant, now_ms)
        facts = self._facts.get(name)
        if facts is None:
            facts = await self._read_facts(grant, now_ms)
            self._facts[name] = facts
        entry = await self._allocator.reserve()
        uri = f"{self._status_url}/{entry.list_id}"
        return Issuance(
            credential_id=ordered_text_id(now_ms, self._random),
            claims=facts.claims[configuration.description.type_id],
            expires_at=_expiry(now_ms, configuration.description.lifetime, facts.authority),
            status={"status_list": {"idx": entry.index, "uri": uri}},
            basis=_Basis(facts, entry),
        )

    async def write(self, work: Callable[[IssuerWrites], Awaitable[T]]) -> T:
        """See ``IssuerStore.write``."""
        return await self._store.write(lambda uow: work(_Writes(self, uow)))

    def forget(self, grant: Grant, now_ms: int) -> None:
        """Drop what is remembered of a grant's facts."""
        self._facts.pop(self._name(grant, now_ms), None)

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self._clock() * 1000)

    def _name(self, grant: Grant, now_ms: int) -> _Name:
        # The day is part of the name: authority begins and ends at midnight in Hong Kong.
        return grant.subject, grant.actor, grant.authority, hong_kong_day(now_ms)

    async def _read_facts(self, grant: Grant, now_ms: int) -> _Facts:
        read = self._store.read
        subject, actor = grant.subject or "", grant.actor or ""
        # Read first: a change while the rest is read then shows as a difference later.
        standing = await read.authority.standing(subject, actor, grant.authority or "")
        person = await read.people.by_id(actor)
        if person is None or person.closed_at is not None:
            raise _denied("the account of this person is closed")
        try:
            authority = await require_authority(read, actor, subject, now_ms, grant.authority)
        except NotAllowed as error:
            raise _denied(error.message) from None
        if standing is None:
            raise _denied("the authority behind this access token has ended")
        claims = {
            CredentialType.COMPANY_IDENTITY.value: credential_claims.company_identity(
                authority.organisation
            ),
            CredentialType.REPRESENTATIVE.value: credential_claims.representative(
                authority, person
            ),
        }
        return _Facts(authority, person, standing, claims)


class _Writes:
    """The ``IssuerWrites`` port over one unit of work."""

    def __init__(self, issuance: CredentialIssuance, uow: UnitOfWork) -> None:
        self._issuance = issuance
        self._uow = uow

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """See ``IssuerWrites.use_once``."""
        return await self._uow.provider_writes.use_once(key_hash, expires_at)

    async def record(self, issued: IssuedCredential) -> None:
        """See ``IssuerWrites.record``."""
        grant, now_ms = issued.grant, issued.issued_at
        basis = issued.issuance.basis
        assert isinstance(basis, _Basis)
        await self._compare(basis.facts, grant, now_ms)
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
            issued_at=now_ms,
            expires_at=issued.issuance.expires_at * 1000,
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
        now_ms = self._issuance.now_ms()
        if event is not NotificationEvent.ACCEPTED:
            if credential.state not in _FINAL:
                await self._end(credential, CredentialState.REVOKED, f"wallet: {event}", now_ms)
        elif credential.state is CredentialState.ISSUED:
            await self._uow.credentials.change_state(
                credential.credential_id, CredentialState.ACCEPTED, now_ms
            )
            await self._uow.operations.audit("credential.accepted", _facts_of(credential))
        return True

    async def _compare(self, facts: _Facts, grant: Grant, now_ms: int) -> None:
        """The facts must still be those of the decision."""
        authority, person_id = facts.authority, facts.person.person_id
        organisation_id = authority.organisation.organisation_id
        standing = await self._uow.authority.standing(
            organisation_id, person_id, authority.authority_id
        )
        same = standing == facts.standing
        passed_on = authority.mandate is not None and authority.mandate.parent_id is not None
        if same and (passed_on or authority.via_organisation_id is not None):
            # Here more rows count, so the whole rule again: this is rare.
            same = await self._still_acts(authority, person_id, now_ms)
        if not same:
            self._issuance.forget(grant, now_ms)
            raise BasisChanged

    async def _still_acts(self, authority: ActingAuthority, person_id: str, now_ms: int) -> bool:
        organisation_id = authority.organisation.organisation_id
        try:
            now = await require_authority(
                self._uow, person_id, organisation_id, now_ms, authority.authority_id
            )
        except NotAllowed:
            return False
        return now == authority

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


def _expiry(now_ms: int, lifetime: int, authority: ActingAuthority) -> int:
    """Epoch seconds: after the type's lifetime, and never later than the authority's last day."""
    until = now_ms // 1000 + lifetime
    ends_ms = authority.valid_until_ms
    return until if ends_ms is None else min(until, ends_ms // 1000)


def _denied(reason: str) -> CredentialRequestDenied:
    # RFC 6749 5.2: descriptions are ASCII.
    return CredentialRequestDenied(reason.encode("ascii", "replace").decode())
