"""Introspection answered as a JWT (RFC 9701)."""

from typing import Any

import pytest

from keys import jws, jwt
from keys.jwk import parse_public
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import API, ISSUER, NOW, World, key

MEDIA_TYPE = "application/token-introspection+jwt"


async def ask(world: World, token: str, accept: str = MEDIA_TYPE, client_id: str = "api") -> Answer:
    form = {**await world.proving(client_id), "token": token}
    headers = [(b"accept", accept.encode())]
    return await post_form(world.introspection_endpoint, form, headers=headers)


def opened(answer: Answer, alg: str = "ES256", audience: str = "api") -> dict[str, Any]:
    assert answer.status == 200, answer.body
    assert answer.header("content-type") == MEDIA_TYPE
    assert answer.header("cache-control") == "no-store"
    return jwt.verify(
        answer.body.decode(),
        parse_public(key("tokens", alg).public_jwk),
        typ="token-introspection+jwt",
        algs=frozenset({alg}),
        issuer=ISSUER,
        audience=audience,
        now=NOW,
        require=("iat",),
    )


async def test_rfc9701_5_the_answer_is_a_jwt_for_the_resource_server() -> None:
    world = World()
    token = await world.machine_token()
    claims = opened(await ask(world, token))
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}, "no sub, no exp"
    told = claims["token_introspection"]
    plain = await ask(world, token, "application/json")
    assert told == plain.json
    assert told["active"] is True
    assert told["aud"] == API


async def test_rfc9701_5_inactive_is_inactive_and_nothing_more() -> None:
    claims = opened(await ask(World(), "unknown"))
    assert claims["token_introspection"] == {"active": False}


async def test_rfc9701_5_a_token_of_another_audience_is_not_told_about() -> None:
    world = World()
    token = await world.machine_token()
    claims = opened(await ask(world, token, client_id="other-bank"), audience="other-bank")
    assert claims["token_introspection"] == {"active": False}


@pytest.mark.parametrize(
    "accept",
    [
        MEDIA_TYPE,
        MEDIA_TYPE.upper(),
        f"application/json;q=0.5, {MEDIA_TYPE}",
        f"{MEDIA_TYPE};q=0.1",
        f"text/html,{MEDIA_TYPE} ; q=1",
    ],
)
async def test_rfc9701_4_asked_for_by_name(accept: str) -> None:
    assert opened(await ask(World(), "unknown", accept))


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*",
        "application/json",
        "application/jwt",
        f"{MEDIA_TYPE};q=0",
        "",
        "é,;;",
    ],
)
async def test_rfc9701_4_otherwise_json(accept: str) -> None:
    assert (await ask(World(), "unknown", accept)).json == {"active": False}


async def test_rfc9701_6_introspection_signed_response_alg() -> None:
    world = World()
    world.change_client("api", introspection_signed_response_alg="RS256")
    assert opened(await ask(world, "unknown"), "RS256")


async def test_rfc9701_5_errors_are_json() -> None:
    headers = [(b"accept", MEDIA_TYPE.encode())]
    answer = await post_form(World().introspection_endpoint, {"token": "x"}, headers=headers)
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_rfc8725_3_11_it_passes_for_no_other_token() -> None:
    answer = await ask(World(), "unknown")
    header = jws.parse(answer.body).header
    assert header["typ"] == "token-introspection+jwt"
