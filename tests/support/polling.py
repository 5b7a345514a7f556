"""A person's answer to a request that waits for one, without the pages."""

from typing import Any

from oidc.ports import Approval
from oidc.provider import polled
from oidc.provider.authorization_request import validate_without_redirect
from oidc.records import PolledRequest
from tests.support.provider_world import ISSUER, NOW, World


def approval(**changes: Any) -> Approval:
    given: dict[str, Any] = {
        "subject": "org-1",
        "actor": "person-1",
        "authority": "mandate-1",
        "session_id": "session-1",
        "scope": ("openid", "mandate"),
        "acr": f"{ISSUER}/acr/loa2",
        "amr": ("pwd", "otp"),
        "auth_time": NOW - 30,
        "expires_at": NOW * 1000 + 3_600_000,
    }
    return Approval(**{**given, **changes})


async def row_of(world: World, code: str) -> PolledRequest:
    found = await world.store.read.polled_request(world.hash(code))
    assert found is not None
    row: PolledRequest = found[0]
    return row


async def say_yes(world: World, code: str, **changes: Any) -> None:
    row = await row_of(world, code)
    client = await world.store.read.client(row.client_id)
    request = validate_without_redirect(row.parameters, client, world.provider.config, signed=True)
    await world.store.write(
        polled.approved(
            world.provider, request, approval(**{"scope": request.scope, **changes}), row
        )
    )


async def say_no(world: World, code: str) -> None:
    await world.store.write(polled.refused(world.provider, await row_of(world, code)))
