"""Keys at a jwks_uri (RFC 7591 2, OpenID Connect Core 10.1.1): cached, and found anew."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from keys.signer import LocalSigner
from oidc.ports import FetchFailed
from oidc.provider.client_keys import GRACE, LIFETIME, LONGEST, MAX_ADDRESSES, REFETCH, ClientKeys
from tests.support.asgi import Answer
from tests.support.provider_world import API, World, client, key

URI = "https://rp.sample-bank.example/jwks"


@pytest.fixture
def world() -> World:
    made = World()
    made.change_client("service", jwks=None, jwks_uri=URI)
    publish(made, key("first"))
    return made


def publish(world: World, *signers: LocalSigner, max_age: int | None = None) -> None:
    document = {"keys": [dict(signer.public_jwk) for signer in signers]}
    world.outbound.says(URI, json.dumps(document).encode(), max_age=max_age)


async def token(world: World, signer: LocalSigner) -> Answer:
    assertion = await world.assertion("service", signer=signer)
    form = {"grant_type": "client_credentials", "resource": API}
    return await world.token(None, {**form, **await world.proving("service", assertion)})


async def test_oidcc_registration_jwks_uri_its_keys_authenticate_the_client(world: World) -> None:
    assert (await token(world, key("first"))).status == 200
    assert (await token(world, key("first"))).status == 200
    assert world.outbound.asked == [URI]


async def test_another_key_does_not(world: World) -> None:
    answer = await token(world, key("stranger"))
    assert (answer.status, answer.error) == (401, "invalid_client")


async def test_oidcc_refresh_token_rp_key_rotation_a_new_key_is_found(world: World) -> None:
    assert (await token(world, key("first"))).status == 200
    publish(world, key("second"))
    world.now += REFETCH
    assert (await token(world, key("second"))).status == 200
    assert world.outbound.asked == [URI, URI]
    assert (await token(world, key("first"))).status == 401  # taken out, so it is out


async def test_an_unknown_kid_asks_again_only_so_often(world: World) -> None:
    assert (await token(world, key("first"))).status == 200
    world.now += REFETCH
    for _ in range(5):
        assert (await token(world, key("stranger"))).status == 401
    assert len(world.outbound.asked) == 2
    assert (await token(world, key("first"))).status == 200  # strangers harm nobody
    world.now += REFETCH
    await token(world, key("stranger"))
    assert len(world.outbound.asked) == 3


@pytest.mark.parametrize(
    ("max_age", "kept"), [(None, LIFETIME), (120, 120), (0, 60), (10**8, LONGEST)]
)
async def test_keys_are_kept_as_long_as_their_server_says_within_bounds(
    world: World, max_age: int | None, kept: int
) -> None:
    publish(world, key("first"), max_age=max_age)
    await token(world, key("first"))
    world.now += kept - 1
    await token(world, key("first"))
    assert len(world.outbound.asked) == 1
    world.now += 1
    await token(world, key("first"))
    assert len(world.outbound.asked) == 2


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"keys":[{"kty":"EC"}]}', b'{"keys":1}'])
async def test_old_keys_serve_for_a_while_when_no_new_ones_are_to_be_had(
    world: World, broken: bytes
) -> None:
    await token(world, key("first"))
    world.outbound.says(URI, broken)
    world.now += LIFETIME + GRACE - 1
    assert (await token(world, key("first"))).status == 200
    world.now += 1
    assert (await token(world, key("first"))).status == 401


async def test_a_failure_is_not_repeated_at_once_and_not_kept(world: World) -> None:
    world.outbound.documents[URI] = FetchFailed("the server does not answer")
    assert [(await token(world, key("first"))).status for _ in range(3)] == [401, 401, 401]
    assert len(world.outbound.asked) == 1
    publish(world, key("first"))
    world.now += REFETCH
    assert (await token(world, key("first"))).status == 200


async def test_requests_at_once_ask_once(world: World) -> None:
    answers = await asyncio.gather(*(token(world, key("first")) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert len(world.outbound.asked) == 1


class _SlowOutbound:
    """Answers as the table does, after a turn of the loop, as every real server does."""

    def __init__(self, world: World) -> None:
        self._get = world.outbound.get

    async def get(self, url: str, **bounds: Any) -> Any:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await self._get(url, **bounds)


async def test_requests_at_once_wait_for_the_first_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They must not be refused because somebody else's fetch is still under way."""
    monkeypatch.setattr(world.outbound, "get", _SlowOutbound(world).get)
    answers = await asyncio.gather(*(token(world, key("first")) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    publish(world, key("second"))  # and the same when it changes its keys
    world.now += REFETCH
    answers = await asyncio.gather(*(token(world, key("second")) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert world.outbound.asked == [URI, URI]


async def test_nobody_with_a_known_key_waits_for_a_stranger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await token(world, key("first"))).status == 200
    world.now += REFETCH
    never = asyncio.Event()

    async def hang(url: str, **bounds: Any) -> Any:
        await never.wait()
        raise FetchFailed("no whole answer")

    monkeypatch.setattr(world.outbound, "get", hang)
    stranger = asyncio.ensure_future(token(world, key("stranger")))
    async with asyncio.timeout(5):
        assert (await token(world, key("first"))).status == 200
        never.set()
        assert (await stranger).status == 401


async def test_a_private_key_in_the_set_is_not_used(world: World) -> None:
    world.outbound.says(URI, json.dumps({"keys": [key("first").private_jwk()]}).encode())
    assert (await token(world, key("first"))).status == 401


async def test_what_is_kept_is_bounded(world: World) -> None:
    keys = ClientKeys(world.outbound, lambda: world.now)
    usual = client("service", jwks=None)
    for number in range(MAX_ADDRESSES + 5):
        await keys.of(replace(usual, jwks_uri=f"{URI}/{number}"))
    assert len(keys.kept) == MAX_ADDRESSES


async def test_a_clients_own_keys_are_not_fetched(world: World) -> None:
    keys = ClientKeys(world.outbound, lambda: world.now)
    usual: Any = client("service")
    assert await keys.of(usual, "any") is usual.jwks
    assert world.outbound.asked == []


async def test_rfc7591_2_a_registered_algorithm_of_assertions_is_the_only_one(
    world: World,
) -> None:
    world.change_client("service", token_endpoint_auth_signing_alg="PS256")
    publish(world, key("first"), key("first", "PS256"))
    assert (await token(world, key("first"))).status == 401
    assert (await token(world, key("first", "PS256"))).status == 200


async def test_rfc9101_a_request_object_is_verified_with_the_keys_at_the_address(
    world: World,
) -> None:
    signed = await world.assertion("service", signer=key("first"))
    given = world.tables.clients["service"]
    found = await world.provider.client_keys.for_jws(given, signed)
    assert found.jwks is not None
    assert found.jwks.has_kid(key("first").public_jwk["kid"])
    publish(world, key("second"))
    world.now += REFETCH
    signed = await world.assertion("service", signer=key("second"))
    found = await world.provider.client_keys.for_jws(given, signed)
    assert found.jwks is not None
    assert found.jwks.has_kid(key("second").public_jwk["kid"])
    again = await world.provider.client_keys.for_jws(given, "no jws at all")
    assert again.jwks is found.jwks
    own = client("service")
    assert await world.provider.client_keys.for_jws(own, signed) is own
