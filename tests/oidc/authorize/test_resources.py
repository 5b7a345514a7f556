"""Resource indicators at the authorization endpoint (RFC 8707): several may be named."""

import pytest

from tests.support.asgi import post_form
from tests.support.authorize_world import AuthorizeWorld, response, shown
from tests.support.provider_world import API, OTHER_API


@pytest.fixture
def world() -> AuthorizeWorld:
    return AuthorizeWorld()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_rfc8707_2_resource_may_be_repeated(world: AuthorizeWorld, method: str) -> None:
    pairs = [*world.parameters().items(), ("resource", API), ("resource", OTHER_API)]
    if method == "GET":
        answer = await world.get(pairs)
    else:
        answer = await post_form(world.authorize, pairs)
    assert "code" in response(answer)
    (grant,) = world.tables.grants.values()
    assert grant.resource == (API, OTHER_API)


async def test_rfc8707_2_a_repeated_resource_is_pushed(world: AuthorizeWorld) -> None:
    pairs = [
        *world.parameters("bank").items(),
        *(await world.proving("bank")).items(),
        ("resource", API),
        ("resource", OTHER_API),
    ]
    pushed = await post_form(world.par_endpoint, pairs)
    assert "code" in response(await world.get_pushed(str(pushed.json["request_uri"])))
    (grant,) = world.tables.grants.values()
    assert grant.resource == (API, OTHER_API)


async def test_rfc8707_2_one_bad_resource_of_several_is_invalid_target(
    world: AuthorizeWorld,
) -> None:
    for bad in ("https://evil.example", f"{API} {OTHER_API}", f"{API}#x"):
        pairs = [*world.parameters().items(), ("resource", API), ("resource", bad)]
        assert response(await world.get(pairs))["error"] == "invalid_target"


@pytest.mark.parametrize("name", ["scope", "state", "redirect_uri", "audience", "Resource"])
async def test_rfc6749_3_1_no_other_parameter_may_be_repeated(
    world: AuthorizeWorld, name: str
) -> None:
    pairs = [*world.parameters().items(), (name, "a"), (name, "a")]
    assert shown(await world.get(pairs)) == "invalid_request"
