"""W3C credentials in a JWT at a relying party: order, holder's proof, the three outcomes."""

from typing import Any

import pytest

from corpid.relying_party import Kind, VerifiedCredential, errors, recognise
from keys.signer import generate
from oidc.formats import vc_jwt, vp_jwt
from oidc.formats.status_list import Status
from oidc.formats.status_reference import StatusReference
from tests.support.relying_world import AUDIENCE, ISSUER, NONCE, STATUS_URI, World
from tests.support.sd_jwt_forge import public
from tests.support.vc_forge import VC, forge

TYPE = "RepresentativeCredential"
SUBJECT: dict[str, Any] = {
    "legal_person_name": "Sample Kite Trading Limited",
    "person_role": {"representation_type": "SOLE", "role": "director"},
    "scope_of_representation_powers": ["pay"],
    "limit": {"amount": "50000.00", "currency": "HKD"},
    "validity_period_valid_from": "2026-01-01",
}


async def issued(world: World, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "issuer": ISSUER,
        "types": [TYPE],
        "issued_at": int(world.now),
        "valid_until": int(world.now) + 86_400,
        "holder_jwk": public(world.holder),
        "status": StatusReference(STATUS_URI, 5),
        **changes,
    }
    signer = arguments.pop("signer", world.credential_key)
    return await vc_jwt.issue(signer, SUBJECT, **arguments)


async def presented(world: World, *credentials: str, **changes: Any) -> str:
    arguments: dict[str, Any] = {
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": world.now,
        **changes,
    }
    signer = arguments.pop("signer", world.holder)
    return await vp_jwt.present(signer, credentials or [await issued(world)], **arguments)


async def verified(
    world: World, text: str, party: Any = None, **changes: Any
) -> VerifiedCredential:
    arguments: dict[str, Any] = {"audience": AUDIENCE, "nonce": NONCE, **changes}
    found: VerifiedCredential = await (party or world.party()).verify_credential(text, **arguments)
    return found


async def refuses(
    world: World, error: type[errors.RelyingPartyError], text: str, **changes: Any
) -> str | None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await verified(world, text, **changes)
    assert type(caught.value) is error
    return caught.value.detail


async def test_a_presentation_is_valid(world: World) -> None:
    found = await verified(world, await presented(world), types=TYPE)
    assert (found.type, found.issuer, found.format) == (TYPE, ISSUER, "vc+jwt")
    assert found.claims == SUBJECT
    assert found.holder_proven
    assert found.status == "valid"
    (mandate,) = found.mandates
    assert mandate.terms.powers == ("pay",)


async def test_a_credential_alone_says_what_the_issuer_said(world: World) -> None:
    found = await verified(world, await issued(world), audience=None, nonce=None)
    assert (found.holder_proven, found.status) == (False, "valid")
    await refuses(world, errors.KeyBindingMissing, await issued(world))


async def test_an_issuer_that_is_not_trusted_is_refused_and_nothing_is_fetched(
    world: World,
) -> None:
    text = await issued(world, issuer="https://stranger.example")
    await refuses(world, errors.IssuerUnexpected, await presented(world, text))
    assert world.requests == []


async def test_a_foreign_signature_is_refused_before_any_list_is_asked(world: World) -> None:
    text = await issued(world, signer=generate("ES256"))
    await refuses(world, errors.KeyUnknown, await presented(world, text))
    assert STATUS_URI not in world.requests


@pytest.mark.parametrize(
    ("detail", "changes"),
    [
        ("presentation_audience", {"audience": "x509_san_dns:other.example"}),
        ("presentation_nonce", {"nonce": "another"}),
        ("presentation_time", {"now": 1_700_000_000}),
        ("invalid_signature", {"signer": generate("ES256")}),
    ],
)
async def test_the_holders_proof_is_for_this_request(
    world: World, detail: str, changes: dict[str, Any]
) -> None:
    text = await presented(world, **changes)
    assert await refuses(world, errors.KeyBindingInvalid, text) == detail


async def test_another_type_is_refused(world: World) -> None:
    await refuses(world, errors.CredentialTypeUnexpected, await presented(world), types=["Another"])


async def test_expired_and_not_yet_valid(world: World) -> None:
    world.now -= 100_000
    old = await issued(world)
    world.now += 100_000
    await refuses(world, errors.CredentialExpired, await presented(world, old))
    early = await issued(world, issued_at=int(world.now) + 100, valid_until=int(world.now) + 200)
    await refuses(world, errors.CredentialNotYetValid, await presented(world, early))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (Status.INVALID, errors.CredentialRevoked),
        (Status.SUSPENDED, errors.CredentialSuspended),
    ],
)
async def test_revoked_and_suspended(
    world: World, status: Status, error: type[errors.RelyingPartyError]
) -> None:
    world.statuses.set(5, status)
    await refuses(world, error, await presented(world))


async def test_a_status_that_cannot_be_learned_is_undetermined(world: World) -> None:
    world.failing.add(STATUS_URI)
    text = await presented(world)
    await refuses(world, errors.StatusUnavailable, text)
    found = await verified(world, text, world.lenient())
    assert (found.status, found.undetermined_code) == ("undetermined", "status_unavailable")


async def test_a_status_of_a_kind_unknown_here_is_undetermined_and_not_none(world: World) -> None:
    entry = {"type": "BitstringStatusListEntry", "statusListIndex": "7"}
    text = await forge(world.credential_key, {"issuer": ISSUER, "credentialStatus": entry})
    arguments: dict[str, Any] = {"audience": None, "nonce": None}
    assert await refuses(world, errors.StatusUnavailable, text, **arguments) is not None
    found = await verified(world, text, world.lenient(), **arguments)
    assert found.status == "undetermined"


async def test_a_credential_without_status_is_refused_unless_the_policy_takes_it(
    world: World,
) -> None:
    text = await forge(world.credential_key, {"issuer": ISSUER})
    arguments: dict[str, Any] = {"audience": None, "nonce": None}
    await refuses(world, errors.CredentialStatusMissing, text, **arguments)
    found = await verified(world, text, world.lenient(require_status=False), **arguments)
    assert (found.status, found.claims) == ("none", VC["credentialSubject"])


async def test_of_several_credentials_none_is_chosen(world: World) -> None:
    one = await issued(world)
    assert (
        await refuses(world, errors.CredentialMalformed, await presented(world, one, one))
        == "several_credentials"
    )


async def test_it_is_recognised_by_its_type(world: World) -> None:
    assert recognise(await issued(world)) is Kind.CREDENTIAL
    assert recognise(await presented(world)) is Kind.CREDENTIAL
    found = await world.party().verify_any(await issued(world))
    assert isinstance(found, VerifiedCredential)


async def test_it_is_judged_as_of_an_instant_of_the_past(world: World) -> None:
    then, now = int(world.now) - 40_000, world.now
    await world.publish_past(then)
    world.now = then
    text = await presented(world, await issued(world, valid_until=then + 60))
    world.now = now
    world.statuses.set(5, Status.INVALID)
    arguments: dict[str, Any] = {"audience": AUDIENCE, "nonce": NONCE}
    found = await world.party().verify_credential(text, **arguments, at=then)
    assert (found.status, found.holder_proven) == ("valid", True)
    with pytest.raises(errors.CredentialExpired):
        await world.party().verify_credential(text, **arguments)
