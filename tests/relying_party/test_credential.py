"""Credentials: the order of the checks, the holder's proof, and the three outcomes of status."""

from typing import Any

import pytest

from corpid.relying_party import Policy, VerifiedCredential, errors
from keys.signer import generate
from oidc.formats import sd_jwt
from oidc.formats.errors import FormatsError
from tests.support.relying_world import (
    AUDIENCE,
    ISSUER,
    MANDATE,
    NONCE,
    NOW,
    STATUS_URI,
    VC_ISSUER,
    VCT,
    World,
)
from tests.support.sd_jwt_forge import disclosure, forge


async def refuses(
    world: World,
    error: type[errors.RelyingPartyError],
    text: str,
    detail: str | None = None,
    **changes: Any,
) -> None:
    arguments = {"audience": AUDIENCE, "nonce": NONCE, **changes}
    with pytest.raises(errors.RelyingPartyError) as caught:
        await world.party().verify_credential(text, **arguments)
    assert type(caught.value) is error
    if detail is not None:
        assert caught.value.detail == detail


async def accepted(world: World, text: str | None = None, **changes: Any) -> VerifiedCredential:
    arguments = {"audience": AUDIENCE, "nonce": NONCE, **changes}
    shown = await world.presentation() if text is None else text
    return await world.party().verify_credential(shown, **arguments)


async def test_a_verified_credential_states_type_issuer_holder_and_status(world: World) -> None:
    found = await accepted(world, types=VCT)
    assert (found.type, found.issuer, found.status) == (VCT, ISSUER, "valid")
    assert found.claims["legal_person_name"] == "Sample Kite Trading Limited"
    assert "brn" not in found.claims, "the holder kept it"
    assert found.holder_thumbprint == world.holder.kid
    assert found.holder_proven
    assert found.valid_until == world.now + 86_400
    assert found.undetermined_code is None


async def test_a_credential_may_state_a_mandate(world: World) -> None:
    text = await world.presentation(await world.issued(mandate=MANDATE))
    assert (await accepted(world, text)).mandates[0].mandate_id == "m-pairwise-1"
    text = await world.presentation(await world.issued(mandate={"type": "other"}))
    await refuses(world, errors.ClaimInvalid, text)


# 1. issuer


@pytest.mark.parametrize("iss", ["https://other.example", ISSUER + "/", 1, None, ...])
async def test_refuses_an_issuer_that_is_not_trusted_and_fetches_nothing(
    world: World, iss: Any
) -> None:
    text = await forge(world.credential_key, {"vct": VCT, **({} if iss is ... else {"iss": iss})})
    await refuses(world, errors.IssuerUnexpected, text)
    assert world.requests == []


async def test_further_issuers_can_be_trusted(world: World) -> None:
    party = world.party(issuer="https://main.example", credential_issuers=[ISSUER])
    found = await party.verify_credential(
        await world.presentation(), audience=AUDIENCE, nonce=NONCE
    )
    assert found.issuer == ISSUER


# 2. signature and form


async def test_refuses_a_foreign_signature(world: World) -> None:
    text = await world.presentation(await world.issued(generate("ES256")))
    await refuses(world, errors.KeyUnknown, text)


async def test_refuses_the_token_key_for_credentials(world: World) -> None:
    text = await world.presentation(await world.issued(world.token_key))
    await refuses(world, errors.KeyUnknown, text)


async def test_refuses_another_typ(world: World) -> None:
    text = await forge(world.credential_key, {"iss": ISSUER, "vct": VCT}, typ="vc+sd-jwt")
    await refuses(world, errors.TokenTypeWrong, text)


async def test_a_broken_rule_of_the_format_is_named_in_the_detail(world: World) -> None:
    text, _ = disclosure("salt", "name", 1)
    whole = await forge(world.credential_key, {"iss": ISSUER, "vct": VCT}, [text])
    await refuses(world, errors.CredentialMalformed, whole, "unreferenced_disclosure")


async def test_refuses_an_expired_credential(world: World) -> None:
    issued = await world.issued()
    world.now += 86_500
    text = await world.presentation(issued)
    await refuses(world, errors.CredentialExpired, text)


async def test_refuses_a_credential_of_the_future(world: World) -> None:
    text = await world.presentation(await world.issued(nbf=int(world.now) + 60))
    await refuses(world, errors.CredentialNotYetValid, text)


@pytest.mark.parametrize("text", ["", "~", "a~b~c", "a.b.c~", "風~", "x" * 200_000])
async def test_refuses_what_is_no_credential_and_fetches_nothing(world: World, text: str) -> None:
    with pytest.raises((errors.CredentialMalformed, errors.TokenMalformed)):
        await world.party().verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert world.requests == []


# 3. type


async def test_refuses_another_type_than_asked_for(world: World) -> None:
    text = await world.presentation()
    await refuses(world, errors.CredentialTypeUnexpected, text, types=f"{VCT}x")
    await refuses(world, errors.CredentialTypeUnexpected, text, types=[])
    assert await accepted(world, text, types=["other", VCT])


# 4. holder


async def test_refuses_a_credential_without_the_holders_proof(world: World) -> None:
    await refuses(world, errors.KeyBindingMissing, await world.issued())


async def test_refuses_a_bearer_credential_where_a_proof_is_asked(world: World) -> None:
    text = await forge(world.credential_key, {"iss": ISSUER, "vct": VCT})
    await refuses(world, errors.KeyBindingInvalid, text, "holder_key_missing")


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"audience": "bank.example"}, "key_binding_audience"),
        ({"nonce": "another"}, "key_binding_nonce"),
    ],
)
async def test_refuses_a_proof_for_another_verifier_or_request(
    world: World, changes: dict[str, Any], detail: str
) -> None:
    text = await world.presentation(**changes)
    await refuses(world, errors.KeyBindingInvalid, text, detail)


async def test_refuses_an_old_proof(world: World) -> None:
    text = await world.presentation()
    world.now += 301
    await refuses(world, errors.KeyBindingInvalid, text, "key_binding_time")


async def test_refuses_a_proof_of_another_key(world: World) -> None:
    issued = await world.issued()
    world.holder = generate("ES256")
    text = await world.presentation(issued)
    await refuses(world, errors.KeyBindingInvalid, text, "invalid_signature")


async def test_refuses_a_proof_over_other_disclosures(world: World) -> None:
    text = await world.presentation()
    jwt, _, proof = text.split("~")
    await refuses(world, errors.KeyBindingInvalid, f"{jwt}~{proof}", "key_binding_hash")


async def test_without_a_challenge_the_holder_is_not_proven(world: World) -> None:
    found = await accepted(world, await world.issued(), audience=None, nonce=None)
    assert not found.holder_proven


async def test_half_a_challenge_is_a_programming_error(world: World) -> None:
    with pytest.raises(ValueError, match="both"):
        await accepted(world, nonce=None)


# 5. status


async def test_status_is_never_fetched_for_an_invalid_credential(world: World) -> None:
    text = await world.presentation(nonce="another")
    await refuses(world, errors.KeyBindingInvalid, text)
    await refuses(world, errors.CredentialTypeUnexpected, text, types="other")
    expired = await world.presentation(await world.issued(exp=int(world.now) - 60))
    await refuses(world, errors.CredentialExpired, expired)
    assert set(world.requests) == {VC_ISSUER}


async def test_refuses_a_revoked_credential(world: World) -> None:
    world.statuses.set(5, 1)
    await refuses(world, errors.CredentialRevoked, await world.presentation())


async def test_refuses_a_suspended_credential(world: World) -> None:
    world.statuses.set(5, 2)
    await refuses(world, errors.CredentialSuspended, await world.presentation())


async def test_refuses_a_status_of_unknown_meaning(world: World) -> None:
    world.statuses.set(5, 3)
    await refuses(world, errors.CredentialStatusNotValid, await world.presentation())


async def test_refuses_an_index_that_the_list_does_not_have(world: World) -> None:
    status = {"status_list": {"idx": 1000, "uri": STATUS_URI}}
    text = await world.presentation(await world.issued(status=status))
    await refuses(world, errors.StatusIndexOutOfRange, text)


async def test_refuses_a_credential_without_status_unless_the_policy_allows(world: World) -> None:
    text = await world.presentation(await world.issued(status=...))
    await refuses(world, errors.CredentialStatusMissing, text)
    party = world.party(policy=Policy(require_status=False))
    found = await party.verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert found.status == "none"


async def test_status_can_be_left_out_on_purpose(world: World) -> None:
    assert (await accepted(world, check_status=False)).status == "unchecked"
    assert STATUS_URI not in world.requests


async def test_a_list_that_cannot_be_fetched_is_undetermined_not_revoked(world: World) -> None:
    world.failing.add(STATUS_URI)
    await refuses(world, errors.StatusUnavailable, await world.presentation())


async def test_the_policy_may_accept_an_undetermined_status(world: World) -> None:
    world.failing.add(STATUS_URI)
    text = await world.presentation()
    found = await world.lenient().verify_credential(text, audience=AUDIENCE, nonce=NONCE)
    assert (found.status, found.undetermined_code) == ("undetermined", "status_unavailable")


async def test_the_policy_never_passes_over_a_revocation(world: World) -> None:
    world.statuses.set(5, 1)
    text = await world.presentation()
    with pytest.raises(errors.CredentialRevoked):
        await world.lenient().verify_credential(text, audience=AUDIENCE, nonce=NONCE)


async def test_the_policy_never_passes_over_missing_keys(world: World) -> None:
    world.failing.add(VC_ISSUER)
    text = await world.presentation()
    with pytest.raises(errors.KeysUnavailable):
        await world.lenient().verify_credential(text, audience=AUDIENCE, nonce=NONCE)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": 1}, errors.StatusExpired),
        ({"sub": "https://status.example/lists/8"}, errors.StatusTokenInvalid),
        ({"iat": 4_000_000_000}, errors.StatusTokenInvalid),
        ({"status_list": {"bits": 1, "lst": "x"}}, errors.StatusTokenInvalid),
    ],
)
async def test_a_list_that_proves_nothing_is_undetermined(
    world: World, changes: dict[str, Any], error: type[errors.RelyingPartyError]
) -> None:
    world.status_changes = changes
    await refuses(world, error, await world.presentation())


async def test_every_format_error_becomes_one_of_ours(world: World) -> None:
    from corpid.relying_party.translation import translated
    from oidc.formats import errors as format_errors

    classes = [
        one
        for one in vars(format_errors).values()
        if isinstance(one, type) and issubclass(one, FormatsError)
    ]
    for one in classes:
        made = one.__new__(one)
        assert isinstance(translated(made), errors.VerificationFailed)
    assert sd_jwt.CREDENTIAL_TYP == "dc+sd-jwt"


@pytest.mark.parametrize("hidden", ["open", "disclosed", "deep"])
async def test_a_mandate_is_shown_whole_or_not_at_all(world: World, hidden: str) -> None:
    # A holder who keeps the limit back would be taken for one without a limit.
    limit, digest = disclosure("salt", "limit", MANDATE["limit"])
    narrowed: dict[str, Any] = {**MANDATE, "_sd": [digest]}
    del narrowed["limit"]
    if hidden == "deep":
        narrowed = {**MANDATE, "limit": {"_sd": [digest]}}
    text, whole = disclosure("salt", "mandate", narrowed)
    claims = {"iss": ISSUER, "vct": VCT, "iat": NOW, "exp": NOW + 60}
    for shown in ([], [limit]):
        if hidden == "disclosed":
            credential = await forge(
                world.credential_key, {**claims, "_sd": [whole]}, [text, *shown]
            )
        else:
            credential = await forge(world.credential_key, {**claims, "mandate": narrowed}, shown)
        with pytest.raises(errors.CredentialMalformed) as caught:
            await world.party().verify_credential(credential, audience=None, nonce=None)
        assert caught.value.detail == "protected_claim_disclosed"


async def test_a_whole_mandate_may_be_disclosed(world: World) -> None:
    text, digest = disclosure("salt", "mandate", MANDATE)
    claims = {"iss": ISSUER, "vct": VCT, "iat": NOW, "exp": NOW + 60, "_sd": [digest]}
    party = world.party(policy=Policy(require_status=False))
    credential = await forge(world.credential_key, claims, [text])
    found = await party.verify_credential(credential, audience=None, nonce=None)
    assert found.mandates[0].terms.limit is not None
