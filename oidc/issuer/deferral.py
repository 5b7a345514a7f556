"""Issuances that wait, for a yes that no program gives (OpenID4VCI 1.0, 8.3 and 9)."""

from typing import Any, Final

from oidc.errors import OAuthError
from oidc.issuer.context import Issuer
from oidc.issuer.credential_request import dataset_of
from oidc.issuer.issuing import Wanted, burn, decide
from oidc.issuer.ports import Deferral, DeferralState, IssuerWrites
from oidc.issuer.proved_id import transaction_id
from oidc.protected_resource import replayed
from oidc.secrets import new_grant_id

INTERVAL_SECONDS: Final = 60
"""What a wallet waits at least before it asks again."""


def waiting(deferral_id: str, issuer: Issuer) -> dict[str, Any]:
    """The members of a response 202."""
    return {
        "transaction_id": transaction_id(deferral_id, issuer.hasher),
        "interval": INTERVAL_SECONDS,
    }


async def defer(issuer: Issuer, wanted: Wanted) -> dict[str, Any]:
    """Let a checked request wait, and return the response's members.

    What would be refused now does not wait. A request that waits already is the same one.

    Raises:
        CredentialRequestDenied: this holder may not have it, or waits for too much already.
    """
    await decide(issuer, wanted, 0)
    order = wanted.order
    grant, now_ms = order.grant, int(order.now * 1000)
    deferral = Deferral(
        deferral_id=new_grant_id(now_ms, issuer.random),
        client_id=grant.client_id,
        subject=grant.subject or "",
        actor=grant.actor or "",
        configuration_id=order.configuration.configuration_id,
        dataset=dataset_of(order.configuration, grant),
        holders=tuple(one.members for one in order.holders),
        state=DeferralState.WAITING,
        created_at=now_ms,
    )

    async def work(writes: IssuerWrites) -> str | OAuthError:
        if not await burn(wanted.presented, writes):
            return replayed()
        return await writes.defer(deferral)

    kept = await issuer.store.write(work)
    if isinstance(kept, OAuthError):
        raise kept
    return waiting(kept, issuer)
