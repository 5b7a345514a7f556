"""Client secrets (RFC 6749 2.3.1) and what all methods share."""

import base64
from urllib.parse import quote_plus

import pytest

from oidc.errors import InvalidClient, OAuthError
from oidc.provider.client_authentication import authenticate
from oidc.secrets import client_secret_hash
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import API, SECRET, World, basic, client

QUERIED = {"type": "http", "method": "POST", "path": "/token", "headers": []}
MACHINE = {"grant_type": "client_credentials", "resource": API}


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (401, "invalid_client")


async def send(*headers: tuple[bytes, bytes], world: World | None = None, **form: str) -> Answer:
    world = world or World()
    return await post_form(world.token_endpoint, {**MACHINE, **form}, headers=headers)


async def test_6749_2_3_1_basic_credentials_are_form_urlencoded() -> None:
    assert (await send(basic("legacy"))).status == 200


@pytest.mark.parametrize("scheme", [b"basic", b"BASIC"])
async def test_7617_the_scheme_is_case_insensitive(scheme: bytes) -> None:
    name, value = basic("legacy")
    assert (await send((name, scheme + value[5:]))).status == 200


async def test_6749_5_2_who_tried_basic_is_challenged_with_basic() -> None:
    answer = await send(basic("legacy", "wrong"))
    refused(answer)
    assert (answer.header("www-authenticate") or "").startswith("Basic realm=")


@pytest.mark.parametrize(
    "value",
    [
        b"Basic",
        b"Basic ???",
        b"Bearer abc",
        b"Basic " + base64.b64encode(b"no colon"),
        b"Basic " + base64.b64encode(b"\xff:\xff"),
        b"Basic " + base64.b64encode(b"legacy:%FF"),
    ],
)
async def test_rejects_a_malformed_authorization_header(value: bytes) -> None:
    answer = await send((b"authorization", value))
    refused(answer)
    assert (answer.header("www-authenticate") or "").startswith("Basic")


async def test_6749_2_3_1_plus_and_percent_are_decoded_and_nothing_is_decoded_twice() -> None:
    world = World()
    secret = "50%25 + 1:2"
    world.change_client("legacy", secret_hash=client_secret_hash(secret))
    assert (await send(basic("legacy", secret), world=world)).status == 200
    refused(await send(basic("legacy", "50% + 1:2"), world=world))


async def test_6749_2_3_1_credentials_in_the_query_are_not_read() -> None:
    for query in (b"client_id=poster&client_secret=", b"client_id=app"):
        scope = {**QUERIED, "query_string": query + quote_plus(SECRET).encode()}
        with pytest.raises(InvalidClient):
            await authenticate(scope, {}, World().provider, public=True)


async def test_client_secret_post() -> None:
    assert (await send(client_id="poster", client_secret=SECRET)).status == 200
    refused(await send(client_id="poster", client_secret="wrong"))
    refused(await send(client_secret=SECRET))


async def test_a_client_uses_the_method_that_it_registered() -> None:
    refused(await send(basic("poster")))
    refused(await send(client_id="legacy", client_secret=SECRET))


async def test_fapi2_takes_no_secret_even_if_one_is_on_record() -> None:
    world = World()
    legacy = world.tables.clients["legacy"]
    world.tables.clients["strict"] = client(
        "strict",
        profile="fapi2",
        token_endpoint_auth_method="client_secret_basic",
        secret_hash=legacy.secret_hash,
    )
    refused(await send(basic("strict"), world=world))


async def test_unknown_client_and_wrong_secret_are_told_apart_by_nothing() -> None:
    unknown = await send(basic("nobody"))
    wrong = await send(basic("legacy", "wrong"))
    keyed = await send(basic("service"))
    assert unknown == wrong == keyed
    assert await send(client_id="nobody", client_secret=SECRET) == await send(
        client_id="poster", client_secret="wrong"
    )


async def test_a_client_without_secret_is_not_entered_with_an_empty_one() -> None:
    refused(await send(basic("service", "")))


async def test_6749_2_3_more_than_one_method_is_invalid_request() -> None:
    world = World()
    for headers, form in [
        ([basic("legacy")], {"client_secret": SECRET}),
        ([basic("legacy")], await world.proving("service")),
        ([], {"client_id": "service", "client_secret": "x", **await world.proving("service")}),
        ([basic("legacy"), basic("legacy")], {}),
    ]:
        answer = await send(*headers, world=world, **form)
        assert (answer.status, answer.error) == (400, "invalid_request")


async def test_client_id_must_match_the_basic_credentials() -> None:
    refused(await send(basic("legacy"), client_id="poster"))
    assert (await send(basic("legacy"), client_id="legacy")).status == 200


async def test_no_client_authentication_is_invalid_client() -> None:
    refused(await send())
    refused(await send(client_id="service"))


async def test_a_disabled_client_is_refused_at_once() -> None:
    world = World()
    assert (await send(basic("legacy"), world=world)).status == 200
    del world.tables.clients["legacy"]
    refused(await send(basic("legacy"), world=world))


@pytest.mark.parametrize(
    "endpoint",
    ["token_endpoint", "par_endpoint", "introspection_endpoint", "revocation_endpoint"],
)
async def test_the_same_rules_hold_at_every_endpoint(endpoint: str) -> None:
    world = World()
    at = getattr(world, endpoint)
    for path in ("/token", "/par", "/introspect"):
        url = await world.assertion("service", aud=f"{world.issuer}{path}")
        array = await world.assertion("service", aud=[world.issuer])
        for assertion in (url, array):
            refused(await post_form(at, await world.proving("service", assertion)))
    refused(await post_form(at, {}))
    refused(await post_form(at, {}, headers=[basic("legacy", "wrong")]))
    once = await world.proving("service")
    await post_form(at, {**once, "token": "x"})
    refused(await post_form(at, {**once, "token": "x"}))


def test_error_descriptions_are_ascii_without_quotes() -> None:
    assert '"' not in OAuthError('a "quoted" \\ word').description
