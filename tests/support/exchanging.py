"""Token exchange requests (RFC 8693) against the authorization server of a test."""

import json
from typing import Any

from keys import base64url
from oidc.records import AccessToken
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import API, NOW, TOKEN_EXCHANGE, World, without_none

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
NOW_MS = NOW * 1000


async def token_of(world: World, grant_id: str, client_id: str = "service", **changes: Any) -> str:
    """An access token of that grant, stored as the token endpoint stores it."""
    value = f"cid_at_{grant_id}-{len(world.tables.access_tokens)}"
    given: dict[str, Any] = {
        "token_hash": world.hash(value),
        "grant_id": grant_id,
        "client_id": client_id,
        "scope": ("openid", "mandate"),
        "audience": API,
        "jkt": None,
        "issued_at": NOW_MS,
        "expires_at": NOW_MS + 300_000,
    }
    row = AccessToken(**{**given, **changes})
    await world.store.write(lambda writes: writes.add_access_token(row))
    return value


async def subject_token(world: World, **changes: Any) -> str:
    """The business org-1, for which person-1 acts."""
    if "g1" not in world.tables.grants:
        await world.add_grant("g1", client_id=changes.get("client_id", "service"))
    return await token_of(world, "g1", **changes)


async def actor_token(world: World, **changes: Any) -> str:
    """The firm org-9, for which person-9 acts."""
    if "g9" not in world.tables.grants:
        await world.add_grant(
            "g9", client_id="service", subject="org-9", actor="person-9", authority="rep-9"
        )
    return await token_of(world, "g9", **changes)


async def exchange(
    world: World, token: str, *headers: tuple[bytes, bytes], client_id: str = "service", **form: Any
) -> Answer:
    sent = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        **form,
    }
    return await world.token(client_id, without_none(sent), *headers)


async def delegated(world: World, **form: Any) -> Answer:
    acting = {"actor_token": await actor_token(world), "actor_token_type": ACCESS_TOKEN}
    return await exchange(world, await subject_token(world), **{**acting, **form})


async def introspected(world: World, token: str, client_id: str = "api") -> dict[str, Any]:
    sent = {**await world.proving(client_id), "token": token}
    return (await post_form(world.introspection_endpoint, sent)).json


def claims_of(answer: Answer) -> dict[str, Any]:
    payload = str(answer.json["access_token"]).split(".")[1]
    found: dict[str, Any] = json.loads(base64url.decode(payload))
    return found
