"""Issuances that wait for an operator's yes: which ones do, and the yes or no itself."""

from dataclasses import dataclass
from typing import Final

from corpid.domain.errors import NotAllowed, NotFound
from corpid.domain.issuance import Reason, Refusal
from corpid.services.credential_facts import Denied
from corpid.services.deferred import DeferredIssuance
from corpid.services.ports import Store, UnitOfWork
from keys.clock import Clock
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.ports import Deferral, DeferralState
from oidc.records import Grant

LIFETIME_MS: Final = 30 * 24 * 3600 * 1000
"""How long an issuance waits, and an approved one for its wallet."""
MOST_WAITING: Final = 10
"""Of one person: more would fill the operator's list."""
_TOO_MANY: Final = Refusal(
    Reason.TOO_MANY_WAIT, "too many requests of this person wait for an answer already"
)


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Which credentials wait: a type's id, or ``type@client_id`` for one wallet's client."""

    names: frozenset[str] = frozenset()

    def demands(self, grant: Grant, configuration: CredentialConfiguration) -> bool:
        """Whether this one does."""
        if not self.names:
            return False
        kind = configuration.description.type_id
        return kind in self.names or f"{kind}@{grant.client_id}" in self.names


async def keep(uow: UnitOfWork, deferral: Deferral, now_ms: int) -> str:
    """Keep what waits, inside a write; the id of an earlier one for the same keys, if there is one.

    Raises:
        CredentialRequestDenied: the person waits for too many already.
    """
    waiting = await uow.deferred_issuances.open_of(deferral.actor, now_ms)
    made = DeferredIssuance(
        deferral_id=deferral.deferral_id,
        client_id=deferral.client_id,
        organisation_id=deferral.subject,
        person_id=deferral.actor,
        configuration_id=deferral.configuration_id,
        dataset=deferral.dataset,
        holders=deferral.holders,
        state=DeferralState.WAITING,
        created_at=deferral.created_at,
        expires_at=deferral.created_at + LIFETIME_MS,
    )
    for one in waiting:
        if _asked(one) == _asked(made):
            return one.deferral_id
    if len(waiting) >= MOST_WAITING:
        raise Denied(_TOO_MANY, _facts_of(made))
    await uow.deferred_issuances.add(made)
    await uow.operations.audit("issuance.deferred", _facts_of(made))
    return made.deferral_id


class Deferrals:
    """What an operator does with what waits."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, *, everything: bool, limit: int) -> list[DeferredIssuance]:
        """Those that wait, the oldest first; or all that are kept."""
        now_ms = None if everything else int(self._clock() * 1000)
        return await self._store.read.deferred_issuances.find(now_ms, limit)

    async def approve(self, deferral_id: str, actor: str, reason: str) -> DeferredIssuance:
        """Say yes: the wallet gets it when it asks again, if its holder may have it then.

        Raises:
            NotFound: there is none of that id.
            NotAllowed: it does not wait any more.
        """
        return await self._decide(deferral_id, DeferralState.APPROVED, actor, reason)

    async def deny(self, deferral_id: str, actor: str, reason: str) -> DeferredIssuance:
        """Say no; see ``approve``. The reason is for us: the wallet is told nothing of it."""
        return await self._decide(deferral_id, DeferralState.DENIED, actor, reason)

    async def _decide(
        self, deferral_id: str, state: DeferralState, actor: str, reason: str
    ) -> DeferredIssuance:
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> DeferredIssuance:
            waiting = uow.deferred_issuances
            decided = await waiting.decide(deferral_id, state, now_ms, actor, reason)
            found = await waiting.by_id(deferral_id)
            if found is None:
                raise NotFound(f"there is no issuance {deferral_id} that waits")
            if not decided:
                raise NotAllowed(f"it does not wait any more: {found.seen(now_ms).state}")
            facts = {**_facts_of(found), "actor": actor, "reason": reason}
            await uow.operations.audit(f"issuance.{state}", facts)
            return found

        return await self._store.write(work)


def _asked(one: DeferredIssuance) -> tuple[object, ...]:
    keys = sorted(str(sorted(jwk.items())) for jwk in one.holders)
    return one.client_id, one.organisation_id, one.configuration_id, one.dataset, keys


def _facts_of(one: DeferredIssuance) -> dict[str, object]:
    return {
        "deferral_id": one.deferral_id,
        "configuration_id": one.configuration_id,
        "organisation_id": one.organisation_id,
        "person_id": one.person_id,
        "client_id": one.client_id,
        "keys": len(one.holders),
    }
