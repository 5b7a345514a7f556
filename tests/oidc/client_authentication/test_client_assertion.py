"""private_key_jwt: RFC 7523 as RFC 7523bis and FAPI 2.0, 5.3.2.1 narrow it."""

from typing import Any

import pytest

from keys import base64url
from oidc.provider.endpoints import PUSHED_AUTHORIZATION, TOKEN
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import API, ISSUER, NOW, World, key

MACHINE = {"grant_type": "client_credentials", "resource": API}


async def send(world: World, assertion: str, **form: str) -> Answer:
    proving = await world.proving("service", assertion)
    return await post_form(world.token_endpoint, {**proving, **MACHINE, **form})


async def with_claims(**changes: Any) -> Answer:
    world = World()
    return await send(world, await world.assertion("service", **changes))


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.header("cache-control") == "no-store"


async def test_assertion_for_the_issuer_is_accepted() -> None:
    assert (await with_claims()).status == 200


@pytest.mark.parametrize("path", [TOKEN, PUSHED_AUTHORIZATION, "/introspect"])
async def test_7523bis_rejects_an_endpoint_url_as_audience(path: str) -> None:
    refused(await with_claims(aud=ISSUER + path))


@pytest.mark.parametrize(
    "aud", [[ISSUER], [ISSUER, ISSUER + TOKEN], ISSUER + "/", "https://other.example", None, 1]
)
async def test_fapi2_5_3_2_1_audience_is_the_issuer_as_a_string_and_nothing_else(aud: Any) -> None:
    refused(await with_claims(aud=aud))


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "exp"])
async def test_7523bis_rejects_an_assertion_without(claim: str) -> None:
    refused(await with_claims(**{claim: None}))


@pytest.mark.parametrize("claim", ["iss", "sub"])
async def test_7523_rejects_iss_other_than_sub(claim: str) -> None:
    refused(await with_claims(**{claim: "bank"}))


@pytest.mark.parametrize("jti", ["", 7, "x" * 257])
async def test_rejects_a_jti_that_cannot_be_remembered(jti: Any) -> None:
    refused(await with_claims(jti=jti))


async def test_7523_rejects_an_assertion_expired_five_minutes_ago() -> None:
    refused(await with_claims(iat=NOW - 360, exp=NOW - 300))


async def test_lifetime_is_capped_at_one_hour_from_iat() -> None:
    refused(await with_claims(exp=NOW + 3601))


async def test_lifetime_is_capped_at_one_hour_from_now_without_iat() -> None:
    refused(await with_claims(iat=None, exp=NOW + 3700))
    assert (await with_claims(iat=None, exp=NOW + 3600)).status == 200


@pytest.mark.parametrize("ahead", [0, 8, 10])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_fapi2_accepts_instants_up_to_ten_seconds_ahead(claim: str, ahead: int) -> None:
    assert (await with_claims(**{claim: NOW + ahead})).status == 200


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_fapi2_rejects_instants_more_than_sixty_seconds_ahead(claim: str) -> None:
    refused(await with_claims(**{claim: NOW + 61, "exp": NOW + 300}))


@pytest.mark.parametrize("value", [True, "1800000000", [NOW]])
async def test_rejects_an_exp_that_is_no_number(value: Any) -> None:
    refused(await with_claims(exp=value))


@pytest.mark.parametrize(
    "typ",
    [None, "JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"],
)
async def test_7523bis_accepts_the_type_or_none(typ: str | None) -> None:
    world = World()
    assert (await send(world, await world.assertion("service", typ=typ))).status == 200


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "dpop+jwt", "at+jwt", "logout+jwt"])
async def test_8725_rejects_any_other_type(typ: str) -> None:
    world = World()
    refused(await send(world, await world.assertion("service", typ=typ)))


async def test_9101_rejects_a_request_object_without_a_type() -> None:
    refused(await with_claims(response_type="code", client_id="service"))


async def test_rejects_a_signature_by_another_clients_key() -> None:
    world = World()
    refused(await send(world, await world.assertion("service", signer=key("bank"))))


async def test_fapi2_rejects_rs256() -> None:
    world = World()
    assertion = await world.assertion("bank", signer=key("bank", "RS256"))
    answer = await world.token(None, {**await world.proving("bank", assertion), **MACHINE})
    refused(answer)


async def test_rejects_alg_none() -> None:
    world = World()
    signed = await world.assertion("service")
    header = base64url.encode(b'{"alg":"none"}')
    refused(await send(world, f"{header}.{signed.split('.')[1]}."))


@pytest.mark.parametrize("assertion", ["no.jwt", "a.b.c", "....", "x" * 9000])
async def test_rejects_what_is_no_jwt(assertion: str) -> None:
    refused(await send(World(), assertion))


async def test_7523bis_jti_counts_once() -> None:
    world = World()
    assertion = await world.assertion("service")
    assert (await send(world, assertion)).status == 200
    refused(await send(world, assertion))


async def test_jti_stays_used_when_the_grant_is_refused() -> None:
    world = World()
    assertion = await world.assertion("service")
    assert (await send(world, assertion, resource="https://unknown.example")).error == (
        "invalid_target"
    )
    refused(await send(world, assertion))


async def test_jti_is_remembered_until_the_assertion_is_refused_for_its_age() -> None:
    world = World()
    assertion = await world.assertion("service", exp=NOW + 60)
    await send(world, assertion)
    (until,) = world.tables.used.values()
    world.now = until / 1000
    refused(await send(world, assertion))
    assert len(world.tables.used) == 1


async def test_the_same_jti_of_two_clients_is_two() -> None:
    world = World()
    await send(world, await world.assertion("service", jti="same"))
    assertion = await world.assertion("api", jti="same")
    answer = await post_form(
        world.introspection_endpoint, {**await world.proving("api", assertion), "token": "x"}
    )
    assert answer.json == {"active": False}


async def test_unknown_client_and_bad_signature_are_told_apart_by_nothing() -> None:
    world = World()
    unknown = await send(world, await world.assertion("nobody", signer=key("nobody")))
    forged = await send(world, await world.assertion("service", signer=key("nobody")))
    other_method = await send(world, await world.assertion("legacy", signer=key("nobody")))
    assert unknown == forged == other_method
    refused(unknown)


async def test_7521_client_id_must_match_the_assertion() -> None:
    world = World()
    refused(await send(world, await world.assertion("service"), client_id="bank"))
    assert (await send(world, await world.assertion("service"), client_id="service")).status == 200


@pytest.mark.parametrize("missing", ["client_assertion", "client_assertion_type"])
async def test_7521_needs_the_assertion_and_its_type(missing: str) -> None:
    world = World()
    form = {**await world.proving("service"), **MACHINE}
    del form[missing]
    refused(await world.token(None, form))


async def test_7521_rejects_a_saml_assertion_type() -> None:
    world = World()
    proving = await world.proving("service")
    proving["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    refused(await world.token(None, {**proving, **MACHINE}))
