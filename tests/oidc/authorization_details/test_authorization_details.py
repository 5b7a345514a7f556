"""RFC 9396: what all types of authorization details share, from the request to introspection."""

from typing import Any

import orjson
import pytest

from keys import jwt
from oidc.errors import OAuthError
from oidc.provider.authorization_details import MAX_DETAILS, MAX_TEXT
from oidc.provider.authorization_request import validate
from oidc.provider.context import ProviderConfig
from oidc.provider.metadata import provider_metadata
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import (
    API,
    DETAIL_TYPES,
    ISSUER,
    OTHER_API,
    REDIRECT,
    SCOPES,
    World,
    challenge,
    client,
    without_none,
)

CONFIG = ProviderConfig(
    issuer=ISSUER, scopes=SCOPES, acr_values=(f"{ISSUER}/acr/loa1",), detail_types=DETAIL_TYPES
)
PLAIN = {"type": "plain", "actions": ["read", "write"]}
GRANTED = {**PLAIN, "granted": True}


async def request_of(details: Any, **changes: Any) -> Any:
    usual = {
        "response_type": "code",
        "client_id": "service",
        "redirect_uri": REDIRECT,
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        "authorization_details": details
        if isinstance(details, str)
        else orjson.dumps(details).decode(),
    }
    parameters = without_none({**usual, **changes})
    return await validate(
        parameters, client("service"), CONFIG, dpop_jkt=None, pushed_request_hash=None
    )


async def refusal(details: Any, **changes: Any) -> str:
    with pytest.raises(OAuthError) as refused:
        await request_of(details, **changes)
    return refused.value.code


async def redeemed(
    world: World, *details: Any, granted_resources: tuple[str, ...] = (), **form: str
) -> Answer:
    await world.add_grant(authorization_details=details, resource=granted_resources)
    return await world.redeem(await world.add_code(), "bank", await world.proof(), **form)


async def refreshed(world: World, *details: Any, **form: str) -> Answer:
    await world.add_grant(authorization_details=details)
    await world.add_refresh_token()
    given = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", **form}
    return await world.token("bank", given, await world.proof())


def asking(*details: Any) -> dict[str, str]:
    return {"authorization_details": orjson.dumps(details).decode()}


async def test_rfc9396_2_details_are_read_by_their_type() -> None:
    request = await request_of([PLAIN])
    assert request.authorization_details == (PLAIN,)
    assert orjson.loads(request.parameters["authorization_details"]) == [PLAIN]


async def test_rfc9396_3_details_are_enough_without_a_scope() -> None:
    assert (await request_of([PLAIN])).scope == ()
    assert (await request_of([PLAIN], scope="openid")).scope == ("openid",)


@pytest.mark.parametrize(
    "details",
    [
        "not json",
        "{}",
        "[]",
        '"plain"',
        "[1]",
        "[null]",
        "[[]]",
        '[{"actions":["read"]}]',
        '[{"type":1,"actions":["read"]}]',
        "[" * 5000,
        " " * MAX_TEXT + "[]",
        [PLAIN] * (MAX_DETAILS + 1),
    ],
)
async def test_rfc9396_5_malformed_details(details: Any) -> None:
    assert await refusal(details) == "invalid_authorization_details"


@pytest.mark.parametrize(
    "detail",
    [
        {"type": "nothing"},
        {"type": "other", "actions": ["read"]},  # it exists, but the client did not register it
        {**PLAIN, "extra": 1},
        {"type": "plain"},
        {"type": "plain", "actions": "read"},
    ],
)
async def test_rfc9396_5_unknown_types_and_members(detail: Any) -> None:
    assert await refusal([detail]) == "invalid_authorization_details"
    assert await refusal([PLAIN, detail]) == "invalid_authorization_details"


async def test_rfc9396_2_2_locations_are_resources_of_the_client() -> None:
    request = await request_of([{**PLAIN, "locations": [API]}])
    assert request.authorization_details == ({**PLAIN, "locations": [API]},)
    assert await refusal([{**PLAIN, "locations": ["https://evil.example"]}]) == "invalid_target"
    for malformed in ("x", [], [1], {}, [API] * 30):
        assert await refusal([{**PLAIN, "locations": malformed}]) == "invalid_authorization_details"


async def test_rfc9396_4_they_are_checked_when_they_are_pushed() -> None:
    world = World()
    pushed = {
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    for details, error in (([PLAIN], None), ([{"type": "x"}], "invalid_authorization_details")):
        form = {**pushed, **asking(*details), **await world.proving("bank")}
        answer = await post_form(world.par_endpoint, form)
        assert (answer.status, answer.json.get("error")) == (400 if error else 201, error)


async def test_rfc9396_7_the_token_response_says_what_was_granted() -> None:
    answer = await redeemed(World(), GRANTED)
    assert answer.json["authorization_details"] == [{**GRANTED, "read_by": "bank.example"}]


async def test_without_details_the_token_response_has_none() -> None:
    assert "authorization_details" not in (await redeemed(World())).json


async def test_rfc9396_9_1_the_access_token_says_it_to_its_resource() -> None:
    answer = await redeemed(World(), GRANTED, granted_resources=(API,))
    claims = jwt.unverified_claims(answer.json["access_token"])
    assert claims["authorization_details"] == [{**GRANTED, "read_by": API}]


async def test_rfc9396_9_2_introspection_says_it() -> None:
    world = World()
    token = (await redeemed(world, GRANTED, granted_resources=(API,))).json["access_token"]
    sent = {**await world.proving("api"), "token": token}
    told = (await post_form(world.introspection_endpoint, sent)).json
    assert told["authorization_details"] == [{**GRANTED, "read_by": API}]


async def test_rfc9396_2_2_a_resource_reads_only_what_is_for_it() -> None:
    there, here = {**GRANTED, "locations": [OTHER_API]}, {**GRANTED, "locations": [API, ISSUER]}
    both = (API, OTHER_API)
    for named, read in ((API, here), (OTHER_API, there)):
        answer = await redeemed(World(), there, here, granted_resources=both, resource=named)
        said = jwt.unverified_claims(answer.json["access_token"])["authorization_details"]
        assert [one["locations"] for one in said] == [read["locations"]]
        assert [one["locations"] for one in answer.json["authorization_details"]] == [
            read["locations"]
        ]
    own = await redeemed(World(), there, here, granted_resources=both, resource=ISSUER)
    assert [one["locations"] for one in own.json["authorization_details"]] == [here["locations"]]


async def test_rfc9396_6_1_a_token_may_have_less_than_was_granted() -> None:
    world = World()
    less = {"type": "plain", "actions": ["read"]}
    answer = await redeemed(world, GRANTED, **asking(less))
    assert [one["actions"] for one in answer.json["authorization_details"]] == [["read"]]
    sent = {**await world.proving("bank"), "token": answer.json["access_token"]}
    told = (await post_form(world.introspection_endpoint, sent)).json
    assert [one["actions"] for one in told["authorization_details"]] == [["read"]]
    assert world.tables.grants["g1"].authorization_details == (GRANTED,)


async def test_rfc9396_6_1_so_may_a_token_of_a_refresh_and_the_next_has_all_again() -> None:
    world = World()
    less = {"type": "plain", "actions": ["write"]}
    answer = await refreshed(world, GRANTED, **asking(less))
    assert [one["actions"] for one in answer.json["authorization_details"]] == [["write"]]
    whole = await refreshed(world, GRANTED)
    assert [one["actions"] for one in whole.json["authorization_details"]] == [["read", "write"]]


@pytest.mark.parametrize(
    "more",
    [
        {"type": "plain", "actions": ["read", "delete"]},
        {"type": "other", "actions": ["read"]},
        {"type": "plain", "actions": ["read"], "extra": 1},
        {"type": "plain", "actions": ["read"], "locations": [API]},
    ],
)
async def test_rfc9396_6_1_never_more_than_was_granted(more: Any) -> None:
    limited = {**GRANTED, "locations": [OTHER_API]}
    for answer in (
        await redeemed(World(), limited, **asking(more)),
        await refreshed(World(), limited, **asking(more)),
        await refreshed(World(), **asking(more)),
    ):
        assert (answer.status, answer.error) == (400, "invalid_authorization_details")


async def test_rfc9396_6_1_a_limited_place_cannot_be_left_out() -> None:
    limited = {**GRANTED, "locations": [OTHER_API]}
    answer = await redeemed(World(), limited, **asking(PLAIN))
    assert answer.error == "invalid_authorization_details"


async def test_a_refused_narrowing_does_not_use_the_code() -> None:
    world = World()
    await world.add_grant(authorization_details=(GRANTED,))
    code = await world.add_code()
    wrong = await world.redeem(
        code, "bank", await world.proof(), **asking({"type": "plain", "actions": ["delete"]})
    )
    assert wrong.error == "invalid_authorization_details"
    assert (await world.redeem(code, "bank", await world.proof())).status == 200


async def test_a_machine_has_no_person_who_grants_details() -> None:
    answer = await World().token(
        "service", {"grant_type": "client_credentials", "resource": API, **asking(PLAIN)}
    )
    assert (answer.status, answer.error) == (400, "invalid_authorization_details")


def test_rfc9396_10_discovery_lists_the_types() -> None:
    assert provider_metadata(CONFIG)["authorization_details_types_supported"] == ["other", "plain"]
    bare = ProviderConfig(issuer=ISSUER, scopes=SCOPES, acr_values=())
    assert "authorization_details_types_supported" not in provider_metadata(bare)
