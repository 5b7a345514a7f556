"""UserInfo in a JWT (OpenID Connect Core, 5.3.2 and 5.3.4)."""

from typing import Any

import pytest

from corpid.relying_party import Policy, VerifiedIdToken, errors
from tests.support.relying_world import CLIENT, ISSUER, JWKS, NONCE, World


async def signed_in(world: World, **changes: Any) -> VerifiedIdToken:
    return await world.party().verify_id_token(await world.id_token(**changes), nonce=NONCE)


async def refuses(
    world: World, error: type[errors.RelyingPartyError], answer: str, **changes: Any
) -> None:
    who = await signed_in(world)
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party(**changes).verify_userinfo(answer, signed_in=who)
    assert type(caught.value) is error


async def test_it_speaks_of_the_business_and_the_person_who_signed_in(world: World) -> None:
    who = await signed_in(world)
    found = await world.party().verify_userinfo(await world.userinfo(), signed_in=who)
    assert (found.issuer, found.subject, found.actor) == (ISSUER, who.subject, who.actor)
    assert found.organisation is not None
    assert found.mandate is not None
    assert found.claims["name"] == "Sample Clerk"


async def test_core_5_3_2_refuses_another_subject(world: World) -> None:
    answer = await world.userinfo(sub="org-pairwise-2")
    await refuses(world, errors.SubjectMismatch, answer)


async def test_refuses_a_colleague_of_the_same_business(world: World) -> None:
    for act in ({"sub": "person-pairwise-2", "sub_type": "person"}, ...):
        await refuses(world, errors.SubjectMismatch, await world.userinfo(act=act))


async def test_core_5_3_2_refuses_another_issuer_or_audience(world: World) -> None:
    for iss in ("https://other.example", ...):
        await refuses(world, errors.IssuerUnexpected, await world.userinfo(iss=iss))
    for aud in ("other", ["other"], ...):
        await refuses(world, errors.AudienceUnexpected, await world.userinfo(aud=aud))
    several = await world.userinfo(aud=[CLIENT, "other"])
    who = await signed_in(world)
    assert await world.party().verify_userinfo(several, signed_in=who)


async def test_refuses_an_id_token(world: World) -> None:
    await refuses(world, errors.ClaimInvalid, await world.id_token())
    await refuses(world, errors.ClaimInvalid, await world.userinfo(exp=int(world.now) + 60))
    await refuses(world, errors.ClaimInvalid, await world.userinfo(nonce=NONCE))


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "token-introspection+jwt"])
async def test_refuses_another_typ(world: World, typ: str) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.userinfo(typ))


async def test_refuses_an_answer_without_a_time_or_of_long_ago(world: World) -> None:
    await refuses(world, errors.ClaimInvalid, await world.userinfo(iat=...))
    await refuses(world, errors.ClaimInvalid, await world.userinfo(sub=...))
    old = await world.userinfo(iat=int(world.now) - 71)
    await refuses(world, errors.AnswerTooOld, old)
    who = await signed_in(world)
    patient = world.party(policy=Policy(answer_max_age=3600))
    assert await patient.verify_userinfo(old, signed_in=who)


async def test_refuses_a_foreign_signature(world: World) -> None:
    await refuses(world, errors.KeyUnknown, await world.userinfo(signer=world.credential_key))


async def test_keys_that_cannot_be_had_leave_it_undetermined(world: World) -> None:
    who, answer = await signed_in(world), await world.userinfo()
    world.failing.add(JWKS)
    with pytest.raises(errors.KeysUnavailable):
        await world.party().verify_userinfo(answer, signed_in=who)
