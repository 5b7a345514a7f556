"""Verifying what the issuer of an mdoc signed (ISO/IEC 18013-5, 9.3.1)."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256, sha384, sha512
from hmac import compare_digest
from typing import Any, Final

from cryptography import x509

from keys.jwk import PublicKey
from keys.record import record
from oidc.formats import cbor, cose
from oidc.formats.mdoc_errors import (
    DigestMismatch,
    DigestMissing,
    DocTypeMismatch,
    DuplicateElement,
    MalformedMdoc,
    MdocExpired,
    MdocNotYetValid,
    UnknownDigestAlgorithm,
    UnsupportedMdocVersion,
)
from oidc.formats.mdoc_issue import Validity
from oidc.formats.mdoc_parse import UnverifiedIssuerSigned, UnverifiedItem, embedded
from oidc.formats.mdoc_signer import DocumentSigner, verify_signer
from oidc.formats.status_reference import StatusReference, status_reference

_HASHES: Final = {"SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512}
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)


@record
class KeyAuthorizations:
    """What the device may sign itself (9.1.2.4): whole namespaces, or elements of one."""

    namespaces: frozenset[str]
    elements: frozenset[tuple[str, str]]

    def permit(self, namespace: str, element: str) -> bool:
        """Whether the device may sign this element."""
        return namespace in self.namespaces or (namespace, element) in self.elements


@record
class VerifiedMdoc:
    """An mdoc whose issuer's signature, elements and times were checked.

    `namespaces` are the elements that are shown; byte strings and text as they are, dates as text.
    `device_key` is the key that it is bound to. Whether it was revoked is not known here: `status`
    says where to ask. That its holder shows it is for `mdoc_device` to prove.
    """

    doc_type: str
    namespaces: dict[str, dict[str, Any]]
    device_key: PublicKey
    authorizations: KeyAuthorizations
    validity: Validity
    status: StatusReference | None
    signer: DocumentSigner


def verify(
    signed: UnverifiedIssuerSigned,
    roots: Iterable[x509.Certificate],
    *,
    now: float,
    doc_type: str | None,
    algs: frozenset[str] = frozenset({"ES256"}),
    leeway: int = 10,
) -> VerifiedMdoc:
    """Verify an IssuerSigned against the caller's IACA roots. `now` is epoch seconds.

    `doc_type` is the type that the document says it is, or that is expected; None takes any.

    Raises InvalidChain, SignerUnsuitable, MalformedCose, UnsupportedAlgorithm, InvalidSignature,
    MalformedCbor, MalformedMdoc, UnsupportedMdocVersion, UnknownDigestAlgorithm, DocTypeMismatch,
    DuplicateElement, DigestMissing, DigestMismatch, MdocExpired, MdocNotYetValid, MalformedKey,
    MalformedStatusReference.
    """
    # 1. The certificate beside the signature: a root of ours issued it for this use.
    signer = verify_signer(cose.certificates(signed.issuer_auth), roots, now)
    # 2. Its key signed the security object.
    payload = cose.verify1(signed.issuer_auth, signer.key, algs=algs)
    security = _security_object(payload)
    # 3. Of the type that it is taken for.
    if doc_type is not None and security["docType"] != doc_type:
        raise DocTypeMismatch("the security object is of another document type")
    # 4. Every element that is shown is one that was signed.
    namespaces = _elements(signed.items, security)
    # 5. In force; signed while its signer's certificate was.
    validity = _validity(security["validityInfo"], now, leeway)
    if not signer.valid_from - leeway <= validity.signed <= signer.valid_until + leeway:
        raise MdocNotYetValid("signed is not within the validity of the signer's certificate")
    # 6. The key it is bound to, and where its status is kept.
    info = _map(security, "deviceKeyInfo")
    return VerifiedMdoc(
        doc_type=security["docType"],
        namespaces=namespaces,
        device_key=cose.public_key(info.get("deviceKey")),
        authorizations=_authorizations(info.get("keyAuthorizations", {})),
        validity=validity,
        status=status_reference(security),
        signer=signer,
    )


def _security_object(payload: bytes) -> dict[Any, Any]:
    content = cbor.decode(embedded(cbor.decode(payload), "the security object"))
    if not isinstance(content, dict):
        raise MalformedMdoc("the security object is no map")
    if content.get("version") != "1.0":
        raise UnsupportedMdocVersion("the security object is not of version 1.0")
    if not isinstance(content.get("docType"), str):
        raise MalformedMdoc("docType is missing or no text")
    for name in ("valueDigests", "deviceKeyInfo", "validityInfo"):
        _map(content, name)
    return content


def _elements(
    items: Mapping[str, tuple[UnverifiedItem, ...]], security: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    name = security.get("digestAlgorithm")
    function = _HASHES.get(name) if isinstance(name, str) else None
    if function is None:
        raise UnknownDigestAlgorithm("digestAlgorithm is not one of the standard's")
    found: dict[str, dict[str, Any]] = {}
    for namespace, members in items.items():
        digests = security["valueDigests"].get(namespace)
        if not isinstance(digests, dict):
            raise DigestMissing("the security object has no digests for a namespace")
        elements = found[namespace] = {}
        for item in members:
            digest = digests.get(item.digest_id)
            if not isinstance(digest, bytes):
                raise DigestMissing("the security object has no digest for an element")
            if not compare_digest(digest, function(item.encoded).digest()):
                raise DigestMismatch("an element is not the one that was signed")
            if item.name in elements:
                raise DuplicateElement("an element occurs twice in its namespace")
            elements[item.name] = untagged(item.value)
    return found


def _validity(info: Mapping[str, Any], now: float, leeway: int) -> Validity:
    signed, valid_from, valid_until = (
        _seconds(info.get(name), name) for name in ("signed", "validFrom", "validUntil")
    )
    if valid_until <= now - leeway:
        raise MdocExpired("validUntil has passed")
    if valid_from > now + leeway or signed > now + leeway:
        raise MdocNotYetValid("validFrom or signed lies in the future")
    return Validity(signed, valid_from, valid_until)


def _seconds(value: object, name: str) -> int:
    if not isinstance(value, cbor.Tagged) or value.tag != cbor.DATE_TIME:
        raise MalformedMdoc(f"{name} is no date and time")
    text = value.value
    assert isinstance(text, str)  # cbor.decode lets no other through
    if _DATE_TIME.fullmatch(text) is None:
        raise MalformedMdoc(f"{name} is no date and time of RFC 3339")
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())
    except (ValueError, OverflowError) as error:
        raise MalformedMdoc(f"{name} is no instant") from error


def _authorizations(value: object) -> KeyAuthorizations:
    if not isinstance(value, dict):
        raise MalformedMdoc("keyAuthorizations is no map")
    namespaces = value.get("nameSpaces", [])
    elements = value.get("dataElements", {})
    if not isinstance(namespaces, list) or not isinstance(elements, dict):
        raise MalformedMdoc("keyAuthorizations has a member of the wrong type")
    if not all(isinstance(one, list) for one in elements.values()):
        raise MalformedMdoc("keyAuthorizations has a member of the wrong type")
    pairs = [(space, name) for space, names in elements.items() for name in names]
    if not all(isinstance(one, str) for one in (*namespaces, *(n for pair in pairs for n in pair))):
        raise MalformedMdoc("keyAuthorizations names something that is no text")
    return KeyAuthorizations(frozenset(namespaces), frozenset(pairs))


def untagged(value: Any) -> Any:
    """Return a decoded value with dates as text and embedded items as bytes."""
    if isinstance(value, cbor.Tagged):
        return value.value
    if isinstance(value, list):
        return [untagged(one) for one in value]
    if isinstance(value, dict):
        return {name: untagged(one) for name, one in value.items()}
    return value


def _map(security: Mapping[str, Any], name: str) -> dict[Any, Any]:
    value = security.get(name)
    if not isinstance(value, dict):
        raise MalformedMdoc(f"{name} is missing or no map")
    return value
