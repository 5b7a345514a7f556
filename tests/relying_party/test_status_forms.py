"""Status lists as CWT, and as they were (Token Status List, 8.1, 8.2 and 8.4)."""

from typing import Any

import pytest

from corpid.relying_party import FetchResult, Policy, errors
from corpid.relying_party.mandates import read_mandate
from keys.signer import generate
from oidc.formats.status_list import Status
from tests.support.relying_world import AUDIENCE, MANDATE, NONCE, NOW, STATUS_URI, World

CWT_FIRST = Policy(status_formats=("cwt", "jwt"))
THEN = NOW - 40_000
DAY = 86_400


async def verify(party: Any, text: str, **changes: Any) -> str:
    found = await party.verify_credential(text, audience=AUDIENCE, nonce=NONCE, **changes)
    return str(found.status)


async def made_then(world: World, **changes: Any) -> str:
    """A presentation that was received at THEN, of a credential of the day before."""
    now, world.now = world.now, THEN
    text = await world.presentation(await world.issued(iat=THEN - DAY, exp=THEN + 60, **changes))
    world.now = now
    return text


async def test_tsl_8_1_both_forms_are_asked_for_the_jwt_first(world: World) -> None:
    await verify(world.party(), await world.presentation())
    assert world.accepted[STATUS_URI] == (
        "application/statuslist+jwt, application/statuslist+cwt;q=0.9"
    )
    await verify(world.party(policy=CWT_FIRST), await world.presentation())
    assert world.accepted[STATUS_URI] == (
        "application/statuslist+cwt, application/statuslist+jwt;q=0.9"
    )


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (Status.INVALID, errors.CredentialRevoked),
        (Status.SUSPENDED, errors.CredentialSuspended),
        (3, errors.CredentialStatusNotValid),
    ],
)
async def test_a_cwt_says_the_same_as_the_jwt(
    world: World, value: int, error: type[Exception]
) -> None:
    party = world.party(policy=CWT_FIRST)
    assert await verify(party, await world.presentation()) == "valid"
    world.statuses.set(5, value)
    world.now += 301
    with pytest.raises(error):
        await verify(party, await world.presentation())


@pytest.mark.parametrize("wanted", ["jwt", "cwt"])
async def test_a_form_that_is_not_accepted_is_undetermined(world: World, wanted: Any) -> None:
    other = await (world.status_cwt() if wanted == "jwt" else world.status_token())
    body = other if isinstance(other, bytes) else other.encode()
    world.documents[STATUS_URI] = FetchResult(200, {}, body)
    party = world.party(policy=Policy(status_formats=(wanted,)))
    with pytest.raises(errors.StatusTokenInvalid, match="not wanted"):
        await verify(party, await world.presentation())


async def test_a_cwt_that_does_not_hold_is_undetermined(world: World) -> None:
    good = await world.status_cwt()
    for body in (
        await world.status_cwt(generate("ES256")),
        await world.status_cwt(issued_at=NOW + 60),
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:40],
        good[:1],
    ):
        world.documents[STATUS_URI] = FetchResult(200, {}, body)
        with pytest.raises(errors.StatusTokenInvalid):
            await verify(world.party(), await world.presentation())
    world.documents[STATUS_URI] = FetchResult(200, {}, await world.status_cwt(expires_at=NOW - 60))
    with pytest.raises(errors.StatusExpired):
        await verify(world.party(), await world.presentation())


async def test_a_status_list_in_bytes_says_which_list_it_is(world: World) -> None:
    found = await world.party().verify_status_list(await world.status_cwt())
    assert (found.uri, found.entries, found.bits) == (STATUS_URI, 1000, 2)


async def test_tsl_8_4_what_is_revoked_now_was_valid_then(world: World) -> None:
    text = await made_then(world)
    await world.publish_past(THEN)
    world.statuses.set(5, Status.INVALID)
    party = world.party()
    assert await verify(party, text, at=THEN) == "valid"
    assert f"{STATUS_URI}?time={THEN}" in world.requests
    with pytest.raises(errors.CredentialExpired):
        await verify(party, text)


async def test_tsl_8_4_what_is_valid_now_was_suspended_then(world: World) -> None:
    text = await made_then(world)
    world.statuses.set(5, Status.SUSPENDED)
    await world.publish_past(THEN)
    world.statuses.set(5, Status.VALID)
    with pytest.raises(errors.CredentialSuspended):
        await verify(world.party(), text, at=THEN)


async def test_as_of_then_the_credential_and_its_proof_are_judged_by_then(world: World) -> None:
    party = world.party()
    for at in (THEN - 2 * DAY, THEN + 100):
        await world.publish_past(at)
    text = await made_then(world)
    with pytest.raises(errors.CredentialExpired):
        await verify(party, text, at=THEN + 100)
    early = await world.presentation(await world.issued(nbf=NOW - 60))
    with pytest.raises(errors.CredentialNotYetValid):
        await verify(party, early, at=THEN)
    fresh = await world.presentation(await world.issued(iat=THEN - DAY))
    with pytest.raises(errors.KeyBindingInvalid, match="key_binding_time"):
        await verify(party, fresh, at=THEN)


@pytest.mark.parametrize(
    "changes",
    [{"iat": THEN + 1}, {"iat": NOW, "exp": NOW + 60}],
    ids=["signed a second later", "the present one"],
)
async def test_tsl_8_4_a_list_of_a_later_time_is_undetermined(
    world: World, changes: dict[str, int]
) -> None:
    await world.publish_past(THEN, **changes)
    with pytest.raises(errors.StatusTokenInvalid, match="status_token_not_yet_valid"):
        await verify(world.party(), await made_then(world), at=THEN)


async def test_tsl_8_4_a_list_of_an_earlier_time_is_undetermined(world: World) -> None:
    await world.publish_past(THEN, iat=THEN - 60, exp=THEN)
    with pytest.raises(errors.StatusExpired):
        await verify(world.party(), await made_then(world), at=THEN)


@pytest.mark.parametrize("answer", [404, 406, 501])
async def test_tsl_8_4_an_issuer_that_does_not_know_is_undetermined(
    world: World, answer: int
) -> None:
    world.documents[f"{STATUS_URI}?time={THEN}"] = FetchResult(answer, {}, b"")
    text = await made_then(world)
    with pytest.raises(errors.StatusUnavailable):
        await verify(world.party(), text, at=THEN)
    assert await verify(world.lenient(), text, at=THEN) == "undetermined"


async def test_the_present_list_and_the_past_one_are_not_taken_for_each_other(
    world: World,
) -> None:
    text, party = await made_then(world), world.party()
    await world.publish_past(THEN)
    now = await world.presentation()
    assert await verify(party, now) == "valid"
    assert await verify(party, text, at=THEN) == "valid"
    world.statuses.set(5, Status.INVALID)
    world.now += 301
    with pytest.raises(errors.CredentialRevoked):
        await verify(party, await world.presentation())
    assert await verify(party, text, at=THEN + 0.9) == "valid"  # kept: what was does not change
    assert world.requests.count(f"{STATUS_URI}?time={THEN}") == 1
    assert world.requests.count(STATUS_URI) == 2


async def test_a_query_in_the_address_of_the_list_stays(world: World) -> None:
    uri = f"{STATUS_URI}?shard=3"
    token = await world.status_token(sub=uri, iat=THEN, exp=THEN + 60)
    world.documents[f"{uri}&time={THEN}"] = FetchResult(200, {}, token.encode())
    text = await made_then(world, status={"status_list": {"idx": 5, "uri": uri}})
    assert await verify(world.party(), text, at=THEN) == "valid"


async def test_a_mandate_is_asked_for_then(world: World) -> None:
    await world.publish_past(THEN)
    world.statuses.set(9, Status.INVALID)
    party, mandate = world.party(), read_mandate(MANDATE)
    assert await party.check_mandate(mandate, at=THEN) == "valid"
    with pytest.raises(errors.MandateRevoked):
        await party.check_mandate(mandate)


async def test_nobody_knows_the_future_and_tokens_count_only_now(world: World) -> None:
    party, text = world.party(), await world.presentation()
    with pytest.raises(ValueError, match="future"):
        await verify(party, text, at=world.now + 1)
    with pytest.raises(ValueError, match="credentials"):
        await party.verify_any(await world.id_token(), at=THEN)
    assert world.requests == []
