"""An authorization request that an interaction keeps, read again as it counts now."""

from collections.abc import Mapping
from typing import Any

from corpid.services.ports import UnitOfWork
from corpid.services.records import Interaction
from oidc.ports import AuthorizationRequest
from oidc.provider import managed_grants
from oidc.provider.authorization_request import validate
from oidc.provider.context import ProviderConfig
from oidc.records import Client


async def read_again(
    uow: UnitOfWork,
    record: Interaction,
    kept: Mapping[str, Any],
    client: Client,
    config: ProviderConfig,
    now_ms: int,
) -> AuthorizationRequest:
    """The request, by the registration of now; with the grant that it wants to change.

    Raises:
        OAuthError: it is no longer allowed: the registration has changed, or the grant is over.
    """
    request = await validate(
        kept["parameters"],
        client,
        config,
        dpop_jkt=kept["dpop_jkt"],
        pushed_request_hash=record.pushed_request_hash,
    )
    if request.grant_id is None:
        return request
    return await managed_grants.resolved(request, uow.provider_reads, config, now_ms)
