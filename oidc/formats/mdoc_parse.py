"""Taking an IssuerSigned or a DeviceResponse apart (ISO/IEC 18013-5, 8.3.2.1.2.2).

What comes out is named `unverified_`: nothing is proven before `mdoc_verify`.
"""

from typing import Any, Final, TypeVar

from keys.record import record
from oidc.formats import cbor
from oidc.formats.cose import Sign1, parse_sign1
from oidc.formats.mdoc_errors import (
    DeviceResponseRefused,
    MalformedMdoc,
    UnsupportedMdocVersion,
)

T = TypeVar("T")
MAX_DOCUMENTS: Final = 16
MAX_NAMESPACES: Final = 32
MAX_ELEMENTS: Final = 512


@record
class UnverifiedItem:
    """An element as it came. `encoded` are the tagged bytes that the digest is over."""

    encoded: bytes
    digest_id: int
    name: str
    value: Any


@record
class UnverifiedIssuerSigned:
    """The elements by namespace, and the issuer's signature over the security object."""

    items: dict[str, tuple[UnverifiedItem, ...]]
    issuer_auth: Sign1


@record
class UnverifiedDeviceSigned:
    """What the device says itself. `namespaces` is the encoded map, as the signature covers it."""

    namespaces: bytes
    unverified_elements: dict[str, dict[str, Any]]
    signature: Sign1 | None
    mac: Sign1 | None


@record
class UnverifiedDocument:
    """One document of a DeviceResponse."""

    doc_type: str
    issuer_signed: UnverifiedIssuerSigned
    device_signed: UnverifiedDeviceSigned


def parse_issuer_signed(data: bytes) -> UnverifiedIssuerSigned:
    """Read an encoded IssuerSigned, as OpenID4VCI hands it out (A.2.4).

    Raises:
        MalformedMdoc: a member is missing or wrong.
        MalformedCbor, CborTooLarge, MalformedCose: as these say.
    """
    return _issuer_signed(cbor.decode(data))


def parse_device_response(data: bytes) -> tuple[UnverifiedDocument, ...]:
    """Read an encoded DeviceResponse.

    Raises:
        DeviceResponseRefused: the wallet says that it met an error.
        UnsupportedMdocVersion: not of version 1.x.
        MalformedMdoc: a member is missing or wrong, or there is no document.
        MalformedCbor, CborTooLarge, MalformedCose: as these say.
    """
    response = _typed(cbor.decode(data), dict, "a DeviceResponse is a map")
    version = response.get("version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise UnsupportedMdocVersion("the DeviceResponse is not of version 1")
    if response.get("status") != 0 or isinstance(response.get("status"), bool):
        raise DeviceResponseRefused("the status of the DeviceResponse is not 0")
    documents = _typed(response.get("documents"), list, "documents is no array")
    if not 0 < len(documents) <= MAX_DOCUMENTS:
        raise MalformedMdoc("there is no document, or there are too many")
    return tuple(map(_document, documents))


def is_device_response(data: bytes) -> bool:
    """Whether it is the response of a wallet rather than what an issuer hands out.

    Raises MalformedCbor, CborTooLarge.
    """
    value = cbor.decode(data)
    return isinstance(value, dict) and "documents" in value


def embedded(value: object, what: str) -> bytes:
    """Return the bytes of an embedded item. Raises MalformedMdoc."""
    if not isinstance(value, cbor.Tagged) or value.tag != cbor.EMBEDDED:
        raise MalformedMdoc(f"{what} is not embedded CBOR")
    content = value.value
    assert isinstance(content, bytes)  # cbor.decode lets no other through
    return content


def _document(value: object) -> UnverifiedDocument:
    document = _typed(value, dict, "a document is a map")
    doc_type = _typed(document.get("docType"), str, "docType is no text")
    return UnverifiedDocument(
        doc_type,
        _issuer_signed(document.get("issuerSigned")),
        _device_signed(document.get("deviceSigned")),
    )


def _issuer_signed(value: object) -> UnverifiedIssuerSigned:
    signed = _typed(value, dict, "issuerSigned is no map")
    namespaces = _typed(signed.get("nameSpaces", {}), dict, "nameSpaces is no map")
    if len(namespaces) > MAX_NAMESPACES:
        raise MalformedMdoc("too many namespaces")
    items: dict[str, tuple[UnverifiedItem, ...]] = {}
    for name, members in namespaces.items():
        elements = _typed(members, list, "a namespace is no array")
        if not 0 < len(elements) <= MAX_ELEMENTS:
            raise MalformedMdoc("a namespace has no element, or too many")
        items[_typed(name, str, "a namespace's name is no text")] = tuple(map(_item, elements))
    return UnverifiedIssuerSigned(items, parse_sign1(signed.get("issuerAuth")))


def _item(value: object) -> UnverifiedItem:
    content = embedded(value, "an element")
    item = _typed(cbor.decode(content), dict, "an element is no map")
    number = item.get("digestID")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise MalformedMdoc("digestID is no whole number from zero")
    if len(_typed(item.get("random"), bytes, "random is no byte string")) < 16:
        raise MalformedMdoc("random has fewer than 16 bytes")
    if "elementValue" not in item:
        raise MalformedMdoc("elementValue is missing")
    name = _typed(item.get("elementIdentifier"), str, "elementIdentifier is no text")
    encoded = cbor.encode(cbor.embed(content))
    return UnverifiedItem(encoded, number, name, item["elementValue"])


def _device_signed(value: object) -> UnverifiedDeviceSigned:
    signed = _typed(value, dict, "deviceSigned is no map")
    encoded = embedded(signed.get("nameSpaces"), "nameSpaces of the device")
    namespaces = _typed(cbor.decode(encoded), dict, "nameSpaces of the device is no map")
    for name, members in namespaces.items():
        _typed(name, str, "a namespace's name is no text")
        for element in _typed(members, dict, "a namespace of the device is no map"):
            _typed(element, str, "an element's name is no text")
    auth = _typed(signed.get("deviceAuth"), dict, "deviceAuth is no map")
    if ("deviceSignature" in auth) == ("deviceMac" in auth):
        raise MalformedMdoc("deviceAuth has either a signature or a MAC")
    return UnverifiedDeviceSigned(
        namespaces=encoded,
        unverified_elements=namespaces,
        signature=parse_sign1(auth["deviceSignature"]) if "deviceSignature" in auth else None,
        mac=parse_sign1(auth["deviceMac"]) if "deviceMac" in auth else None,
    )


def _typed(value: object, kind: type[T], message: str) -> T:
    if not isinstance(value, kind):
        raise MalformedMdoc(message)
    return value
