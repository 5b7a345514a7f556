"""Where keys are found, how long they are believed, and what strangers cannot make us do."""

import asyncio
from typing import Any

import pytest

from corpid.relying_party import FetchResult, errors
from corpid.relying_party.key_source import jwt_vc_issuer_url, openid_configuration_url
from keys.signer import generate
from tests.support.relying_world import (
    AUDIENCE,
    CONFIGURATION,
    ISSUER,
    JWKS,
    NONCE,
    VC_ISSUER,
    World,
)


@pytest.mark.parametrize(
    ("issuer", "appended", "inserted"),
    [
        (
            "https://id.example",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/jwt-vc-issuer",
        ),
        (
            "https://id.example/",
            "https://id.example/.well-known/openid-configuration",
            "https://id.example/.well-known/jwt-vc-issuer",
        ),
        (
            "https://id.example:8443/a/b",
            "https://id.example:8443/a/b/.well-known/openid-configuration",
            "https://id.example:8443/.well-known/jwt-vc-issuer/a/b",
        ),
        (
            "https://id.example/a/",
            "https://id.example/a/.well-known/openid-configuration",
            "https://id.example/.well-known/jwt-vc-issuer/a",
        ),
    ],
)
def test_discovery_appends_and_jwt_vc_issuer_inserts(
    issuer: str, appended: str, inserted: str
) -> None:
    assert openid_configuration_url(issuer) == appended
    assert jwt_vc_issuer_url(issuer) == inserted


async def test_keys_are_fetched_once(world: World) -> None:
    party = world.party()
    for _ in range(3):
        await party.verify_id_token(await world.id_token(), nonce=NONCE)
    assert world.requests == [CONFIGURATION, JWKS]


async def test_many_at_once_make_one_request(world: World) -> None:
    party, token = world.party(), await world.id_token()
    await asyncio.gather(*(party.verify_id_token(token, nonce=NONCE) for _ in range(20)))
    assert world.requests == [CONFIGURATION, JWKS]


async def test_a_new_kid_causes_one_refetch(world: World) -> None:
    party = world.party()
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    rotated = generate("ES256")
    world.documents[JWKS] = {"keys": [world.token_key.public_jwk, rotated.public_jwk]}
    assert await party.verify_id_token(await world.id_token(signer=rotated), nonce=NONCE)
    assert world.requests == [CONFIGURATION, JWKS] * 2


async def test_unknown_kids_cannot_drive_requests(world: World) -> None:
    party = world.party()
    stranger = await world.id_token(signer=generate("ES256"))
    for _ in range(20):
        with pytest.raises(errors.KeyUnknown):
            await party.verify_id_token(stranger, nonce=NONCE)
    assert len(world.requests) == 4, "the first load and one refetch"
    world.now += 61
    with pytest.raises(errors.KeyUnknown):
        await party.verify_id_token(stranger, nonce=NONCE)
    assert len(world.requests) == 6


async def test_keys_are_believed_only_for_a_time(world: World) -> None:
    party = world.party()
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    world.now += 3601
    world.documents[JWKS] = {"keys": [generate("ES256").public_jwk]}
    with pytest.raises(errors.KeyUnknown):
        await party.verify_id_token(await world.id_token(), nonce=NONCE)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=120", 120),
        ("public, max-age=600", 600),
        ("max-age=1", 60),
        ("max-age=999999", 3600),
        ("s-maxage=100", 3600),
        ("no-cache", 3600),
    ],
)
async def test_max_age_is_followed_within_bounds(world: World, header: str, seconds: int) -> None:
    world.headers = {"cache-control": header}
    party = world.party()
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    world.now += seconds - 1
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    assert len(world.requests) == 2
    world.now += 2
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    assert len(world.requests) == 4


async def test_old_keys_serve_a_while_when_the_issuer_is_down(world: World) -> None:
    party = world.party()
    await party.verify_id_token(await world.id_token(), nonce=NONCE)
    world.failing.add(CONFIGURATION)
    world.now += 3601
    assert await party.verify_id_token(await world.id_token(), nonce=NONCE)
    world.now += 3600
    with pytest.raises(errors.KeysUnavailable):
        await party.verify_id_token(await world.id_token(), nonce=NONCE)


@pytest.mark.parametrize("url", [CONFIGURATION, JWKS])
async def test_keys_that_cannot_be_fetched_are_undetermined(world: World, url: str) -> None:
    world.failing.add(url)
    with pytest.raises(errors.KeysUnavailable):
        await world.party().verify_id_token(await world.id_token(), nonce=NONCE)


async def test_a_failure_is_not_repeated_at_once(world: World) -> None:
    world.failing.add(CONFIGURATION)
    party, token = world.party(), await world.id_token()
    for _ in range(5):
        with pytest.raises(errors.KeysUnavailable):
            await party.verify_id_token(token, nonce=NONCE)
    assert world.requests == [CONFIGURATION]
    world.now += 6
    world.failing.clear()
    assert await party.verify_id_token(token, nonce=NONCE)


@pytest.mark.parametrize("status", [404, 500, 301, 204])
async def test_only_an_answer_200_counts(world: World, status: int) -> None:
    world.documents[CONFIGURATION] = FetchResult(status, {}, b"{}")
    with pytest.raises(errors.KeysUnavailable):
        await world.party().verify_id_token(await world.id_token(), nonce=NONCE)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": ISSUER + "/", "jwks_uri": JWKS},
        {"jwks_uri": JWKS},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": 1},
        {"issuer": ISSUER, "jwks_uri": "http://id.example/jwks"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/hostname"},
        [],
        FetchResult(200, {}, b"<html>"),
        FetchResult(200, {}, b'{"issuer":"a","issuer":"b"}'),
    ],
)
async def test_metadata_of_another_issuer_or_form_are_not_used(world: World, document: Any) -> None:
    world.documents[CONFIGURATION] = document
    with pytest.raises(errors.MetadataInvalid):
        await world.party().verify_id_token(await world.id_token(), nonce=NONCE)


@pytest.mark.parametrize("jwks", [{}, {"keys": {}}, {"keys": [{"kty": "EC"}]}, []])
async def test_a_broken_key_set_is_not_used(world: World, jwks: Any) -> None:
    world.documents[JWKS] = jwks
    with pytest.raises(errors.MetadataInvalid):
        await world.party().verify_id_token(await world.id_token(), nonce=NONCE)


async def test_jwt_vc_issuer_may_name_a_jwks_uri(world: World) -> None:
    uri = "https://id.example/corp/credential-jwks"
    world.documents[uri] = world.documents[VC_ISSUER]["jwks"]
    world.documents[VC_ISSUER] = {"issuer": ISSUER, "jwks_uri": uri}
    text = await world.presentation()
    assert await world.party().verify_credential(text, audience=AUDIENCE, nonce=NONCE)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks": {"keys": []}, "jwks_uri": JWKS},
        {"issuer": "https://id.example", "jwks": {"keys": []}},
        {"issuer": ISSUER, "jwks": "x"},
    ],
)
async def test_jwt_vc_issuer_must_name_the_issuer_and_one_key_set(
    world: World, document: Any
) -> None:
    world.documents[VC_ISSUER] = document
    text = await world.presentation()
    with pytest.raises(errors.MetadataInvalid):
        await world.party().verify_credential(text, audience=AUDIENCE, nonce=NONCE)


async def test_any_exception_of_the_callers_client_is_undetermined(world: World) -> None:
    class ClientError(Exception):
        pass

    async def fetch(url: str, *, accept: str) -> FetchResult:
        raise ClientError(url)

    with pytest.raises(errors.KeysUnavailable, match="ClientError"):
        await world.party(fetch=fetch).verify_id_token(await world.id_token(), nonce=NONCE)


async def test_http_issuers_are_only_for_loopback(world: World) -> None:
    party = world.party(issuer="http://id.example")
    with pytest.raises(errors.KeysUnavailable):
        await party.verify_id_token(await world.id_token(), nonce=NONCE)
    assert world.requests == []
