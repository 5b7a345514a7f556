"""Grant Management 6: a client queries and ends its grants, with a token of its own."""

import orjson
import pytest

from oidc.provider.metadata import provider_metadata
from tests.support.asgi import Answer, call
from tests.support.granting import MANAGER, QUERY, REVOKE, GrantingWorld
from tests.support.provider_world import API, ISSUER, NOW, OTHER_API

OFFLINE = "openid offline_access"
UNKNOWN = "cid_gr_" + "x" * 43


@pytest.fixture
def world() -> GrantingWorld:
    return GrantingWorld()


# 6.1: the access token


async def test_gm_6_1_a_client_asks_for_a_token_of_its_own(world: GrantingWorld) -> None:
    answer = await world.own_token(f"{QUERY} {REVOKE}")
    assert answer.json["scope"] == f"{QUERY} {REVOKE}"
    (row,) = world.tables.access_tokens.values()
    assert (row.grant_id, row.client_id, row.audience) == (None, MANAGER, "")


@pytest.mark.parametrize("resource", [ISSUER, f"{ISSUER}/grants"])
async def test_gm_6_1_the_api_may_be_named(world: GrantingWorld, resource: str) -> None:
    assert (await world.own_token(QUERY, resource=resource)).status == 200


async def test_gm_6_1_not_for_another_api(world: GrantingWorld) -> None:
    assert (await world.own_token(QUERY, resource=API)).error == "invalid_target"


async def test_gm_6_1_not_with_other_scopes(world: GrantingWorld) -> None:
    answer = await world.own_token(f"{QUERY} payments", resource=API)
    assert answer.error == "invalid_scope"


async def test_gm_6_1_only_for_a_client_that_is_registered_for_it(world: GrantingWorld) -> None:
    assert (await world.own_token(QUERY, "service")).error == "invalid_target"
    assert (await world.own_token(QUERY, "service", resource=API)).error == "invalid_scope"


async def test_gm_6_1_no_person_is_asked_for_these_scopes(world: GrantingWorld) -> None:
    told = await world.tokens(scope=f"openid {QUERY} {REVOKE}")
    assert told["scope"] == "openid"


async def test_the_clients_own_token_opens_nothing_else(world: GrantingWorld) -> None:
    token = (await world.own_token(f"{QUERY} {REVOKE}")).json["access_token"]
    bearer = (b"authorization", f"Bearer {token}".encode())
    assert (await world.userinfo("GET", bearer)).error == "insufficient_scope"


# 6.4: query


async def test_gm_6_4_what_was_agreed_to(world: GrantingWorld) -> None:
    wanted = orjson.dumps({"userinfo": {"name": None}, "id_token": {"email": None}}).decode()
    told = await world.tokens(
        scope=OFFLINE,
        resource=API,
        claims=wanted,
        authorization_details=orjson.dumps([{"type": "plain", "actions": ["read"]}]).decode(),
    )
    answer = await world.manage("GET", told["grant_id"], scope=QUERY)
    assert answer.status == 200
    assert answer.header("cache-control") == "no-store"
    assert answer.json == {
        "scopes": [{"scope": OFFLINE, "resource": [API]}],
        "claims": ["email", "name"],
        "authorization_details": [
            {"type": "plain", "actions": ["read"], "granted": True, "read_by": "manager.example"}
        ],
        "created_at": NOW,
        "last_updated": NOW,
        "expires_at": answer.json["expires_at"],
        "updated_by": "client",
    }
    assert answer.json["expires_at"] > NOW


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_gm_6_4_when_it_was_made_and_changed_last(world: GrantingWorld, action: str) -> None:
    told = await world.tokens()
    for _ in range(2):
        world.now += 60
        change = {"grant_management_action": action, "grant_id": told["grant_id"]}
        assert "code" in await world.ask(**change)
    answer = (await world.manage("GET", told["grant_id"])).json
    assert (answer["created_at"], answer["last_updated"]) == (NOW, NOW + 120)


async def test_gm_6_4_neither_tokens_nor_the_person_are_shown(world: GrantingWorld) -> None:
    told = await world.tokens(scope=OFFLINE)
    answer = await world.manage("GET", told["grant_id"])
    for secret in (told["access_token"], told["refresh_token"], "person-1", "org-1", "mandate-1"):
        assert secret not in answer.body.decode()


async def test_gm_6_4_after_a_merge_it_is_what_came_of_it(world: GrantingWorld) -> None:
    told = await world.tokens(resource=API)
    merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
    await world.ask(scope="mandate", resource=OTHER_API, **merging)
    answer = await world.manage("GET", told["grant_id"])
    assert answer.json["scopes"] == [{"scope": "openid mandate", "resource": [API, OTHER_API]}]


# 6.5: revoke


async def test_gm_6_5_delete_ends_the_grant_and_all_its_tokens(world: GrantingWorld) -> None:
    told = await world.tokens(scope=OFFLINE)
    other = await world.tokens(scope=OFFLINE)
    answer = await world.manage("DELETE", told["grant_id"], scope=REVOKE)
    assert (answer.status, answer.body) == (204, b"")
    assert not await world.is_good(told["access_token"])
    assert (await world.refresh(told["refresh_token"])).error == "invalid_grant"
    assert await world.is_good(other["access_token"]), "the client's other grants stay"
    assert (await world.manage("GET", told["grant_id"])).status == 404
    event = next(one for one in world.tables.events if one.event == "grant.revoked")
    assert event.facts["client_id"] == MANAGER
    assert told["grant_id"] not in str(event.facts)


async def test_gm_6_5_a_code_that_waits_is_worth_nothing_after_it(world: GrantingWorld) -> None:
    told = await world.tokens()
    merging = {"grant_management_action": "merge", "grant_id": told["grant_id"]}
    given = await world.ask(**merging)
    assert (await world.manage("DELETE", told["grant_id"])).status == 204
    assert (await world.redeem(given["code"], MANAGER)).error == "invalid_grant"
    assert (await world.ask(**merging))["error"] == "invalid_grant_id"


# 6.6: errors


def refused(answer: Answer, status: int, error: str) -> None:
    assert (answer.status, answer.error) == (status, error)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_gm_6_6_without_a_token_401(world: GrantingWorld, method: str) -> None:
    told = await world.tokens()
    refused(await world.manage(method, told["grant_id"], headers=()), 401, "invalid_token")
    bearer = ((b"authorization", b"Bearer cid_at_unknown"),)
    refused(await world.manage(method, told["grant_id"], headers=bearer), 401, "invalid_token")
    assert await world.is_good(told["access_token"])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_gm_6_6_a_persons_token_is_403(world: GrantingWorld, method: str) -> None:
    told = await world.tokens()
    bearer = ((b"authorization", f"Bearer {told['access_token']}".encode()),)
    answer = await world.manage(method, told["grant_id"], headers=bearer)
    refused(answer, 403, "insufficient_scope")
    assert await world.is_good(told["access_token"])


@pytest.mark.parametrize(("method", "scope"), [("GET", REVOKE), ("DELETE", QUERY)])
async def test_gm_6_1_each_act_has_its_scope(world: GrantingWorld, method: str, scope: str) -> None:
    told = await world.tokens()
    answer = await world.manage(method, told["grant_id"], scope=scope)
    refused(answer, 403, "insufficient_scope")
    assert await world.is_good(told["access_token"])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("handle", [UNKNOWN, "", "x", "cid_gr_\0", "../token", "é" * 50])
async def test_gm_6_6_an_unknown_grant_is_404(
    world: GrantingWorld, method: str, handle: str
) -> None:
    refused(await world.manage(method, handle), 404, "invalid_grant_id")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_gm_6_6_the_internal_id_is_404(world: GrantingWorld, method: str) -> None:
    await world.tokens()
    (internal,) = world.tables.grants
    refused(await world.manage(method, internal), 404, "invalid_grant_id")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_gm_6_6_another_clients_grant_is_403(world: GrantingWorld, method: str) -> None:
    told = await world.tokens("rival")
    refused(await world.manage(method, told["grant_id"]), 403, "access_denied")
    assert await world.is_good(told["access_token"])


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_gm_6_6_a_client_that_may_no_more_is_403(world: GrantingWorld, method: str) -> None:
    told = await world.tokens()
    token = (await world.own_token(f"{QUERY} {REVOKE}")).json["access_token"]
    world.change_client(MANAGER, grant_management=False)
    bearer = ((b"authorization", f"Bearer {token}".encode()),)
    refused(await world.manage(method, told["grant_id"], headers=bearer), 403, "access_denied")
    assert await world.is_good(told["access_token"])


async def test_a_second_delete_is_404(world: GrantingWorld) -> None:
    told = await world.tokens()
    assert (await world.manage("DELETE", told["grant_id"])).status == 204
    refused(await world.manage("DELETE", told["grant_id"]), 404, "invalid_grant_id")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_there_are_no_other_methods(world: GrantingWorld, method: str) -> None:
    assert (await call(world.grants_endpoint, method, path=f"/grants/{UNKNOWN}")).status == 405


# RFC 9449: tokens that are bound to a key


async def bound(world: GrantingWorld) -> str:
    form = {"grant_type": "client_credentials", "scope": f"{QUERY} {REVOKE}"}
    answer = await world.token("guarded", form, await world.proof())
    assert answer.json["token_type"] == "DPoP"
    return str(answer.json["access_token"])


async def test_rfc9449_a_fapi_client_gets_no_token_without_a_proof(world: GrantingWorld) -> None:
    assert (await world.own_token(QUERY, "guarded")).error == "invalid_dpop_proof"


async def test_rfc9449_7_the_proof_is_for_the_grants_own_address_and_counts_once(
    world: GrantingWorld,
) -> None:
    await world.add_grant(client_id="guarded", handle=UNKNOWN)
    world.tables.handles[UNKNOWN] = "g1"
    token = await bound(world)
    dpop = (b"authorization", f"DPoP {token}".encode())
    bearer = (b"authorization", f"Bearer {token}".encode())
    refused(await world.manage("GET", UNKNOWN, headers=(bearer,)), 401, "invalid_token")
    elsewhere = await world.proof(path="/grants/other", method="GET", token=token)
    answer = await world.manage("GET", UNKNOWN, headers=(dpop, elsewhere))
    refused(answer, 401, "invalid_dpop_proof")
    proof = await world.proof(path=f"/grants/{UNKNOWN}", method="GET", token=token)
    assert (await world.manage("GET", UNKNOWN, headers=(dpop, proof))).status == 200
    refused(await world.manage("GET", UNKNOWN, headers=(dpop, proof)), 401, "invalid_dpop_proof")
    proof = await world.proof(path=f"/grants/{UNKNOWN}", method="DELETE", token=token)
    assert (await world.manage("DELETE", UNKNOWN, headers=(dpop, proof))).status == 204


# 7.1


def test_gm_7_1_discovery(world: GrantingWorld) -> None:
    document = provider_metadata(world.provider.config)
    assert document["grant_management_endpoint"] == f"{ISSUER}/grants"
    actions = document["grant_management_actions_supported"]
    assert set(actions) == {"query", "revoke", "create", "merge", "replace"}
    assert document["grant_management_action_required"] is False
    assert {QUERY, REVOKE} <= set(document["scopes_supported"])
