"""Request objects by value at the authorization endpoint (RFC 9101 5, OpenID Connect Core 6.1)."""

from typing import Any

import pytest

from tests.support.authorize_world import AuthorizeWorld, response, shown
from tests.support.provider_world import NOW, REDIRECT, key
from tests.support.signed_requests import request_object, unsigned


@pytest.fixture
def world() -> AuthorizeWorld:
    return AuthorizeWorld()


async def by_value(
    world: AuthorizeWorld, client_id: str = "service", /, **changes: Any
) -> dict[str, str]:
    inside = world.parameters(client_id)
    compact = await request_object(world, client_id, inside, **changes)
    return {"client_id": client_id, "request": compact}


async def test_core_6_1_the_request_object_is_the_request(world: AuthorizeWorld) -> None:
    given = response(await world.get(await by_value(world, state="inside", nonce="n-1")))
    assert given["state"] == "inside"
    assert given["code"].startswith("cid_ac_")
    (request,) = world.host.requests
    assert request.nonce == "n-1"
    assert "request" not in request.parameters


async def test_core_6_1_what_stands_outside_does_not_count(world: AuthorizeWorld) -> None:
    """oidcc-ensure-request-object-with-redirect-uri, with a signed request object."""
    parameters = await by_value(world, state=None)
    outside = {"redirect_uri": "https://other.example/", "state": "outside", "scope": "mandate"}
    given = response(await world.get({**parameters, **outside}))
    assert set(given) == {"code", "iss"}
    (request,) = world.host.requests
    assert request.scope == ("openid",)


async def test_core_6_1_times_and_audience_are_optional_but_checked(world: AuthorizeWorld) -> None:
    nothing = {"aud": None, "nbf": None, "exp": None, "iat": None, "iss": None, "typ": None}
    assert "code" in response(await world.get(await by_value(world, **nothing)))
    for wrong in (
        {"aud": "https://other.example"},
        {"exp": NOW - 60},
        {"nbf": NOW + 61},
        {"iss": "bank"},
        {"client_id": "bank"},
        {"signer": key("bank")},
    ):
        answer = await world.get(
            {**await by_value(world, **{**nothing, **wrong}), "redirect_uri": REDIRECT}
        )
        assert response(answer)["error"] == "invalid_request_object", wrong


async def test_a_reload_is_fine_for_its_jti_is_not_used_up(world: AuthorizeWorld) -> None:
    parameters = await by_value(world, jti="j1")
    assert "code" in response(await world.get(parameters))
    assert "code" in response(await world.get(parameters))


async def test_an_error_goes_where_the_client_is_known_to_be(world: AuthorizeWorld) -> None:
    broken = {"client_id": "service", "request": "a.b.c"}
    assert shown(await world.get(broken)) == "invalid_request_object"
    other = {**broken, "redirect_uri": "https://other.example/"}
    assert shown(await world.get(other)) == "invalid_request_object"
    given = response(await world.get({**broken, "redirect_uri": REDIRECT, "state": "s"}))
    assert (given["error"], given["state"]) == ("invalid_request_object", "s")


async def test_core_6_1_unsigned_is_not_supported_and_said_so(world: AuthorizeWorld) -> None:
    """oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported."""
    compact = unsigned(world.parameters())
    parameters = {"client_id": "service", "request": compact, "redirect_uri": REDIRECT}
    assert response(await world.get(parameters))["error"] == "request_not_supported"


async def test_a_client_without_keys_cannot_sign(world: AuthorizeWorld) -> None:
    parameters = {**await by_value(world, "legacy"), "redirect_uri": REDIRECT}
    assert response(await world.get(parameters))["error"] == "request_not_supported"


async def test_rfc9101_5_request_and_request_uri_exclude_each_other(world: AuthorizeWorld) -> None:
    parameters = await by_value(world)
    both = {**parameters, "request_uri": "https://rp.sample-bank.example/request.jwt"}
    assert shown(await world.get(both)) == "invalid_request"
    pushed = await world.push("service")
    assert shown(await world.get({**parameters, "request_uri": pushed})) == "invalid_request"


async def test_rfc9101_10_5_a_client_may_demand_signed_requests_of_itself(
    world: AuthorizeWorld,
) -> None:
    world.change_client("service", require_signed_request_object=True)
    assert response(await world.get(world.parameters()))["error"] == "invalid_request"
    assert "code" in response(await world.get(await by_value(world)))


async def test_fapi2_a_request_object_by_value_is_no_pushed_request(world: AuthorizeWorld) -> None:
    assert shown(await world.get(await by_value(world, "bank"))) == "invalid_request"


async def test_rs256_is_good_for_oidc_clients(world: AuthorizeWorld) -> None:
    from keys.jwk import JwkSet

    signer = key("service", "RS256")
    world.change_client("service", jwks=JwkSet.parse({"keys": [dict(signer.public_jwk)]}))
    assert "code" in response(await world.get(await by_value(world, signer=signer)))
