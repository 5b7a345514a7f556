"""Issuing credentials: whether this holder may have this one now, and what it will say."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from cachetools import LRUCache

from corpid.domain.identifiers import ordered_text_id
from corpid.domain.issuance import Reason, Refusal
from corpid.services.authorities import ActingAuthority
from corpid.services.credential_catalogue import TYPES
from corpid.services.credential_facts import Denied, Facts, IssuanceFacts
from corpid.services.credential_records import Basis, CredentialRecords
from corpid.services.credential_type import CredentialType
from corpid.services.deferrals import ApprovalPolicy
from corpid.services.mandate_status import EntryAllocator
from corpid.services.offers import Offers
from corpid.services.ports import Store, UnitOfWork
from corpid.services.step_up import StepUp
from keys.clock import Clock, Random
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.ports import Deferral, Issuance, IssuerWrites
from oidc.profiles import HAIP
from oidc.records import AccessToken, Grant

T = TypeVar("T")
TOLD_EVERY: Final = 60
"""Seconds: who is refused the same again and again does not fill the audit trail with it."""
MOST_LIVE: Final = 200
"""Twenty batches of ten, for a wallet that shows each credential once."""
_MOST_TOLD: Final = 1024
_NOTHING_WAITS: Final = ApprovalPolicy()
_NO_HAIP_WALLET: Final = Refusal(
    Reason.WALLET_PROFILE,
    "HAIP 4.4.1: credentials are for wallets of the profile haip, which authenticate by "
    "attestation",
)
_EXCHANGED: Final = Refusal(
    Reason.NO_AUTHORITY,
    "an access token that was exchanged for an agent is no basis of a credential, which would not "
    "end with it: let the agent sign in with the wallet",
)


class CredentialIssuance:
    """The ``IssuerStore`` port. ``status_url`` is where lists are served, without the list's id.

    Facts are remembered between requests and compared when the credential is recorded
    (``IssuanceFacts``). With ``haip`` only wallets of that profile get any. The keys of one grant
    have at most ``most_live`` live credentials of a type.
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
        *,
        haip: bool = False,
        approval: ApprovalPolicy = _NOTHING_WAITS,
        most_live: int = MOST_LIVE,
    ) -> None:
        self._haip = haip
        self._most_live = most_live
        self._step_up = step_up
        self._approval = approval
        self._store = store
        self._allocator = allocator
        self._offers = offers
        self._clock = clock
        self._random = random
        self._status_url = status_url.rstrip("/")
        self._facts = IssuanceFacts(store)
        self._told: LRUCache[str, float] = LRUCache(_MOST_TOLD)

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

    def must_wait(self, grant: Grant, configuration: CredentialConfiguration) -> bool:
        """See ``IssuerStore.must_wait``."""
        return self._approval.demands(grant, configuration)

    async def deferred(self, deferral_id: str) -> Deferral | None:
        """See ``IssuerStore.deferred``."""
        found = await self._store.read.deferred_issuances.by_id(deferral_id)
        return None if found is None else found.seen(int(self._clock() * 1000))

    async def decide(
        self, grant: Grant, configuration: CredentialConfiguration, count: int, issued_at: int
    ) -> tuple[Issuance, ...]:
        """See ``IssuerStore.decide``. The reason of a refusal is for the wallet's developer.

        The holder's key is theirs by the proof that the endpoint checked. Here: the sign-in is
        sure enough; the account is open and the authority under the grant counts now
        (``IssuanceFacts.of``); and the type's own rule lets them have it (``IssuanceRule``).
        """
        try:
            facts, kind, claims = await self.allowed(grant, configuration)
        except Denied as error:
            await self._tell(error.of(grant, configuration))
            raise
        now_ms = int(self._clock() * 1000)
        expires_at = _expiry(issued_at, kind.lifetime, facts.authority)
        found = []
        for _ in range(count):
            entry = await self._allocator.reserve()
            uri = f"{self._status_url}/{entry.list_id}"
            found.append(
                Issuance(
                    credential_id=ordered_text_id(now_ms, self._random),
                    claims=claims,
                    expires_at=expires_at,
                    status={"status_list": {"idx": entry.index, "uri": uri}},
                    basis=Basis(facts, kind, entry),
                )
            )
        return tuple(found)

    async def allowed(
        self, grant: Grant, configuration: CredentialConfiguration
    ) -> tuple[Facts, CredentialType, Mapping[str, Any]]:
        """What ``decide`` rests on: the facts, the type, and the claims that follow.

        Raises:
            Denied: this holder may not have it now.
            InsufficientUserAuthentication: not by this sign-in.
        """
        if self._haip:
            await self._require_haip(grant.client_id)
        if grant.delegation is not None:
            raise Denied(_EXCHANGED)
        kind = TYPES[configuration.description.type_id]
        # With a credential somebody could go on acting for the business elsewhere, whatever the
        # wallet's client accepts.
        self._step_up.require(grant.acr, kind.rule.least_assurance.value)
        facts = await self._facts.of(grant, int(self._clock() * 1000))
        return facts, kind, await self._facts.stated(facts, kind, grant)

    async def _require_haip(self, client_id: str) -> None:
        """HAIP 1.0, 4.4.1, whatever the grant is and whenever it was made.

        Raises:
            Denied: the client is no wallet of the profile.
        """
        client = await self._store.read.provider_reads.client(client_id) if client_id else None
        if client is None or client.profile != HAIP:
            raise Denied(_NO_HAIP_WALLET)

    async def write(self, work: Callable[[IssuerWrites], Awaitable[T]]) -> T:
        """See ``IssuerStore.write``."""
        try:
            return await self._store.write(lambda uow: work(self.records(uow)))
        except Denied as error:
            await self._tell(error)
            raise

    def records(
        self, uow: UnitOfWork, told: Mapping[str, object] | None = None
    ) -> CredentialRecords:
        """What records issuances inside a write; ``told`` as there."""
        return CredentialRecords(self._facts, self._clock, uow, self._most_live, told or {})

    async def _tell(self, error: Denied) -> None:
        """The refusal's transaction, if there was one, is rolled back: this is another.

        Once a minute in each process: nothing is used up by a request that is refused.
        """
        facts, now = error.facts, self._clock()
        name = repr(sorted(facts.items()))
        if 0 <= now - self._told.get(name, -TOLD_EVERY) < TOLD_EVERY:
            return
        self._told[name] = now
        await self._store.write(lambda uow: uow.operations.audit("credential.refused", facts))


def _expiry(issued_at: int, lifetime: int, authority: ActingAuthority) -> int:
    """Epoch seconds: after the type's lifetime, and never later than the authority's last day."""
    until = issued_at + lifetime
    ends_ms = authority.valid_until_ms
    return until if ends_ms is None else min(until, ends_ms // 1000)
