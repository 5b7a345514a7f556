"""Request objects by reference (RFC 9101 5.2, OpenID Connect Core 6.2): registered addresses."""

from typing import Any

import pytest

from oidc.ports import FetchFailed
from oidc.provider.request_object import MAX_REQUEST_OBJECT_BYTES
from tests.support.authorize_world import AuthorizeWorld, response, shown
from tests.support.provider_world import REDIRECT, key
from tests.support.signed_requests import request_object, unsigned

PLACE = "https://rp.sample-bank.example/request.jwt"


@pytest.fixture
def world() -> AuthorizeWorld:
    world = AuthorizeWorld()
    world.change_client("service", request_uris=frozenset({PLACE}))
    return world


async def publish(world: AuthorizeWorld, place: str = PLACE, **changes: Any) -> None:
    compact = await request_object(world, "service", world.parameters(), **changes)
    world.outbound.says(place, compact.encode(), media_type="application/oauth-authz-req+jwt")


def by_reference(place: str = PLACE, **outside: str) -> dict[str, str]:
    return {"client_id": "service", "request_uri": place, **outside}


async def test_core_6_2_the_request_object_at_the_address_is_the_request(
    world: AuthorizeWorld,
) -> None:
    await publish(world, state="inside", nonce="n-1")
    given = response(await world.get(by_reference(state="outside")))
    assert given["state"] == "inside"
    assert given["code"].startswith("cid_ac_")
    assert world.outbound.asked == [PLACE]
    (request,) = world.host.requests
    assert request.nonce == "n-1"
    assert "request_uri" not in request.parameters


async def test_core_6_2_only_registered_addresses_are_asked(world: AuthorizeWorld) -> None:
    for other in (
        f"{PLACE}?x",
        f"{PLACE}#x",
        PLACE.upper(),
        "https://other.example/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "urn:ietf:params:oauth:request-uri:x",
    ):
        await publish(world, other)
        answer = await world.get(by_reference(other, redirect_uri=REDIRECT, state="s"))
        assert response(answer)["error"] == "invalid_request_uri", other
        assert shown(await world.get(by_reference(other))) == "invalid_request_uri"
    assert world.outbound.asked == []


async def test_a_client_without_registered_addresses(world: AuthorizeWorld) -> None:
    world.change_client("service", request_uris=frozenset())
    await publish(world)
    answer = await world.get(by_reference(redirect_uri=REDIRECT))
    assert response(answer)["error"] == "request_uri_not_supported"
    assert world.outbound.asked == []


async def test_nothing_usable_at_the_address(world: AuthorizeWorld) -> None:
    long = b"a" * (MAX_REQUEST_OBJECT_BYTES + 1)
    for found, error in (
        (None, "invalid_request_uri"),
        (b"\xff.\xff.\xff", "invalid_request_uri"),
        (long, "invalid_request_uri"),
        (b"<html>", "invalid_request_object"),
        (b"", "invalid_request_object"),
    ):
        world.outbound.documents.clear()
        if found is not None:
            world.outbound.says(PLACE, found, media_type="application/jwt")
        given = response(await world.get(by_reference(redirect_uri=REDIRECT, state="s")))
        assert (given["error"], given["state"]) == (error, "s"), found
    world.outbound.documents[PLACE] = FetchFailed("the server does not answer")
    assert shown(await world.get(by_reference())) == "invalid_request_uri"


async def test_the_rules_are_those_of_an_object_by_value(world: AuthorizeWorld) -> None:
    for wrong in ({"signer": key("bank")}, {"client_id": "bank"}, {"aud": "https://x.example"}):
        await publish(world, **wrong)
        answer = await world.get(by_reference(redirect_uri=REDIRECT))
        assert response(answer)["error"] == "invalid_request_object", wrong
    world.outbound.says(PLACE, unsigned(world.parameters()).encode())
    answer = await world.get(by_reference(redirect_uri=REDIRECT))
    assert response(answer)["error"] == "request_not_supported"


async def test_fapi2_clients_have_no_requests_by_reference(world: AuthorizeWorld) -> None:
    world.change_client("bank", request_uris=frozenset({PLACE}))
    await publish(world)
    assert shown(await world.get({"client_id": "bank", "request_uri": PLACE})) == "invalid_request"
    assert world.outbound.asked == []


async def test_a_trailing_line_end_is_no_part_of_it(world: AuthorizeWorld) -> None:
    compact = await request_object(world, "service", world.parameters())
    world.outbound.says(PLACE, f"{compact}\n".encode())
    assert "code" in response(await world.get(by_reference()))
