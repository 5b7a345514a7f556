"""Grants that are changed and ended at the same moment: on both databases, by two processes."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support import stored
from tests.support.granting import MANAGER, GrantingWorld
from tests.support.provider_world import API, NOW, OTHER_API, REDIRECT, key

ROUNDS = 6


@pytest.fixture
async def worlds(database_url: str) -> AsyncIterator[list[GrantingWorld]]:
    databases = [await open_database(database_url) for _ in range(2)]
    stores = [SqlStore(database, lambda: NOW, secrets.token_bytes) for database in databases]
    record = stored.client(
        MANAGER,
        sector="manager.example",
        metadata={
            "profile": "oidc",
            "redirect_uris": [REDIRECT],
            "scope": "openid mandate entity.identity offline_access",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [dict(key(MANAGER).public_jwk)]},
            "resources": [API, OTHER_API],
            "grant_management": True,
        },
    )
    await stores[0].write(lambda uow: uow.clients.add(record))
    yield [GrantingWorld(store=store.provider) for store in stores]
    for database in databases:
        await database.close()


async def test_create_merge_query_and_delete(worlds: list[GrantingWorld]) -> None:
    first, second = worlds
    told = await first.tokens(scope="openid offline_access", resource=API)
    merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
    merged = await second.tokens(scope="mandate", **merging)
    assert merged["scope"] == "openid offline_access mandate"
    assert merged["grant_id"] == told["grant_id"]
    assert (await first.refresh(told["refresh_token"])).error == "invalid_grant"
    shown = await first.manage("GET", told["grant_id"])
    assert shown.json["scopes"][0]["resource"] == [API]
    assert (await second.manage("DELETE", told["grant_id"])).status == 204
    assert (await first.refresh(merged["refresh_token"])).error == "invalid_grant"
    assert (await first.manage("GET", told["grant_id"])).status == 404
    assert (await first.ask(**merging))["error"] == "invalid_grant_id"


async def test_of_two_merges_at_once_nothing_is_lost(worlds: list[GrantingWorld]) -> None:
    first, second = worlds
    for _ in range(ROUNDS):
        told = await first.tokens()
        merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
        answers = await asyncio.gather(
            first.ask(scope="mandate", **merging), second.ask(scope="entity.identity", **merging)
        )
        shown = (await first.manage("GET", told["grant_id"])).json["scopes"][0]["scope"]
        for given, scope in zip(answers, ("mandate", "entity.identity"), strict=True):
            # Who came too late is told so; who was not is in the grant.
            assert ("code" in given) == (scope in shown.split())
            assert given.get("error") in (None, "invalid_grant_id")
        assert any("code" in given for given in answers)


async def test_two_replacements_at_once_leave_one_grant(worlds: list[GrantingWorld]) -> None:
    for _ in range(ROUNDS):
        told = await worlds[0].tokens()
        replacing = {"grant_management_action": "replace", "grant_id": told["grant_id"]}
        answers = await asyncio.gather(
            *(world.ask(scope="openid offline_access", **replacing) for world in worlds)
        )
        redeemed = [
            await worlds[0].redeem(given["code"], MANAGER) for given in answers if "code" in given
        ]
        assert sum(one.status == 200 for one in redeemed) == 1


async def test_delete_and_merge_at_once_leave_nothing_behind(worlds: list[GrantingWorld]) -> None:
    first, second = worlds
    for _ in range(ROUNDS):
        told = await first.tokens()
        merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
        ended, given = await asyncio.gather(
            first.manage("DELETE", told["grant_id"]), second.ask(scope="mandate", **merging)
        )
        assert ended.status == 204, "the client said that it ends, whichever grant it is now"
        if "code" in given:
            answer = await first.redeem(given["code"], MANAGER)
            assert answer.error == "invalid_grant"
        assert (await first.manage("GET", told["grant_id"])).status == 404


async def test_delete_and_redemption_at_once_leave_no_token(worlds: list[GrantingWorld]) -> None:
    first, second = worlds
    for _ in range(ROUNDS):
        told = await first.tokens()
        merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
        given = await first.ask(scope="openid offline_access", **merging)
        ended, redeemed = await asyncio.gather(
            second.manage("DELETE", told["grant_id"]), first.redeem(given["code"], MANAGER)
        )
        assert ended.status == 204
        if redeemed.status == 200:
            assert not await first.is_good(redeemed.json["access_token"])
            refreshed = await first.refresh(redeemed.json["refresh_token"])
            assert refreshed.error == "invalid_grant"
