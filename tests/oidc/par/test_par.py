"""Pushed authorization requests (RFC 9126; RFC 9449 10.1)."""

from typing import Any

import pytest

from tests.support.asgi import FORM, Answer, call, post_form
from tests.support.provider_world import NOW, REDIRECT, World, basic, challenge, key, without_none

PAR = "/par"
REQUEST = {
    "response_type": "code",
    "redirect_uri": REDIRECT,
    "scope": "openid mandate",
    "state": "s",
    "code_challenge": challenge(),
    "code_challenge_method": "S256",
}


async def push(
    world: World, *headers: tuple[bytes, bytes], client_id: str = "bank", **changes: Any
) -> Answer:
    form = {**await world.proving(client_id), **REQUEST, **changes}
    return await post_form(world.par_endpoint, without_none(form), headers=headers)


def refused(answer: Answer, error: str = "invalid_request", status: int = 400) -> None:
    assert (answer.status, answer.error) == (status, error)


async def test_rfc9126_2_2_a_request_is_kept_under_a_random_handle() -> None:
    world = World()
    answer = await push(world, nonce="n", unknown="ignored")
    assert answer.status == 201
    assert answer.header("cache-control") == "no-store"
    request_uri = answer.json["request_uri"]
    prefix = "urn:ietf:params:oauth:request_uri:"
    assert request_uri.startswith(prefix)
    assert len(request_uri) - len(prefix) >= 22  # 128 bits in base64url
    assert answer.json["expires_in"] == 90
    (pushed,) = world.tables.pushed.values()
    assert pushed.request_hash == world.hash(request_uri)
    assert pushed.parameters == {**REQUEST, "nonce": "n", "client_id": "bank"}
    assert pushed.client_id == "bank"
    assert pushed.dpop_jkt is None
    assert pushed.expires_at == (NOW + 90) * 1000


async def test_fapi2_a_request_uri_lives_less_than_ten_minutes() -> None:
    assert (await push(World())).json["expires_in"] < 600


async def test_two_pushes_have_two_handles() -> None:
    world = World()
    assert (await push(world)).json["request_uri"] != (await push(world)).json["request_uri"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_rfc9126_2_3_only_post(method: str) -> None:
    refused(await call(World().par_endpoint, method), "invalid_request", 405)


async def test_rfc9126_2_3_head_is_no_post() -> None:
    assert (await call(World().par_endpoint, "HEAD")).status == 405


async def test_rfc9126_2_3_too_large_is_413() -> None:
    answer = await call(World().par_endpoint, "POST", headers=[FORM], body=b"a" * 70_000)
    assert answer.status == 413


async def test_rfc9126_2_1_request_uri_is_refused() -> None:
    refused(await push(World(), request_uri="urn:ietf:params:oauth:request_uri:x"))


async def test_rfc9126_2_the_client_must_authenticate() -> None:
    world = World()
    refused(await post_form(world.par_endpoint, REQUEST), "invalid_client", 401)
    assert world.tables.pushed == {}


async def test_an_oidc_client_may_push_by_basic() -> None:
    answer = await post_form(World().par_endpoint, REQUEST, headers=[basic("legacy")])
    assert answer.status == 201


async def test_the_client_cannot_push_for_another() -> None:
    world = World()
    form = {**await world.proving("bank"), **REQUEST, "client_id": "other-bank"}
    refused(await post_form(world.par_endpoint, form), "invalid_client", 401)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redirect_uri", None),
        ("redirect_uri", "https://other.example/"),
        ("code_challenge", None),
        ("code_challenge_method", "plain"),
        ("response_type", None),
    ],
)
async def test_fapi2_a_bad_request_is_refused_when_it_is_pushed(
    name: str, value: str | None
) -> None:
    world = World()
    refused(await push(world, **{name: value}))
    assert world.tables.pushed == {}


async def test_the_assertion_is_used_up_by_a_refused_push() -> None:
    world = World()
    proving = await world.proving("bank")
    bad = {**proving, **REQUEST, "response_type": "token"}
    refused(await post_form(world.par_endpoint, bad), "unsupported_response_type")
    refused(await post_form(world.par_endpoint, {**proving, **REQUEST}), "invalid_client", 401)


async def test_rfc9449_10_dpop_jkt_binds_the_request() -> None:
    world = World()
    jkt = key("dpop").kid
    assert (await push(world, dpop_jkt=jkt)).status == 201
    (pushed,) = world.tables.pushed.values()
    assert pushed.dpop_jkt == jkt


async def test_rfc9449_10_1_a_proof_binds_the_request() -> None:
    world = World()
    proof = await world.proof(path=PAR)
    assert (await push(world, proof)).status == 201
    (pushed,) = world.tables.pushed.values()
    assert pushed.dpop_jkt == key("dpop").kid
    refused(await push(world, proof), "invalid_dpop_proof")  # its jti counts once


async def test_rfc9449_10_1_proof_and_dpop_jkt_must_name_the_same_key() -> None:
    world = World()
    same = await push(world, await world.proof(path=PAR), dpop_jkt=key("dpop").kid)
    assert same.status == 201
    other = await push(world, await world.proof(path=PAR), dpop_jkt=key("other").kid)
    refused(other, "invalid_dpop_proof")


async def test_rfc9449_4_3_rejects_a_proof_for_the_token_endpoint() -> None:
    world = World()
    refused(await push(world, await world.proof()), "invalid_dpop_proof")


async def test_rfc9449_8_a_nonce_is_demanded_here_too() -> None:
    world = World(dpop_nonce_required=True)
    first = await push(world, await world.proof(path=PAR))
    refused(first, "use_dpop_nonce")
    nonce = first.header("dpop-nonce")
    assert (await push(world, await world.proof(path=PAR, nonce=nonce))).status == 201
