"""isomdoc, which shares no code with us but CBOR, judges the mdocs that we issue, and is judged."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from isomdoc import create_mdoc, verify_device_response

from keys.errors import InvalidChain, KeysError
from keys.jwk import public_members, thumbprint
from oidc.formats import cbor, mdoc
from oidc.formats.errors import FormatsError
from tests.support.mdoc_world import (
    DOC_TYPE,
    NOW,
    Iaca,
    device,
    issued,
    shown,
    transcript,
    verified,
)

IACA = Iaca()
SIGNER, HOLDER = IACA.signer(), device()
ELEMENTS = {"legal_person_name": "Sample Kite Trading Limited", "branches": 3, "listed": False}


async def ours(**changes: Any) -> bytes:
    data = await issued(SIGNER, HOLDER, namespaces={DOC_TYPE: ELEMENTS})
    return await shown(data, HOLDER, transcript(), **changes)


def their_verdict(data: bytes, nonce: str = "nonce-0123456789") -> dict[str, Any]:
    found = verify_device_response(data, cbor.decode(transcript(nonce)))
    (document,) = found.documents
    assert document.doctype == DOC_TYPE
    return {
        one.element_identifier: one.element_value
        for one in document.issuer_signed.namespaces[DOC_TYPE]
    }


def our_verdict(data: bytes) -> None:
    (document,) = mdoc.parse_device_response(data)
    found = mdoc.verify(
        document.issuer_signed, [IACA.certificate], now=NOW, doc_type=document.doc_type
    )
    mdoc.verify_device(document, found, transcript())


async def test_isomdoc_accepts_what_we_issue_and_present() -> None:
    assert their_verdict(await ours()) == ELEMENTS
    assert their_verdict(await ours(only=frozenset({"branches"}))) == {"branches": 3}


def _with(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        response = cbor.decode(data)
        change(response["documents"][0])
        return cbor.encode(response)

    return changed


def _element(document: dict[str, Any]) -> None:
    items = document["issuerSigned"]["nameSpaces"][DOC_TYPE]
    item = cbor.decode(items[0].value)
    items[0] = cbor.embed(cbor.encode({**item, "elementValue": "another"}))


def _signature(document: dict[str, Any]) -> None:
    auth = document["issuerSigned"]["issuerAuth"]
    auth[3] = bytes([auth[3][0] ^ 1]) + auth[3][1:]


def _device_signature(document: dict[str, Any]) -> None:
    signature = document["deviceSigned"]["deviceAuth"]["deviceSignature"]
    signature[3] = signature[3][:-1] + bytes([signature[3][-1] ^ 1])


def _doc_type(document: dict[str, Any]) -> None:
    document["docType"] = "another.type"


def _namespace(document: dict[str, Any]) -> None:
    spaces = document["issuerSigned"]["nameSpaces"]
    spaces["another"] = spaces.pop(DOC_TYPE)


@pytest.mark.parametrize(
    "breaking", [_element, _signature, _device_signature, _doc_type, _namespace]
)
async def test_what_is_broken_both_refuse(breaking: Callable[[dict[str, Any]], None]) -> None:
    data = _with(breaking)(await ours())
    with pytest.raises(Exception):  # noqa: B017 - it has no error class of its own
        their_verdict(data)
    with pytest.raises((FormatsError, KeysError)):
        our_verdict(data)


async def test_isomdoc_refuses_our_presentation_in_another_session() -> None:
    with pytest.raises(Exception):  # noqa: B017
        their_verdict(await ours(), "another nonce")


def test_we_accept_what_isomdoc_issues() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    theirs = create_mdoc(DOC_TYPE, [IACA.certify(key)], key)
    for name, value in ELEMENTS.items():
        theirs.add_data_item(DOC_TYPE, name, value)
    holder = ec.generate_private_key(ec.SECP256R1())
    instant = datetime.fromtimestamp(NOW, UTC)
    data = theirs.generate_credential(
        holder.public_key(), instant, instant, instant + timedelta(days=1)
    )
    found = verified(data, IACA)
    assert found.namespaces == {DOC_TYPE: ELEMENTS}
    assert found.device_key.thumbprint == thumbprint(public_members(holder.public_key()))
    with pytest.raises(InvalidChain):
        verified(data, Iaca())
