"""Signed introspection answers (RFC 9701) and the access token that they describe (RFC 7662)."""

from typing import Any

import pytest

from corpid.relying_party import Policy, errors
from corpid.relying_party.results import Actor
from keys.signer import generate
from oidc.client_certificate import thumbprint_of
from tests.relying_party.test_access_token import proof, request
from tests.support.certificates import der, self_signed
from tests.support.relying_world import ISSUER, JWKS, World

TOKEN = "corpid_at_opaque"


async def verify(world: World, answer: str, **changes: Any) -> Any:
    party = world.party(policy=changes.pop("policy", Policy()))
    return await party.verify_introspection(answer, access_token=TOKEN, **changes)


async def refuses(
    world: World, error: type[errors.RelyingPartyError], answer: str, **changes: Any
) -> None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await verify(world, answer, **changes)
    assert type(caught.value) is error


async def test_an_active_token_states_client_scopes_and_business(world: World) -> None:
    found = await verify(world, await world.introspection(), scopes="accounts")
    assert (found.client_id, found.subject) == ("sample-client", "org-pairwise-1")
    assert found.scopes == {"accounts", "payments"}
    assert found.actor == Actor("person-pairwise-1", "person")
    assert found.mandate is not None
    assert found.claims["active"] is True


@pytest.mark.parametrize("typ", ["JWT", None, "at+jwt", "logout+jwt"])
async def test_rfc9701_5_refuses_another_typ(world: World, typ: str | None) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.introspection(typ))


async def test_rfc9701_5_refuses_an_answer_that_could_be_an_access_token(world: World) -> None:
    for extra in ({"sub": "org-pairwise-1"}, {"exp": int(world.now) + 60}):
        await refuses(world, errors.ClaimInvalid, await world.introspection(**extra))


async def test_refuses_another_issuer_outside_and_inside(world: World) -> None:
    other = "https://other.example"
    await refuses(world, errors.IssuerUnexpected, await world.introspection(iss=other))
    for iss in (other, ...):
        answer = await world.introspection(told={"iss": iss})
        await refuses(world, errors.IssuerUnexpected, answer)


async def test_refuses_an_answer_to_somebody_else_and_a_token_for_somebody_else(
    world: World,
) -> None:
    await refuses(world, errors.AudienceUnexpected, await world.introspection(aud="other"))
    for aud in ("https://other.example", [], ..., 1):
        answer = await world.introspection(told={"aud": aud})
        await refuses(world, errors.AudienceUnexpected, answer)
    several = await world.introspection(told={"aud": ["https://other.example", "x"]})
    assert await verify(world, several, audience="x")


async def test_rfc9701_5_inactive_is_an_error_of_its_own(world: World) -> None:
    answer = await world.introspection(token_introspection={"active": False})
    await refuses(world, errors.TokenInactive, answer)


@pytest.mark.parametrize(
    "told", [{"active": False, "sub": "x"}, {"active": "true"}, {"active": 1}, {}, [], "x", None]
)
async def test_rfc9701_5_refuses_what_does_not_say_whether_it_is_active(
    world: World, told: Any
) -> None:
    answer = await world.introspection(token_introspection=told)
    await refuses(world, errors.ClaimInvalid, answer)


async def test_refuses_an_answer_that_was_made_too_long_ago(world: World) -> None:
    answer = await world.introspection()
    world.now += 71
    await refuses(world, errors.AnswerTooOld, answer)
    assert await verify(world, answer, policy=Policy(answer_max_age=90))
    await refuses(world, errors.ClaimInvalid, await world.introspection(iat=...))
    ahead = await world.introspection(iat=int(world.now) + 60)
    await refuses(world, errors.TokenNotYetValid, ahead)


async def test_refuses_a_token_that_is_over_although_it_is_called_active(world: World) -> None:
    answer = await world.introspection(told={"exp": int(world.now) - 11})
    await refuses(world, errors.TokenExpired, answer)
    for name in ("exp", "iat", "client_id", "sub"):
        await refuses(world, errors.ClaimInvalid, await world.introspection(told={name: ...}))


async def test_refuses_missing_scope_and_low_assurance(world: World) -> None:
    answer = await world.introspection()
    await refuses(world, errors.ScopeMissing, answer, scopes=("accounts", "admin"))
    await refuses(world, errors.AssuranceTooLow, answer, min_acr="loa4")
    await refuses(world, errors.AuthenticationTooOld, answer, max_age=30)
    await refuses(world, errors.TokenNotBound, answer, require_binding=True)


async def test_a_bound_token_needs_the_proof_of_its_key(world: World) -> None:
    key = generate("ES256")
    answer = await world.introspection(told={"cnf": {"jkt": key.kid}, "token_type": "DPoP"})
    await refuses(world, errors.DpopMissing, answer)
    good = await proof(world, key, TOKEN)
    assert (await verify(world, answer, dpop=request(good))).key_thumbprint == key.kid
    other = await proof(world, key, "another token")
    await refuses(world, errors.DpopInvalid, answer, dpop=request(other))
    stranger = await proof(world, generate("ES256"), TOKEN)
    await refuses(world, errors.DpopKeyMismatch, answer, dpop=request(stranger))


async def test_a_bound_token_needs_its_certificate(world: World) -> None:
    certificate = der(self_signed(1_800_000_000))
    answer = await world.introspection(told={"cnf": {"x5t#S256": thumbprint_of(certificate)}})
    await refuses(world, errors.CertificateMissing, answer)
    assert await verify(world, answer, certificate=certificate, require_binding=True)


async def test_refuses_a_foreign_signature(world: World) -> None:
    answer = await world.introspection()
    world.token_key = generate("ES256")
    forged = await world.introspection(header={"kid": "unknown"})
    await refuses(world, errors.KeyUnknown, forged)
    assert await verify(world, answer)


async def test_keys_that_cannot_be_had_leave_it_undetermined(world: World) -> None:
    world.failing.add(JWKS)
    answer = await world.introspection()
    with pytest.raises(errors.KeysUnavailable) as caught:
        await verify(world, answer)
    assert isinstance(caught.value, errors.Undetermined)
    assert ISSUER not in str(caught.value)
