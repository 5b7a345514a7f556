"""Status lists: caching by ttl and exp, one request, honest ignorance."""

import asyncio
from typing import Any

import pytest

from corpid.relying_party import FetchResult, Policy, errors, status_source
from corpid.relying_party.mandates import read_mandate
from keys.signer import generate
from tests.support.relying_world import (
    AUDIENCE,
    ISSUER,
    JWKS,
    MANDATE,
    NONCE,
    STATUS_URI,
    VC_ISSUER,
    World,
)


async def verify(world: World, party: Any) -> str:
    text = await world.presentation()
    found = await party.verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    return str(found.status)


async def test_a_list_is_kept_for_its_ttl(world: World) -> None:
    party = world.party()
    await verify(world, party)
    world.statuses.set(5, 1)
    world.now += 299
    assert await verify(world, party) == "valid"
    world.now += 2
    with pytest.raises(errors.CredentialRevoked):
        await verify(world, party)
    assert world.requests.count(STATUS_URI) == 2


async def test_a_list_is_not_kept_beyond_its_exp(world: World) -> None:
    world.status_changes = {"exp": int(world.now) + 60}
    party = world.party()
    await verify(world, party)
    world.now += 61
    world.status_changes = {}
    await verify(world, party)
    assert world.requests.count(STATUS_URI) == 2


async def test_a_list_without_ttl_is_kept_as_the_policy_says(world: World) -> None:
    world.status_changes = {"ttl": ...}
    party = world.lenient(status_ttl=100)
    await verify(world, party)
    world.now += 101
    await verify(world, party)
    assert world.requests.count(STATUS_URI) == 2


async def test_many_at_once_make_one_request(world: World) -> None:
    party = world.party()
    text = await world.presentation()
    await asyncio.gather(
        *(party.verify_credential(text, audience=AUDIENCE, nonce=NONCE) for _ in range(20))
    )
    assert world.requests.count(STATUS_URI) == 1


async def test_a_list_past_its_ttl_serves_until_exp_when_none_can_be_fetched(
    world: World,
) -> None:
    party = world.party()
    await verify(world, party)
    world.failing.add(STATUS_URI)
    world.now += 301
    assert await verify(world, party) == "valid"
    world.now += 3300
    with pytest.raises(errors.StatusUnavailable):
        await verify(world, party)


async def test_a_list_without_exp_does_not_serve_past_its_ttl(world: World) -> None:
    world.status_changes = {"exp": ...}
    party = world.party()
    await verify(world, party)
    world.failing.add(STATUS_URI)
    world.now += 301
    with pytest.raises(errors.StatusUnavailable):
        await verify(world, party)


async def test_expired_beats_valid(world: World) -> None:
    world.status_changes = {"exp": int(world.now) - 11}
    with pytest.raises(errors.StatusExpired):
        await verify(world, world.party())


async def test_a_failure_is_remembered_for_a_moment_with_its_code(world: World) -> None:
    world.status_changes = {"exp": int(world.now) - 11}
    party = world.party()
    for _ in range(5):
        with pytest.raises(errors.StatusExpired):
            await verify(world, party)
    assert world.requests.count(STATUS_URI) == 1
    world.status_changes = {}
    world.now += 6
    assert await verify(world, party) == "valid"


async def test_a_list_signed_by_a_stranger_is_undetermined(world: World) -> None:
    stranger = generate("ES256")
    world.documents[STATUS_URI] = FetchResult(
        200, {}, (await world.status_token(stranger)).encode()
    )
    with pytest.raises(errors.StatusTokenInvalid):
        await verify(world, world.party())


async def test_status_keys_may_stand_among_the_token_keys(world: World) -> None:
    world.documents[VC_ISSUER]["jwks"] = {"keys": [world.credential_key.public_jwk]}
    world.documents[JWKS]["keys"].append(world.status_key.public_jwk)
    assert await verify(world, world.party()) == "valid"


async def test_an_issuer_without_credentials_signs_lists_with_a_published_key(
    world: World,
) -> None:
    del world.documents[VC_ISSUER]
    world.documents[JWKS]["keys"].append(world.status_key.public_jwk)
    assert await world.party().check_mandate(read_mandate(MANDATE)) == "valid"


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"a.b.c"])
async def test_a_body_that_is_no_token_is_undetermined(world: World, body: bytes) -> None:
    world.documents[STATUS_URI] = FetchResult(200, {}, body)
    with pytest.raises(errors.StatusTokenInvalid):
        await verify(world, world.party())


@pytest.mark.parametrize(
    "uri", ["http://status.example/1", "file:///etc/hostname", "urn:x", "https://u:p@s.example/"]
)
async def test_addresses_that_may_not_be_fetched_are_undetermined(world: World, uri: str) -> None:
    status = {"status_list": {"idx": 5, "uri": uri}}
    text = await world.presentation(await world.issued(status=status))
    with pytest.raises(errors.StatusUnavailable):
        await world.party().verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert uri not in world.requests


async def test_kept_lists_are_bounded_in_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_source, "MAX_CACHED_BYTES", 400)  # a list here has 250 bytes
    party = world.party()
    for number in (1, 2, 1):
        uri = f"https://status.example/lists/{number}"
        token = await world.status_token(sub=uri)
        world.documents[uri] = FetchResult(200, {}, token.encode())
        status = {"status_list": {"idx": 5, "uri": uri}}
        text = await world.presentation(await world.issued(status=status))
        await party.verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert world.requests.count("https://status.example/lists/1") == 2


async def test_a_mandate_can_be_asked_for_later(world: World) -> None:
    party, mandate = world.party(), read_mandate(MANDATE)
    assert await party.check_mandate(mandate) == "valid"
    bare = {name: value for name, value in MANDATE.items() if name != "status"}
    assert await party.check_mandate(read_mandate(bare)) == "none"
    for value, error in (
        (1, errors.MandateRevoked),
        (2, errors.MandateSuspended),
        (3, errors.CredentialStatusNotValid),
    ):
        world.statuses.set(9, value)
        with pytest.raises(error):
            await world.party().check_mandate(mandate, issuer=ISSUER)
    world.failing.add(STATUS_URI)
    with pytest.raises(errors.StatusUnavailable):
        await world.party().check_mandate(mandate)
    assert await world.lenient().check_mandate(mandate) == "undetermined"


async def test_the_policy_bounds_the_ttl_that_a_list_states(world: World) -> None:
    world.status_changes = {"ttl": 2**40, "exp": ...}
    party = world.party(policy=Policy(status_ttl=0))
    assert await verify(world, party) == "valid"
    world.statuses.set(5, 1)
    with pytest.raises(errors.CredentialRevoked):
        await verify(world, party)


async def test_without_grace_an_old_list_does_not_serve(world: World) -> None:
    party = world.party(policy=Policy(status_ttl=0, status_grace=0))
    assert await verify(world, party) == "valid"
    world.failing.add(STATUS_URI)
    with pytest.raises(errors.StatusUnavailable):
        await verify(world, party)


async def test_a_list_does_not_give_way_to_one_signed_before_it(world: World) -> None:
    party, earlier = world.party(), await world.status_token()
    world.statuses.set(5, 1)
    world.now += 60
    with pytest.raises(errors.CredentialRevoked):
        await verify(world, party)
    world.documents[STATUS_URI] = FetchResult(200, {}, earlier.encode())
    world.now += 301
    with pytest.raises(errors.CredentialRevoked):
        await verify(world, party)
    assert world.requests.count(STATUS_URI) == 2


async def test_kept_lists_are_bounded_in_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_source, "MAX_CACHED_LISTS", 1)
    party = world.party()
    for number in (1, 2, 1):
        uri = f"https://status.example/lists/{number}"
        token = await world.status_token(sub=uri)
        world.documents[uri] = FetchResult(200, {}, token.encode())
        status = {"status_list": {"idx": 5, "uri": uri}}
        text = await world.presentation(await world.issued(status=status))
        await party.verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert world.requests.count("https://status.example/lists/1") == 2
