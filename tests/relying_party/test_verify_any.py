"""One thing at a time: what it is, then its own verifier and no other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpid.relying_party import (
    Kind,
    RelyingPartyError,
    VerifiedAccessToken,
    VerifiedAuthorizationResponse,
    VerifiedCredential,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedStatus,
    VerifiedUserInfo,
    errors,
    recognise,
)
from keys.signer import generate
from oidc.formats import status_token
from tests.support.relying_world import AUDIENCE, NONCE, STATE, STATUS_URI, World


async def test_each_kind_goes_to_its_verifier(world: World) -> None:
    party = world.party()
    assert isinstance(await party.verify_any(await world.id_token()), VerifiedIdToken)
    assert isinstance(await party.verify_any(await world.access_token()), VerifiedAccessToken)
    assert isinstance(await party.verify_any(await world.logout_token()), VerifiedLogoutToken)
    assert isinstance(await party.verify_any(await world.issued()), VerifiedCredential)
    told = await party.verify_any(await world.introspection())
    assert isinstance(told, VerifiedAccessToken)
    answered = await party.verify_any(await world.authorization_response())
    assert isinstance(answered, VerifiedAuthorizationResponse)
    assert isinstance(await party.verify_any(await world.userinfo()), VerifiedUserInfo)
    found = await party.verify_any(await world.status_token())
    assert isinstance(found, VerifiedStatus)
    assert (found.uri, found.bits, found.entries) == (STATUS_URI, 2, 1000)


async def test_a_presentation_is_tied_to_its_holder_when_a_nonce_is_given(world: World) -> None:
    party, text = world.party(), await world.presentation()
    found = await party.verify_any(text, audience=AUDIENCE, nonce=NONCE)
    assert isinstance(found, VerifiedCredential)
    assert found.holder_proven
    with pytest.raises(errors.KeyBindingInvalid):
        await party.verify_any(text, audience=AUDIENCE, nonce="another")
    found = await party.verify_any(text)
    assert isinstance(found, VerifiedCredential)
    assert not found.holder_proven


async def test_an_id_token_is_tied_to_its_sign_in_when_a_nonce_is_given(world: World) -> None:
    with pytest.raises(errors.NonceMismatch):
        await world.party().verify_any(await world.id_token(), nonce="another")


async def test_an_authorization_response_is_tied_to_its_request_when_a_state_is_given(
    world: World,
) -> None:
    response = await world.authorization_response()
    with pytest.raises(errors.StateMismatch):
        await world.party().verify_any(response, state="another")
    assert await world.party().verify_any(response, state=STATE)


async def test_an_access_token_that_is_bound_is_not_passed_without_its_proof(world: World) -> None:
    answer = await world.introspection(told={"cnf": {"jkt": "thumbprint"}})
    with pytest.raises(errors.DpopMissing):
        await world.party().verify_any(answer)


@pytest.mark.parametrize("typ", ["dpop+jwt", "kb+jwt", "vc+sd-jwt", "secevent+jwt", "x/y"])
async def test_other_signed_things_are_not_recognised(world: World, typ: str) -> None:
    with pytest.raises(errors.NotRecognised):
        recognise(await world.signed({}, typ))


async def test_typ_and_shape_must_agree(world: World) -> None:
    with pytest.raises(errors.NotRecognised):
        recognise((await world.issued()).split("~")[0])
    with pytest.raises(errors.NotRecognised):
        recognise(await world.id_token() + "~")
    assert recognise(await world.issued()) is Kind.CREDENTIAL


async def test_a_status_list_without_sub_is_refused(world: World) -> None:
    with pytest.raises(errors.ClaimInvalid):
        await world.party().verify_any(await world.status_token(sub=...))
    with pytest.raises(errors.StatusExpired):
        await world.party().verify_any(await world.status_token(exp=1))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text() | st.text("eyJ0.~-_=abc"))
async def test_arbitrary_text_raises_only_our_errors(world: World, text: str) -> None:
    with pytest.raises(RelyingPartyError):
        await world.party().verify_any(text)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_any_change_of_a_presentation_raises_only_our_errors(
    world: World, data: st.DataObject
) -> None:
    text = await world.presentation()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("Aab9-_.~=é"))
    changed = text[:place] + letter + text[place + data.draw(st.integers(0, 1)) :]
    if changed == text:
        return
    with pytest.raises(RelyingPartyError):
        await world.party().verify_credential(changed, audience=AUDIENCE, nonce=NONCE)


async def test_a_nonce_without_audience_is_not_passed_over_for_a_credential(world: World) -> None:
    with pytest.raises(ValueError, match="audience"):
        await world.party().verify_any(await world.presentation(), nonce="another")


async def test_a_strangers_status_list_is_refused_before_its_claims_are_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(payload: bytes) -> dict[str, object]:
        raise AssertionError("read before the signature was verified")

    monkeypatch.setattr(status_token, "parse_claims", read)
    token = await world.status_token(generate("ES256"))
    with pytest.raises(errors.StatusTokenInvalid):
        await world.party().verify_any(token)


async def test_bytes_are_a_status_list_or_nothing(world: World) -> None:
    token = await world.status_cwt()
    assert recognise(token) is Kind.STATUS_LIST
    assert isinstance(await world.party().verify_any(token), VerifiedStatus)
    for other in (b"", (await world.status_token()).encode(), token[1:]):
        with pytest.raises(errors.NotRecognised):
            await world.party().verify_any(other)
