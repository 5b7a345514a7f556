"""Issuances that wait for an operator, as they are kept, and the port to where."""

from collections.abc import Mapping
from typing import Protocol

from keys.record import record
from oidc.issuer.ports import Deferral, DeferralState


@record
class DeferredIssuance:
    """One of them. Instants in epoch ms; ``holders`` are the public JWKs of the wallet's keys.

    ``dataset`` is that of ``Deferral``.
    """

    deferral_id: str
    client_id: str
    organisation_id: str
    person_id: str
    configuration_id: str
    dataset: str
    holders: tuple[Mapping[str, str], ...]
    state: DeferralState
    created_at: int
    expires_at: int
    decided_at: int | None = None
    taken_at: int | None = None
    decided_by: str = ""
    reason: str = ""

    def seen(self, now_ms: int) -> Deferral:
        """As the issuer sees it now."""
        over = self.taken_at is not None or now_ms >= self.expires_at
        return Deferral(
            deferral_id=self.deferral_id,
            client_id=self.client_id,
            subject=self.organisation_id,
            actor=self.person_id,
            configuration_id=self.configuration_id,
            dataset=self.dataset,
            holders=self.holders,
            state=DeferralState.OVER if over else self.state,
            created_at=self.created_at,
        )


class DeferredIssuances(Protocol):
    """Those that wait, and those that were decided upon."""

    async def by_id(self, deferral_id: str) -> DeferredIssuance | None:
        """One, whatever became of it."""

    async def open_of(self, person_id: str, now_ms: int) -> list[DeferredIssuance]:
        """Those of a person that are neither obtained, denied, nor over; the oldest first.

        Inside a write, nobody else adds one for that person until it is over.
        """

    async def find(self, now_ms: int | None, limit: int) -> list[DeferredIssuance]:
        """The oldest first; with ``now_ms`` only those that still wait then."""

    async def add(self, one: DeferredIssuance) -> None:
        """Add one."""

    async def decide(
        self, deferral_id: str, state: DeferralState, now_ms: int, by: str, reason: str
    ) -> bool:
        """Approve or deny it; False when it does not wait any more."""

    async def take(self, deferral_id: str, now_ms: int) -> bool:
        """Claim what was approved; False when it was taken, or is over."""
