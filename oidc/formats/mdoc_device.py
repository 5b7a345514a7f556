"""That the holder's device shows an mdoc, now and to us (ISO/IEC 18013-5, 9.1.3).

The session transcript is what ties a presentation to one request: those of OpenID4VP 1.0, B.2.6,
are made here; any other may be handed in.
"""

from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys import base64url
from keys.errors import KeysError
from keys.jwk import PublicKey
from oidc.formats import cbor, cose
from oidc.formats.mdoc_errors import (
    DeviceAuthenticationInvalid,
    DeviceAuthenticationMissing,
    DeviceElementUnauthorized,
    DocTypeMismatch,
    MdocError,
)
from oidc.formats.mdoc_parse import UnverifiedDocument
from oidc.formats.mdoc_verify import VerifiedMdoc, untagged

_HMAC_256 = 5


def openid4vp_transcript(
    *, client_id: str, nonce: str, response_uri: str, jwk_thumbprint: bytes | None
) -> bytes:
    """Return the encoded SessionTranscript of a request by redirects (B.2.6.1).

    `client_id` with its prefix; `jwk_thumbprint` of the key that the response is encrypted to,
    None when it is not. `response_uri` is the redirect_uri where there is no other.
    """
    info = [client_id, nonce, jwk_thumbprint, response_uri]
    return _transcript("OpenID4VPHandover", info)


def dc_api_transcript(*, origin: str, nonce: str, jwk_thumbprint: bytes | None) -> bytes:
    """Return that of a request by the Digital Credentials API (B.2.6.2), `origin` unprefixed."""
    return _transcript("OpenID4VPDCAPIHandover", [origin, nonce, jwk_thumbprint])


def verify_device(
    document: UnverifiedDocument,
    mdoc: VerifiedMdoc,
    session_transcript: bytes,
    *,
    algs: frozenset[str] = frozenset({"ES256"}),
    reader_key: ec.EllipticCurvePrivateKey | None = None,
) -> dict[str, dict[str, Any]]:
    """Verify the device's signature, or with `reader_key` its MAC; return what it says itself.

    `mdoc` is what `mdoc_verify.verify` found in this document.

    Raises:
        DocTypeMismatch: the document is of another type than the mdoc.
        DeviceAuthenticationMissing: there is a MAC, and no key to check it.
        DeviceAuthenticationInvalid: it does not verify for this session under the device's key.
        DeviceElementUnauthorized: the issuer did not let the device say this.
    """
    if document.doc_type != mdoc.doc_type:
        raise DocTypeMismatch("the document is of another type than its security object")
    signed = document.device_signed
    covered = device_authentication(session_transcript, document.doc_type, signed.namespaces)
    # 1. The device that the mdoc is bound to made it, for this session.
    try:
        if signed.signature is not None:
            cose.verify1(signed.signature, mdoc.device_key, algs=algs, detached=covered)
        elif signed.mac is None or reader_key is None:
            raise DeviceAuthenticationMissing("there is no signature of the device")
        else:
            _check_mac(signed.mac, mdoc.device_key, reader_key, session_transcript, covered)
    except (DeviceAuthenticationMissing, DeviceAuthenticationInvalid):
        raise
    except (KeysError, MdocError) as error:
        raise DeviceAuthenticationInvalid(error.code) from error
    # 2. It says nothing that the issuer did not authorize it to.
    for namespace, elements in signed.unverified_elements.items():
        for name in elements:
            if not mdoc.authorizations.permit(namespace, name):
                raise DeviceElementUnauthorized("the device signed an element that it may not")
    said: dict[str, dict[str, Any]] = untagged(signed.unverified_elements)
    return said


def device_authentication(session_transcript: bytes, doc_type: str, namespaces: bytes) -> bytes:
    """Return the DeviceAuthenticationBytes that a device signs (9.1.3.4)."""
    structure = b"".join(
        (
            b"\x84",  # an array of four, whose second member is encoded already
            cbor.encode("DeviceAuthentication"),
            session_transcript,
            cbor.encode(doc_type),
            cbor.encode(cbor.embed(namespaces)),
        )
    )
    return cbor.encode(cbor.embed(structure))


def _transcript(handover: str, info: list[Any]) -> bytes:
    return cbor.encode([None, None, [handover, sha256(cbor.encode(info)).digest()]])


def _check_mac(
    mac: cose.Sign1,
    device_key: PublicKey,
    reader_key: ec.EllipticCurvePrivateKey,
    session_transcript: bytes,
    covered: bytes,
) -> None:
    """HMAC 256/256 under a key that only the device and this reader can derive (9.1.3.5)."""
    if mac.unverified_header.get(cose.ALG) != _HMAC_256 or mac.unverified_payload is not None:
        raise DeviceAuthenticationInvalid("the MAC is of another kind")
    try:
        shared = reader_key.exchange(ec.ECDH(), _point(device_key, reader_key.curve))
    except ValueError as error:
        raise DeviceAuthenticationInvalid("the device's key is of another curve") from error
    salt = sha256(cbor.encode(cbor.embed(session_transcript))).digest()
    key = HKDF(SHA256(), length=32, salt=salt, info=b"EMacKey").derive(shared)
    expected = hmac_digest(key, cose.signed_bytes("MAC0", mac.protected, covered), "sha256")
    if not compare_digest(expected, mac.signature):
        raise DeviceAuthenticationInvalid("the MAC does not verify")


def _point(key: PublicKey, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    if key.kty != "EC":
        raise ValueError("no elliptic curve")
    point = b"\x04" + base64url.decode(key.jwk["x"]) + base64url.decode(key.jwk["y"])
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
