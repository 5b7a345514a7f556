"""Signed authorization responses (JARM, 4.4)."""

from typing import Any

import pytest

from corpid.relying_party import errors
from keys.signer import generate
from tests.support.relying_world import ISSUER, JWKS, STATE, World


async def refuses(
    world: World, error: type[errors.RelyingPartyError], response: str, **changes: Any
) -> None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party().verify_authorization_response(response, **{"state": STATE, **changes})
    assert type(caught.value) is error


async def test_a_code_comes_with_the_state_that_was_sent(world: World) -> None:
    response = await world.authorization_response()
    found = await world.party().verify_authorization_response(response, state=STATE)
    assert (found.issuer, found.code, found.state) == (ISSUER, "code-1", STATE)
    assert found.error is found.error_description is None
    assert found.expires_at == world.now + 300


async def test_an_error_is_an_answer_too(world: World) -> None:
    response = await world.authorization_response(
        code=..., error="access_denied", error_description="the person refused"
    )
    found = await world.party().verify_authorization_response(response, state=STATE)
    assert found.code is None
    assert (found.error, found.error_description) == ("access_denied", "the person refused")


@pytest.mark.parametrize("given", ["another", "", ..., None])
async def test_refuses_another_state(world: World, given: Any) -> None:
    await refuses(world, errors.StateMismatch, await world.authorization_response(state=given))


async def test_refuses_a_state_where_none_was_sent(world: World) -> None:
    await refuses(world, errors.StateMismatch, await world.authorization_response(), state=None)
    response = await world.authorization_response(state=...)
    assert await world.party().verify_authorization_response(response, state=None)


async def test_refuses_another_issuer(world: World) -> None:
    for iss in ("https://other.example", ISSUER + "/", ...):
        response = await world.authorization_response(iss=iss)
        await refuses(world, errors.IssuerUnexpected, response)


@pytest.mark.parametrize("aud", ["other", ["other"], [], ...])
async def test_refuses_another_audience(world: World, aud: Any) -> None:
    await refuses(world, errors.AudienceUnexpected, await world.authorization_response(aud=aud))


async def test_jarm_4_4_refuses_one_that_is_over_or_has_no_end(world: World) -> None:
    response = await world.authorization_response()
    await refuses(world, errors.ClaimInvalid, await world.authorization_response(exp=...))
    await refuses(
        world, errors.ClaimInvalid, await world.authorization_response(exp=int(world.now) + 86_400)
    )
    world.now += 311
    await refuses(world, errors.TokenExpired, response)


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "oauth-authz-req+jwt"])
async def test_refuses_another_typ(world: World, typ: str) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.authorization_response(typ))


async def test_refuses_other_messages_of_the_same_type(world: World) -> None:
    await refuses(world, errors.ClaimInvalid, await world.id_token(state=STATE))
    await refuses(world, errors.ClaimInvalid, await world.id_token(state=STATE, code="code-1"))
    await refuses(world, errors.ClaimInvalid, await world.userinfo(state=STATE))


@pytest.mark.parametrize(
    "changes", [{"code": ...}, {"error": "server_error"}, {"code": 1}, {"code": ""}]
)
async def test_refuses_neither_or_both_of_code_and_error(world: World, changes: Any) -> None:
    await refuses(world, errors.ClaimInvalid, await world.authorization_response(**changes))


async def test_refuses_a_foreign_or_changed_signature_before_it_reads_anything(
    world: World,
) -> None:
    response = await world.authorization_response()
    changed = response[:-6] + ("AAAAAA" if not response.endswith("AAAAAA") else "BBBBBA")
    await refuses(world, errors.SignatureInvalid, changed, state="another")
    world.token_key = generate("ES256")
    await refuses(world, errors.KeyUnknown, await world.authorization_response(), state="another")


async def test_keys_that_cannot_be_had_leave_it_undetermined(world: World) -> None:
    world.failing.add(JWKS)
    await refuses(world, errors.KeysUnavailable, await world.authorization_response())
