"""Issuing an mdoc: items, mobile security object, signature (ISO/IEC 18013-5, 9.1.2)."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from keys.clock import Random
from keys.record import record
from keys.signer import Signer
from oidc.formats import cbor, cose
from oidc.formats.mdoc_errors import SignerMissing

VERSION: Final = "1.0"
SALT_BYTES: Final = 32
"""At least 16 (9.1.2.5); 32 as in the standard's examples."""
_ORDER_BYTES: Final = 8


@record
class Validity:
    """When an mdoc is valid, in whole epoch seconds."""

    signed: int
    valid_from: int
    valid_until: int


@record
class IssuedMdoc:
    """`issuer_signed` is the encoded IssuerSigned, `security_object` what the signature covers."""

    issuer_signed: bytes
    security_object: bytes


async def issue(
    signer: Signer,
    namespaces: Mapping[str, Mapping[str, Any]],
    *,
    doc_type: str,
    device_jwk: Mapping[str, Any],
    validity: Validity,
    random: Random,
    status: Mapping[str, Any] | None = None,
) -> IssuedMdoc:
    """Sign the elements of each namespace for a device key.

    `status` is the `status` member of the security object (Token Status List, 6.3.2). Values are of
    the kinds that `cbor.decode` gives.

    Raises:
        SignerMissing: the signer has no certificate.
        UnsupportedAlgorithm: the signer's or the device's key has no place in an mdoc.
    """
    if not signer.x5c:
        raise SignerMissing("the signing key of mdocs has no certificate")
    items: dict[str, list[cbor.Tagged]] = {}
    digests: dict[str, dict[int, bytes]] = {}
    for namespace, elements in namespaces.items():
        items[namespace], digests[namespace] = [], {}
        numbers = _shuffled(len(elements), random)
        for (name, value), number in zip(elements.items(), numbers, strict=True):
            item = cbor.embed(cbor.encode(_item(number, random(SALT_BYTES), name, value)))
            items[namespace].append(item)
            digests[namespace][number] = sha256(cbor.encode(item)).digest()
    security_object = cbor.encode(
        {
            "version": VERSION,
            "digestAlgorithm": "SHA-256",
            "valueDigests": digests,
            "deviceKeyInfo": {"deviceKey": cose.cose_key(device_jwk)},
            "docType": doc_type,
            "validityInfo": {
                "signed": date_time(validity.signed),
                "validFrom": date_time(validity.valid_from),
                "validUntil": date_time(validity.valid_until),
            },
            **({} if status is None else {"status": status}),
        }
    )
    payload = cbor.encode(cbor.embed(security_object))
    certificate = base64.b64decode(signer.x5c[0])  # alone: nothing is between it and its root
    signed = await cose.sign1(signer, payload, unprotected={cose.X5CHAIN: certificate})
    return IssuedMdoc(cbor.encode({"nameSpaces": items, "issuerAuth": signed}), payload)


def date_time(seconds: int) -> cbor.Tagged:
    """Return an instant as a tdate without fraction, in UTC (7.2.1)."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return cbor.Tagged(cbor.DATE_TIME, text)


def _item(number: int, salt: bytes, name: str, value: Any) -> dict[str, Any]:
    return {"digestID": number, "random": salt, "elementIdentifier": name, "elementValue": value}


def _shuffled(count: int, random: Random) -> Iterator[int]:
    """The numbers below `count` in an order that nobody can guess: a digestID in a presentation
    must not tell which other elements there are, nor tie two presentations by their gaps.
    """
    drawn = random(_ORDER_BYTES * count)
    order = [drawn[at : at + _ORDER_BYTES] for at in range(0, len(drawn), _ORDER_BYTES)]
    return iter(sorted(range(count), key=order.__getitem__))
