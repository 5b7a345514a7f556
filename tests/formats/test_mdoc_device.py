"""That the holder's device shows an mdoc (ISO/IEC 18013-5, 9.1.3), and each reason to refuse it."""

from typing import Any

import pytest

from keys.signer import LocalSigner
from oidc.formats import cose, mdoc
from oidc.formats import mdoc_errors as errors
from tests.support.mdoc_world import DOC_TYPE, NOW, Iaca, device, forged, issued, shown, transcript

TRANSCRIPT = transcript()


async def _presented(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner, **changes: Any
) -> tuple[mdoc.UnverifiedDocument, mdoc.VerifiedMdoc]:
    by = changes.pop("by", mdoc_holder)
    data = await shown(await issued(document_signer, mdoc_holder), by, TRANSCRIPT, **changes)
    (document,) = mdoc.parse_device_response(data)
    found = mdoc.verify(document.issuer_signed, [iaca.certificate], now=NOW, doc_type=None)
    return document, found


async def test_a_holder_shows_some_elements(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    document, found = await _presented(
        iaca, document_signer, mdoc_holder, only=frozenset({"branches"})
    )
    assert found.namespaces == {DOC_TYPE: {"branches": 3}}
    assert mdoc.verify_device(document, found, TRANSCRIPT) == {}


async def test_refuses_another_session(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    document, found = await _presented(iaca, document_signer, mdoc_holder)
    other = transcript("another nonce")
    with pytest.raises(errors.DeviceAuthenticationInvalid):
        mdoc.verify_device(document, found, other)


async def test_refuses_another_device(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    document, found = await _presented(iaca, document_signer, mdoc_holder, by=device())
    with pytest.raises(errors.DeviceAuthenticationInvalid):
        mdoc.verify_device(document, found, TRANSCRIPT)


async def test_refuses_a_document_of_another_type(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    document, found = await _presented(iaca, document_signer, mdoc_holder, doc_type="another.type")
    with pytest.raises(errors.DocTypeMismatch):
        mdoc.verify_device(document, found, TRANSCRIPT)


async def test_9_1_2_4_refuses_what_the_device_may_not_say(
    iaca: Iaca, document_signer: LocalSigner, mdoc_holder: LocalSigner
) -> None:
    document, found = await _presented(
        iaca, document_signer, mdoc_holder, said={DOC_TYPE: {"branches": 99}}
    )
    with pytest.raises(errors.DeviceElementUnauthorized):
        mdoc.verify_device(document, found, TRANSCRIPT)


@pytest.mark.parametrize(
    "authorizations",
    [{"nameSpaces": ["another"]}, {"dataElements": {"another": ["amount"]}}],
)
async def test_9_1_2_4_the_device_may_say_what_the_issuer_authorized(
    iaca: Iaca,
    document_signer: LocalSigner,
    mdoc_holder: LocalSigner,
    authorizations: dict[str, Any],
) -> None:
    info = {"deviceKey": cose.cose_key(mdoc_holder.public_jwk), "keyAuthorizations": authorizations}
    data = await forged(document_signer, mdoc_holder, security={"deviceKeyInfo": info})
    said = {"another": {"amount": 7}}
    response = await shown(data, mdoc_holder, TRANSCRIPT, said=said)
    (document,) = mdoc.parse_device_response(response)
    found = mdoc.verify(document.issuer_signed, [iaca.certificate], now=NOW, doc_type=DOC_TYPE)
    assert mdoc.verify_device(document, found, TRANSCRIPT) == said


@pytest.mark.parametrize(
    ("error", "response"),
    [
        (errors.UnsupportedMdocVersion, {"version": "2.0"}),
        (errors.UnsupportedMdocVersion, {"version": 1}),
        (errors.DeviceResponseRefused, {"status": 10}),
        (errors.DeviceResponseRefused, {"status": None}),
        (errors.DeviceResponseRefused, {"status": False}),
        (errors.MalformedMdoc, {"documents": []}),
        (errors.MalformedMdoc, {"documents": {}}),
        (errors.MalformedMdoc, {"documents": [1]}),
        (errors.MalformedMdoc, {"documents": [{"docType": "a"}]}),
    ],
)
async def test_refuses_a_device_response(
    document_signer: LocalSigner,
    mdoc_holder: LocalSigner,
    error: type[Exception],
    response: dict[str, Any],
) -> None:
    data = await shown(
        await issued(document_signer, mdoc_holder), mdoc_holder, TRANSCRIPT, response=response
    )
    with pytest.raises(error) as caught:
        mdoc.parse_device_response(data)
    assert type(caught.value) is error
