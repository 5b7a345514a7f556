"""Grant Management 5: create, merge and replace by authorization request."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from oidc.errors import InvalidRequest
from oidc.provider.authorization_request import validate_without_redirect
from tests.support.asgi import post_form
from tests.support.authorize_world import APPROVAL
from tests.support.granting import MANAGER, GrantingWorld, error_of
from tests.support.provider_world import API, NOW, OTHER_API

OFFLINE = "openid offline_access"
UNKNOWN = "cid_gr_" + "x" * 43


@pytest.fixture
def world() -> GrantingWorld:
    return GrantingWorld()


def details(*actions: str, kind: str = "plain") -> str:
    return orjson.dumps([{"type": kind, "actions": list(actions)}]).decode()


def claims(*names: str) -> str:
    return orjson.dumps({"userinfo": dict.fromkeys(names)}).decode()


# 5.2, 5.5: create


async def test_gm_5_5_the_token_response_names_the_grant(world: GrantingWorld) -> None:
    told = await world.tokens(grant_management_action="create")
    assert told["grant_id"].startswith("cid_gr_")
    assert len(told["grant_id"]) == len("cid_gr_") + 43
    (grant,) = world.tables.grants.values()
    assert told["grant_id"] != grant.grant_id, "the internal id says when it was made"


async def test_gm_5_5_it_is_named_without_an_action_too(world: GrantingWorld) -> None:
    assert "grant_id" in await world.tokens()


async def test_gm_5_5_a_refresh_names_it_again(world: GrantingWorld) -> None:
    told = await world.tokens(scope=OFFLINE)
    again = (await world.refresh(told["refresh_token"])).json
    assert again["grant_id"] == told["grant_id"]


async def test_gm_5_2_each_create_is_another_grant(world: GrantingWorld) -> None:
    first = await world.tokens(grant_management_action="create")
    second = await world.tokens(grant_management_action="create")
    assert first["grant_id"] != second["grant_id"]
    assert await world.is_good(first["access_token"])


async def test_gm_5_3_the_authorization_response_does_not_name_it(world: GrantingWorld) -> None:
    assert set(await world.ask(grant_management_action="create")) == {"code", "state", "iss"}


async def test_a_client_that_is_not_registered_for_it_is_told_no_grant_id(
    world: GrantingWorld,
) -> None:
    assert "grant_id" not in await world.tokens("service")
    assert world.tables.handles == {}


# 5.4: errors


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_management_action": "create", "grant_id": UNKNOWN},
        {"grant_management_action": "merge"},
        {"grant_management_action": "replace"},
        {"grant_management_action": "update", "grant_id": UNKNOWN},
        {"grant_management_action": "query", "grant_id": UNKNOWN},
        {"grant_management_action": "Create"},
        {"grant_id": UNKNOWN},
    ],
)
async def test_gm_5_4_what_does_not_go_together_is_invalid_request(
    world: GrantingWorld, changes: dict[str, str]
) -> None:
    assert error_of(await world.ask(**changes)) == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_management_action": "create"},
        {"grant_management_action": "merge", "grant_id": UNKNOWN},
        {"grant_id": UNKNOWN},
    ],
)
async def test_a_client_must_be_registered_for_it(
    world: GrantingWorld, changes: dict[str, str]
) -> None:
    assert error_of(await world.ask("service", **changes)) == "invalid_request"


@pytest.mark.parametrize("changes", [{"grant_management_action": "create"}, {"grant_id": UNKNOWN}])
def test_requests_without_a_redirect_take_no_action(
    world: GrantingWorld, changes: dict[str, str]
) -> None:
    """What was passed over would let the client believe that a grant was changed."""
    asking = world.tables.clients[MANAGER]
    parameters = {"scope": "openid", **changes}
    with pytest.raises(InvalidRequest):
        validate_without_redirect(parameters, asking, world.provider.config, signed=False)


async def test_gm_5_1_a_public_client_manages_no_grants(world: GrantingWorld) -> None:
    world.change_client(MANAGER, token_endpoint_auth_method="none", jwks=None)
    assert error_of(await world.ask(grant_management_action="create")) == "invalid_request"


@pytest.mark.parametrize("action", ["merge", "replace"])
@pytest.mark.parametrize("grant_id", [UNKNOWN, "x", "cid_gr_" + "é" * 43, "cid_gr_" + "x" * 5000])
async def test_gm_5_4_an_unknown_grant_is_invalid_grant_id(
    world: GrantingWorld, action: str, grant_id: str
) -> None:
    given = await world.ask(grant_management_action=action, grant_id=grant_id)
    assert error_of(given) == "invalid_grant_id"


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_gm_5_4_the_internal_id_is_no_grant_id(world: GrantingWorld, action: str) -> None:
    await world.tokens()
    (internal,) = world.tables.grants
    given = await world.ask(grant_management_action=action, grant_id=internal)
    assert error_of(given) == "invalid_grant_id"


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_gm_5_2_another_clients_grant_is_invalid_grant_id(
    world: GrantingWorld, action: str
) -> None:
    told = await world.tokens("rival")
    given = await world.ask(grant_management_action=action, grant_id=told["grant_id"])
    assert error_of(given) == "invalid_grant_id"
    assert await world.is_good(told["access_token"])


@pytest.mark.parametrize("action", ["merge", "replace"])
@pytest.mark.parametrize(
    "other", [{"actor": "person-2"}, {"subject": "org-2"}, {"subject": "org-2", "actor": "p-2"}]
)
async def test_only_the_same_person_for_the_same_organisation(
    world: GrantingWorld, action: str, other: dict[str, str]
) -> None:
    told = await world.tokens(scope=OFFLINE)
    world.agreeing.who = replace(APPROVAL, **other)  # type: ignore[arg-type]
    given = await world.ask(grant_management_action=action, grant_id=told["grant_id"])
    assert error_of(given) == "invalid_grant_id"
    assert await world.is_good(told["access_token"])
    assert (await world.refresh(told["refresh_token"])).status == 200


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_a_grant_that_is_over_is_invalid_grant_id(world: GrantingWorld, action: str) -> None:
    told = await world.tokens(scope=OFFLINE)
    answer = await post_form(
        world.revocation_endpoint,
        {"token": told["refresh_token"], **await world.proving(MANAGER)},
    )
    assert answer.status == 200
    given = await world.ask(grant_management_action=action, grant_id=told["grant_id"])
    assert error_of(given) == "invalid_grant_id"


async def test_an_expired_grant_is_invalid_grant_id(world: GrantingWorld) -> None:
    told = await world.tokens()
    world.now = NOW + 3600
    given = await world.ask(grant_management_action="merge", grant_id=told["grant_id"])
    assert error_of(given) == "invalid_grant_id"


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_gm_5_4_a_pushed_request_is_checked_when_it_is_pushed(
    world: GrantingWorld, action: str
) -> None:
    form = world.parameters(MANAGER, grant_management_action=action, grant_id=UNKNOWN)
    refused = await post_form(world.par_endpoint, {**form, **await world.proving(MANAGER)})
    assert (refused.status, refused.error) == (400, "invalid_grant_id")
    told = await world.tokens()
    form["grant_id"] = told["grant_id"]
    pushed = await post_form(world.par_endpoint, {**form, **await world.proving(MANAGER)})
    assert pushed.status == 201
    answer = await world.get_pushed(pushed.json["request_uri"], MANAGER)
    assert "code=" in (answer.header("location") or "")


# 5.2: replace


async def test_gm_5_2_replace_is_only_what_is_asked_for_now(world: GrantingWorld) -> None:
    before = await world.tokens(
        scope=f"{OFFLINE} mandate",
        resource=API,
        claims=claims("name"),
        authorization_details=details("read"),
    )
    after = await world.tokens(
        scope="openid",
        grant_management_action="replace",
        grant_id=before["grant_id"],
    )
    assert after["grant_id"] == before["grant_id"]
    assert (after["scope"], after.get("authorization_details")) == ("openid", None)
    (now,) = (one for one in world.tables.grants.values() if one.ended_at is None)
    assert (now.scope, now.resource, now.claims) == (("openid",), (), {})


async def test_gm_5_2_replace_ends_the_tokens_before_in_the_same_transaction(
    world: GrantingWorld,
) -> None:
    before = await world.tokens(scope=OFFLINE)
    given = await world.ask(grant_management_action="replace", grant_id=before["grant_id"])
    assert not await world.is_good(before["access_token"]), "before the code is even redeemed"
    assert (await world.refresh(before["refresh_token"])).error == "invalid_grant"
    answer = await world.redeem(given["code"], MANAGER)
    assert await world.is_good(answer.json["access_token"])
    event = [one for one in world.tables.events if one.event == "authorization.granted"][-1]
    assert event.facts["grant_management_action"] == "replace"
    assert set(world.tables.end_reasons.values()) == {"replaced"}


async def test_a_code_of_the_grant_before_is_worth_nothing_any_more(world: GrantingWorld) -> None:
    told = await world.tokens()
    pending = await world.ask(grant_management_action="merge", grant_id=told["grant_id"])
    await world.tokens(grant_management_action="replace", grant_id=told["grant_id"])
    assert (await world.redeem(pending["code"], MANAGER)).error == "invalid_grant"


async def test_a_refused_request_leaves_the_grant_as_it_is(world: GrantingWorld) -> None:
    told = await world.tokens()
    given = await world.ask(
        grant_management_action="replace", grant_id=told["grant_id"], scope="unknown"
    )
    assert error_of(given) == "invalid_scope"
    assert await world.is_good(told["access_token"])


# 5.2: merge


async def test_gm_5_2_merge_has_what_was_there_and_what_is_new(world: GrantingWorld) -> None:
    before = await world.tokens(
        scope=OFFLINE,
        resource=API,
        claims=claims("name"),
        authorization_details=details("read"),
    )
    after = await world.ask(
        scope="mandate",
        resource=OTHER_API,
        claims=claims("email"),
        authorization_details=details("write"),
        grant_management_action="merge",
        grant_id=before["grant_id"],
    )
    answer = await world.redeem(after["code"], MANAGER, resource=OTHER_API)
    assert answer.json["grant_id"] == before["grant_id"]
    assert answer.json["scope"] == "openid offline_access mandate"
    assert [one["actions"] for one in answer.json["authorization_details"]] == [["read"], ["write"]]
    (now,) = (one for one in world.tables.grants.values() if one.ended_at is None)
    assert now.resource == (API, OTHER_API)
    assert set(now.claims["userinfo"]) == {"name", "email"}
    again = await world.refresh(answer.json["refresh_token"], resource=API)
    assert again.status == 200


async def test_gm_5_2_merge_ends_the_refresh_tokens_before(world: GrantingWorld) -> None:
    before = await world.tokens(scope=OFFLINE)
    await world.ask(grant_management_action="merge", grant_id=before["grant_id"])
    assert (await world.refresh(before["refresh_token"])).error == "invalid_grant"


async def test_the_person_is_asked_for_the_whole_that_comes_of_a_merge(
    world: GrantingWorld,
) -> None:
    before = await world.tokens(scope=OFFLINE, authorization_details=details("read"))
    await world.ask(scope="mandate", grant_management_action="merge", grant_id=before["grant_id"])
    asked = world.agreeing.requests[-1]
    assert asked.scope == ("openid", "offline_access", "mandate")
    assert asked.authorization_details == ({"type": "plain", "actions": ["read"]},)
    assert asked.amends is not None


async def test_what_the_client_may_not_have_any_more_is_not_carried_over(
    world: GrantingWorld,
) -> None:
    before = await world.tokens(
        scope="openid mandate", resource=API, authorization_details=details("read")
    )
    world.change_client(
        MANAGER,
        scopes=frozenset({"openid"}),
        resources=frozenset(),
        authorization_details_types=frozenset(),
    )
    after = await world.tokens(grant_management_action="merge", grant_id=before["grant_id"])
    assert after["scope"] == "openid"
    assert "authorization_details" not in after


async def test_the_same_again_is_there_once(world: GrantingWorld) -> None:
    before = await world.tokens(authorization_details=details("read"))
    after = await world.tokens(
        authorization_details=details("read"),
        grant_management_action="merge",
        grant_id=before["grant_id"],
    )
    assert len(after["authorization_details"]) == 1


async def test_a_grant_does_not_grow_without_bound(world: GrantingWorld) -> None:
    many: list[Any] = [{"type": "plain", "actions": [str(number)]} for number in range(20)]
    before = await world.tokens(authorization_details=orjson.dumps(many).decode())
    given = await world.ask(
        authorization_details=details("one more"),
        grant_management_action="merge",
        grant_id=before["grant_id"],
    )
    assert error_of(given) == "invalid_request"
    wide = await world.tokens(claims=claims(*(f"claim-{number}" for number in range(100))))
    given = await world.ask(
        claims=claims("another"), grant_management_action="merge", grant_id=wide["grant_id"]
    )
    assert error_of(given) == "invalid_request"


async def test_a_merge_of_a_merge_keeps_the_name(world: GrantingWorld) -> None:
    first = await world.tokens(scope="openid")
    for scope in ("mandate", "entity.identity"):
        told = await world.tokens(
            scope=scope, grant_management_action="merge", grant_id=first["grant_id"]
        )
    assert told["scope"] == "openid mandate entity.identity"
    assert told["grant_id"] == first["grant_id"]
