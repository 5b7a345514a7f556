"""Mobile documents at a relying party: the order, the device, the three outcomes of status."""

from typing import Any

import pytest

from corpid.relying_party import (
    Kind,
    Policy,
    RelyingParty,
    VerifiedCredential,
    errors,
    openid4vp_transcript,
    recognise,
)
from keys import base64url
from oidc.formats import cbor, mdoc
from oidc.formats.status_list import Status
from tests.support.certificates import pem
from tests.support.mdoc_world import DAY, DOC_TYPE, NOW, Iaca, der, device, issued, shown
from tests.support.relying_world import AUDIENCE, ISSUER, NONCE, STATUS_URI, World

IACA = Iaca()
SIGNER, HOLDER = IACA.signer(), device()
TRANSCRIPT = openid4vp_transcript(
    client_id=AUDIENCE, nonce=NONCE, response_uri="https://bank.example/r", jwk_thumbprint=None
)
AUTHORITY: dict[str, Any] = {
    "person_role": {"representation_type": "SOLE", "role": "director"},
    "scope_of_representation_powers": ["pay"],
    "limit": {"amount": "50000.00", "currency": "HKD"},
    "validity_period_valid_from": "2026-01-01",
}
ELEMENTS = {"legal_person_name": "Sample Kite Trading Limited", "authority": AUTHORITY}


def party(world: World, *roots: bytes | str, **changes: Any) -> RelyingParty:
    return world.party(trust_anchors=roots or [der(IACA.certificate)], **changes)


async def ours(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "namespaces": {DOC_TYPE: ELEMENTS},
        "status": {"status_list": {"idx": 5, "uri": STATUS_URI}},
        **changes,
    }
    return await issued(arguments.pop("signer", SIGNER), HOLDER, **arguments)


async def presented(**changes: Any) -> str:
    data = await shown(await ours(), HOLDER, TRANSCRIPT, **changes)
    return base64url.encode(data)


async def verified(world: World, document: Any, *roots: Any, **changes: Any) -> VerifiedCredential:
    arguments: dict[str, Any] = {"session_transcript": TRANSCRIPT, **changes}
    return await party(world, *roots).verify_mdoc(document, **arguments)


async def refuses(
    world: World, error: type[errors.RelyingPartyError], document: Any, *roots: Any, **changes: Any
) -> str | None:
    with pytest.raises(errors.RelyingPartyError) as caught:
        await verified(world, document, *roots, **changes)
    assert type(caught.value) is error
    return caught.value.detail


async def test_a_presentation_is_valid(world: World) -> None:
    found = await verified(world, await presented(), types=DOC_TYPE)
    assert (found.type, found.issuer, found.format) == (DOC_TYPE, ISSUER, "mso_mdoc")
    assert found.claims == {"legal_person_name": "Sample Kite Trading Limited", **AUTHORITY}
    assert found.holder_proven
    assert found.status == "valid"
    (mandate,) = found.mandates
    assert mandate.terms.powers == ("pay",)
    assert (found.valid_from, found.valid_until) == (NOW, NOW + 30 * DAY)


async def test_what_narrows_an_authority_cannot_be_withheld(world: World) -> None:
    found = await verified(world, await presented(only=frozenset({"legal_person_name"})))
    assert found.mandates == (), "all of it, or nothing"


async def test_roots_may_be_pem_and_several(world: World) -> None:
    roots = pem(Iaca().certificate) + pem(IACA.certificate)
    assert (await verified(world, await presented(), roots)).status == "valid"
    with pytest.raises(ValueError, match=r"."):
        party(world, "no certificate")


async def test_without_a_root_nothing_is_trusted_and_nothing_fetched(world: World) -> None:
    text = await presented()
    assert await refuses(world, errors.CertificateChainInvalid, text, pem(Iaca().certificate)) == (
        "untrusted"
    )
    with pytest.raises(errors.CertificateChainInvalid):
        await world.party().verify_mdoc(text, session_transcript=TRANSCRIPT)
    assert world.requests == []


async def test_the_certificate_must_name_a_trusted_issuer(world: World) -> None:
    other = "https://other.example"
    data = await ours(signer=IACA.signer(issuer=other))
    arguments: dict[str, Any] = {"session_transcript": None}
    assert await refuses(world, errors.CertificateChainInvalid, data, **arguments) == "name"
    both = party(world, credential_issuers=[other])
    with pytest.raises(errors.KeysUnavailable):  # of whom it is, to verify the status list
        await both.verify_mdoc(data, **arguments)


async def test_what_is_handed_out_has_no_proof_of_a_device(world: World) -> None:
    data = await ours()
    found = await verified(world, data, session_transcript=None)
    assert (found.holder_proven, found.status) == (False, "valid")
    await refuses(world, errors.KeyBindingMissing, data)


async def test_another_session_is_refused_before_any_list_is_asked(world: World) -> None:
    other = openid4vp_transcript(
        client_id=AUDIENCE, nonce="another", response_uri="https://bank.example/r",
        jwk_thumbprint=None,
    )  # fmt: skip
    detail = await refuses(
        world, errors.KeyBindingInvalid, await presented(), session_transcript=other
    )
    assert detail == "device_authentication_invalid"
    assert world.requests == []


async def test_a_changed_element_is_refused(world: World) -> None:
    data = (await shown(await ours(), HOLDER, TRANSCRIPT)).replace(b"50000.00", b"90000.00")
    assert await refuses(world, errors.CredentialMalformed, data) == "mdoc_digest_mismatch"


async def test_another_type_is_refused(world: World) -> None:
    await refuses(world, errors.CredentialTypeUnexpected, await presented(), types=["another"])


async def test_expired_and_not_yet_valid(world: World) -> None:
    text = await presented()
    world.now += 31 * DAY
    await refuses(world, errors.CredentialExpired, text)
    later = mdoc.Validity(NOW, NOW + DAY, NOW + 2 * DAY)
    world.now = NOW
    await refuses(world, errors.CredentialNotYetValid, await ours(validity=later))


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
    await refuses(world, error, await presented())


async def test_a_status_that_cannot_be_learned_is_undetermined_and_not_revoked(
    world: World,
) -> None:
    world.failing.add(STATUS_URI)
    text = await presented()
    await refuses(world, errors.StatusUnavailable, text)
    lenient = party(world, policy=Policy(on_undetermined="accept"))
    found = await lenient.verify_mdoc(text, session_transcript=TRANSCRIPT)
    assert (found.status, found.undetermined_code) == ("undetermined", "status_unavailable")


async def test_of_several_documents_none_is_chosen(world: World) -> None:
    response = cbor.decode(await shown(await ours(), HOLDER, TRANSCRIPT))
    response["documents"] *= 2
    detail = await refuses(world, errors.CredentialMalformed, cbor.encode(response))
    assert detail == "several_documents"


@pytest.mark.parametrize("document", ["", "no base64url!", b"", b"\x80", "oA", bytes(600_000)])
async def test_what_is_no_mdoc_is_malformed(world: World, document: Any) -> None:
    await refuses(world, errors.CredentialMalformed, document)


async def test_it_is_recognised_by_its_shape(world: World) -> None:
    text = base64url.encode(await ours())
    assert recognise(text) is Kind.MDOC
    assert recognise(await presented()) is Kind.MDOC
    found = await party(world).verify_any(text)
    assert isinstance(found, VerifiedCredential)
    for other in ("oA", "oWFhAQ", "AAAA"):
        with pytest.raises(errors.NotRecognised):
            recognise(other)


async def test_it_is_judged_as_of_an_instant_of_the_past(world: World) -> None:
    document, then = await presented(), NOW + 60
    await world.publish_past(then)
    world.statuses.set(5, Status.INVALID)
    world.now = NOW + 400 * DAY
    assert (await verified(world, document, at=then)).status == "valid"
    with pytest.raises(errors.CertificateChainInvalid):
        await verified(world, document)
