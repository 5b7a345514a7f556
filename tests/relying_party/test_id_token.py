"""ID tokens (OpenID Connect Core, 3.1.3.7) and what they say of a business."""

from hashlib import sha256
from typing import Any

import pytest

from corpid.relying_party import VerifiedIdToken, errors
from corpid.relying_party.results import Actor
from keys.base64url import encode
from keys.signer import generate
from tests.support.relying_world import CLIENT, ISSUER, MANDATE, NONCE, World


async def refuses(
    world: World, error: type[errors.RelyingPartyError], token: str, **changes: Any
) -> None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party().verify_id_token(token, **{"nonce": NONCE, **changes})
    assert type(caught.value) is error


async def test_a_verified_id_token_states_business_actor_and_authority(world: World) -> None:
    found = await world.party().verify_id_token(await world.id_token(), nonce=NONCE)
    assert isinstance(found, VerifiedIdToken)
    assert (found.issuer, found.subject, found.subject_type) == (
        ISSUER,
        "org-pairwise-1",
        "organisation",
    )
    assert found.actor == Actor("person-pairwise-1", "person")
    assert found.organisation is not None
    assert found.organisation.registration_number == "01234567"
    assert found.organisation.names == {
        "en": "Sample Kite Trading Limited",
        "zh-Hant": "樣本風箏貿易有限公司",
        "zh-Hans": "样本风筝贸易有限公司",
    }
    assert found.mandate is not None
    assert found.mandate.mandate_id == "m-pairwise-1"
    assert (found.acr, found.amr) == (f"{ISSUER}/acr/loa3", ("hwk", "user"))
    assert found.session_id == "session-1"
    assert found.auth_time == world.now - 60


@pytest.mark.parametrize("typ", ["JWT", None, "jwt"])
async def test_accepts_typ_jwt_or_none(world: World, typ: str | None) -> None:
    assert await world.party().verify_id_token(await world.id_token(typ), nonce=NONCE)


async def test_accepts_a_token_without_business_claims(world: World) -> None:
    bare = dict.fromkeys(
        ("act", "sub_attributes", "mandate", "acr", "amr", "sid", "auth_time"), ...
    )
    found = await world.party().verify_id_token(await world.id_token(**bare), nonce=NONCE)
    assert found.actor is found.organisation is found.mandate is None
    assert found.mandates == ()


async def test_several_mandates_are_all_stated_and_none_is_singled_out(world: World) -> None:
    two = [MANDATE, {**MANDATE, "mandate_id": "m-pairwise-2"}]
    found = await world.party().verify_id_token(await world.id_token(mandate=two), nonce=NONCE)
    assert [one.mandate_id for one in found.mandates] == ["m-pairwise-1", "m-pairwise-2"]
    assert found.mandate is None


async def test_an_agent_firm_nests_as_information(world: World) -> None:
    act = {"sub": "person", "act": {"sub": "firm", "sub_type": "organisation"}}
    found = await world.party().verify_id_token(await world.id_token(act=act), nonce=NONCE)
    assert found.actor == Actor("person", None, Actor("firm", "organisation"))


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "dpop+id_token", "dc+sd-jwt", "kb+jwt"])
async def test_refuses_another_type_of_token(world: World, typ: str) -> None:
    await refuses(world, errors.TokenTypeWrong, await world.id_token(typ))


async def test_refuses_another_issuer(world: World) -> None:
    for iss in (ISSUER + "/", "https://id.example", "https://other.example", ...):
        await refuses(world, errors.IssuerUnexpected, await world.id_token(iss=iss))


@pytest.mark.parametrize("aud", ["other", ["other"], [], 1, ...])
async def test_refuses_another_audience(world: World, aud: Any) -> None:
    await refuses(world, errors.AudienceUnexpected, await world.id_token(aud=aud))


async def test_refuses_several_audiences_without_azp(world: World) -> None:
    token = await world.id_token(aud=[CLIENT, "other"])
    await refuses(world, errors.AuthorizedPartyUnexpected, token)
    token = await world.id_token(aud=[CLIENT, "other"], azp=CLIENT)
    assert await world.party().verify_id_token(token, nonce=NONCE)


async def test_refuses_a_foreign_azp(world: World) -> None:
    await refuses(world, errors.AuthorizedPartyUnexpected, await world.id_token(azp="other"))


async def test_refuses_an_expired_token(world: World) -> None:
    token = await world.id_token()
    world.now += 311
    await refuses(world, errors.TokenExpired, token)


async def test_refuses_a_token_of_the_future(world: World) -> None:
    await refuses(world, errors.TokenNotYetValid, await world.id_token(iat=int(world.now) + 60))


@pytest.mark.parametrize("name", ["exp", "iat", "sub"])
async def test_refuses_a_missing_claim(world: World, name: str) -> None:
    await refuses(world, errors.ClaimInvalid, await world.id_token(**{name: ...}))


async def test_refuses_a_token_that_lives_too_long(world: World) -> None:
    await refuses(world, errors.ClaimInvalid, await world.id_token(exp=int(world.now) + 86_400))


@pytest.mark.parametrize("nonce", ["another", 1, None, ...])
async def test_refuses_another_nonce(world: World, nonce: Any) -> None:
    await refuses(world, errors.NonceMismatch, await world.id_token(nonce=nonce))


async def test_refuses_a_foreign_signature(world: World) -> None:
    stranger = generate("ES256")
    await refuses(world, errors.KeyUnknown, await world.id_token(signer=stranger))
    claims = world.id_claims()
    token = await world.signed(claims, "JWT", stranger, {"kid": world.token_key.kid})
    await refuses(world, errors.SignatureInvalid, token)


async def test_refuses_the_credential_key_for_tokens(world: World) -> None:
    await refuses(world, errors.KeyUnknown, await world.id_token(signer=world.credential_key))


async def test_refuses_algorithms_that_are_not_accepted(world: World) -> None:
    rsa = generate("RS256")
    world.documents["https://id.example/corp/jwks"]["keys"].append(rsa.public_jwk)
    await refuses(world, errors.AlgorithmRefused, await world.id_token(signer=rsa))


async def test_refuses_crit(world: World) -> None:
    import orjson

    header = encode(orjson.dumps({"alg": "ES256", "crit": ["x"], "x": 1}))
    await refuses(world, errors.TokenMalformed, f"{header}.e30.AAAA")


async def test_at_hash_and_c_hash_bind_what_came_with_the_token(world: World) -> None:
    half = encode(sha256(b"opaque").digest()[:16])
    token = await world.id_token(at_hash=half, c_hash=half)
    party = world.party()
    assert await party.verify_id_token(token, nonce=NONCE, access_token="opaque", code="opaque")
    await refuses(world, errors.HashMismatch, token, access_token="other")
    await refuses(world, errors.HashMismatch, token, code="other")


async def test_refuses_a_sign_in_too_long_ago(world: World) -> None:
    token = await world.id_token(auth_time=int(world.now) - 600)
    await refuses(world, errors.AuthenticationTooOld, token, max_age=300)
    assert await world.party().verify_id_token(token, nonce=NONCE, max_age=600)
    token = await world.id_token(auth_time=...)
    await refuses(world, errors.ClaimInvalid, token, max_age=300)


@pytest.mark.parametrize(
    ("acr", "minimum", "enough"),
    [
        ("loa3", "loa2", True),
        ("loa3", "loa3", True),
        ("loa3", f"{ISSUER}/acr/loa2", True),
        ("loa3", "loa4", False),
        ("loa1", "loa2", False),
        ("loa9", "loa1", False),
        ("loa33", "loa3", False),
    ],
)
async def test_level_of_assurance_is_compared_by_rank(
    world: World, acr: str, minimum: str, enough: bool
) -> None:
    token = await world.id_token(acr=f"{ISSUER}/acr/{acr}")
    if enough:
        assert await world.party().verify_id_token(token, nonce=NONCE, min_acr=minimum)
    else:
        await refuses(world, errors.AssuranceTooLow, token, min_acr=minimum)


@pytest.mark.parametrize("acr", ["loa4", "https://other.example/acr/loa4", ...])
async def test_a_level_under_another_name_counts_for_nothing(world: World, acr: Any) -> None:
    await refuses(world, errors.AssuranceTooLow, await world.id_token(acr=acr), min_acr="loa1")


async def test_acr_may_live_under_another_base(world: World) -> None:
    party = world.party(acr_base="https://names.example/acr")
    token = await world.id_token(acr="https://names.example/acr/loa3")
    assert await party.verify_id_token(token, nonce=NONCE, min_acr="loa3")


async def test_a_minimum_that_is_no_level_is_a_programming_error(world: World) -> None:
    with pytest.raises(ValueError, match="level"):
        await world.party().verify_id_token(await world.id_token(), nonce=NONCE, min_acr="high")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sub", ""),
        ("sub", "x" * 256),
        ("sub", "風箏"),
        ("sub_type", 1),
        ("act", "person"),
        ("act", {"sub_type": "person"}),
        ("act", {"sub": "1", "act": {"sub": "2", "act": 3}}),
        ("sub_attributes", []),
        ("sub_attributes", {"entity_name": "Sample"}),
        ("sub_attributes", {"entity_reg_number": 1234567}),
        ("acr", 3),
        ("amr", "pwd"),
        ("auth_time", "now"),
        ("sid", 1),
        ("mandate", "all"),
        ("mandate", {}),
        ("mandate", [MANDATE] * 21),
    ],
)
async def test_refuses_claims_of_a_wrong_form(world: World, name: str, value: Any) -> None:
    await refuses(world, errors.ClaimInvalid, await world.id_token(**{name: value}))


async def test_actors_nest_only_so_deep(world: World) -> None:
    act: dict[str, Any] = {"sub": "x"}
    for _ in range(5):
        act = {"sub": "x", "act": act}
    await refuses(world, errors.ClaimInvalid, await world.id_token(act=act))


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "x" * 20_000, "風.箏.風", "..", "e30.e30."])
async def test_refuses_what_is_no_token(world: World, text: str) -> None:
    await refuses(world, errors.TokenMalformed, text)
    assert world.requests == [], "nothing is fetched for what cannot be parsed"


async def test_client_id_must_come_from_somewhere(world: World) -> None:
    with pytest.raises(ValueError, match="client_id"):
        await world.party(client_id=None).verify_id_token(await world.id_token(), nonce=NONCE)


@pytest.mark.parametrize("auth_time", [11, 86_400, 1e300])
async def test_refuses_a_sign_in_of_the_future(world: World, auth_time: float) -> None:
    # It would pass every max_age.
    token = await world.id_token(auth_time=world.now + auth_time)
    with pytest.raises(errors.ClaimInvalid):
        await world.party().verify_id_token(token, nonce=NONCE, max_age=60)
