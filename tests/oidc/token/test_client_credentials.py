"""grant_type=client_credentials."""

import pytest

from keys import jwt
from keys.jwk import parse_public
from tests.support.asgi import Answer
from tests.support.provider_world import API, ISSUER, NOW, World, key


async def ask(world: World, **form: str) -> Answer:
    return await world.token("service", {"grant_type": "client_credentials", **form})


async def test_rfc9068_2_2_the_subject_is_the_client() -> None:
    world = World()
    answer = await ask(world, resource=API, scope="payments")
    assert answer.json["token_type"] == "Bearer"
    claims = jwt.verify(
        answer.json["access_token"],
        parse_public(key("tokens").public_jwk),
        typ="at+jwt",
        algs=frozenset({"ES256"}),
        issuer=ISSUER,
        audience=API,
        now=NOW,
    )
    assert claims == {
        "iss": ISSUER,
        "aud": API,
        "sub": "service",
        "client_id": "service",
        "iat": NOW,
        "exp": NOW + 300,
        "jti": claims["jti"],
        "scope": "payments",
    }
    (row,) = world.tables.access_tokens.values()
    assert (row.grant_id, row.client_id, row.audience) == (None, "service", API)
    (event,) = world.tables.events
    assert (event.event, event.facts["grant_type"]) == ("token.issued", "client_credentials")
    assert answer.json["access_token"] not in str(event.facts)


@pytest.mark.parametrize("resource", ["", "https://unknown.example", ISSUER])
async def test_rfc8707_a_resource_of_the_client_must_be_named(resource: str) -> None:
    assert (await ask(World(), resource=resource)).error == "invalid_target"


@pytest.mark.parametrize("scope", ["openid", "offline_access", "unknown", "payments openid"])
async def test_a_scope_that_needs_a_person_or_is_not_registered_is_invalid(scope: str) -> None:
    assert (await ask(World(), resource=API, scope=scope)).error == "invalid_scope"


async def test_every_access_token_has_a_jti_of_its_own() -> None:
    world = World()
    tokens = [await world.machine_token() for _ in range(3)]
    assert len({jwt.unverified_claims(token)["jti"] for token in tokens}) == 3
