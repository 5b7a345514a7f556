"""COSE_Sign1 and COSE_Key (RFC 9052, 9053), as far as mdocs use them.

The signature's bytes are those of JOSE (r||s), so signers and keys are the ones of `keys`.
"""

from collections.abc import Mapping
from typing import Any, Final

from keys import base64url
from keys.errors import UnsupportedAlgorithm
from keys.jwk import PublicKey, cached_public
from keys.record import record
from keys.signer import Signer
from oidc.formats import cbor
from oidc.formats.mdoc_errors import MalformedCose

ALG: Final = 1
CRIT: Final = 2
KID: Final = 4
TYP: Final = 16
X5CHAIN: Final = 33
_ID: Final = {"ES256": -7, "ES384": -35, "Ed25519": -8, "EdDSA": -8}
"""What is written: the identifiers of ISO/IEC 18013-5 (9.1.2.4), which every reader knows."""
_JOSE: Final = {
    -7: "ES256", -9: "ES256", -35: "ES384", -51: "ES384", -8: "Ed25519", -19: "Ed25519",
}  # fmt: skip
"""What is read: those, and the fully specified ones (RFC 9864). The key's curve decides in both."""
_CURVES: Final = {1: ("EC", "P-256"), 2: ("EC", "P-384"), 6: ("OKP", "Ed25519")}
_KEY_TYPES: Final = {"OKP": 1, "EC": 2}
_KTY, _CRV, _X, _Y, _D = 1, -1, -2, -3, -4
_MAX_HEADER_BYTES: Final = 4096


@record
class Sign1:
    """The parts of a COSE_Sign1; nothing about them is proven. `payload` is None when detached."""

    protected: bytes
    unverified_header: dict[int | str, Any]
    unverified_unprotected: dict[int | str, Any]
    unverified_payload: bytes | None
    signature: bytes


def algorithm_id(alg: str) -> int:
    """Return the COSE number of a JOSE algorithm. Raises UnsupportedAlgorithm."""
    try:
        return _ID[alg]
    except KeyError:
        raise UnsupportedAlgorithm("alg has no place in an mdoc") from None


def fully_specified_id(alg: str) -> int:
    """Return its number by RFC 9864. Raises UnsupportedAlgorithm."""
    return {-7: -9, -35: -51, -8: -19}[algorithm_id(alg)]


async def sign1(
    signer: Signer,
    payload: bytes,
    *,
    header: Mapping[int, Any] | None = None,
    unprotected: Mapping[int, Any] | None = None,
    detached: bool = False,
) -> list[Any]:
    """Return an untagged COSE_Sign1, ready to be encoded; a detached payload is left out.

    `header` is what is protected beside the algorithm.
    """
    protected = cbor.encode({ALG: algorithm_id(signer.alg), **(header or {})})
    signature = await signer.sign(signed_bytes("Signature1", protected, payload))
    return [protected, dict(unprotected or {}), None if detached else payload, signature]


def signed_bytes(context: str, protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure or MAC_structure (RFC 9052, 4.4, 6.3) without external data."""
    return cbor.encode([context, protected, b"", payload])


def parse_sign1(value: object) -> Sign1:
    """Take a decoded COSE_Sign1 or COSE_Mac0 apart.

    Raises:
        MalformedCose: not four parts of the right types; a header that is too long, no map, or
            demands an extension; a parameter in both headers.
        MalformedCbor: the protected header is no CBOR.
    """
    if not isinstance(value, list) or len(value) != 4:
        raise MalformedCose("not an array of four parts")
    protected, unprotected, payload, signature = value
    if not isinstance(protected, bytes) or len(protected) > _MAX_HEADER_BYTES:
        raise MalformedCose("the protected header is no byte string, or too long")
    if not isinstance(unprotected, dict) or not isinstance(payload, (bytes, type(None))):
        raise MalformedCose("the unprotected header is no map, or the payload no byte string")
    if not isinstance(signature, bytes) or not signature:
        raise MalformedCose("the signature is no byte string")
    header = cbor.decode(protected) if protected else {}
    if not isinstance(header, dict):
        raise MalformedCose("the protected header is no map")
    if CRIT in header or CRIT in unprotected:
        raise MalformedCose("the header demands an extension")
    if not header.keys().isdisjoint(unprotected):
        raise MalformedCose("a parameter stands in both headers")
    return Sign1(protected, header, unprotected, payload, signature)


def verify1(
    signed: Sign1, key: PublicKey, *, algs: frozenset[str], detached: bytes | None = None
) -> bytes:
    """Verify the signature and return the payload that it covers. `algs` are JOSE names.

    Raises:
        MalformedCose: the payload is missing, or there are two.
        UnsupportedAlgorithm: `alg` is not in the protected header, not accepted, or not the key's.
        InvalidSignature: the signature does not verify.
    """
    if (signed.unverified_payload is None) == (detached is None):
        raise MalformedCose("exactly one payload, inside or detached")
    payload = detached if signed.unverified_payload is None else signed.unverified_payload
    assert payload is not None
    number = signed.unverified_header.get(ALG)
    alg = _JOSE.get(number) if isinstance(number, int) else None
    if alg is None or alg not in algs:
        raise UnsupportedAlgorithm("alg is not accepted here")
    key.verify(alg, signed_bytes("Signature1", signed.protected, payload), signed.signature)
    return payload


def certificates(signed: Sign1) -> tuple[bytes, ...]:
    """Return the x5chain of the unprotected header (RFC 9360): one byte string, or several.

    Raises MalformedCose.
    """
    chain = signed.unverified_unprotected.get(X5CHAIN)
    if isinstance(chain, bytes):
        return (chain,)
    if not isinstance(chain, list) or not 0 < len(chain) <= 4:
        raise MalformedCose("x5chain is missing, or holds no certificates")
    if not all(isinstance(one, bytes) for one in chain):
        raise MalformedCose("x5chain holds something that is no byte string")
    return tuple(chain)


def cose_key(jwk: Mapping[str, Any]) -> dict[int, Any]:
    """Return a public JWK as a COSE_Key with only what makes the key.

    Raises UnsupportedAlgorithm for a key that no mdoc may be bound to.
    """
    found = [number for number, names in _CURVES.items() if names == (jwk["kty"], jwk.get("crv"))]
    if not found:
        raise UnsupportedAlgorithm("a key of this kind has no place in an mdoc")
    key = {_KTY: _KEY_TYPES[jwk["kty"]], _CRV: found[0], _X: base64url.decode(jwk["x"])}
    return key | {_Y: base64url.decode(jwk["y"])} if jwk["kty"] == "EC" else key


def public_key(value: object) -> PublicKey:
    """Read a COSE_Key: P-256, P-384 with both coordinates, or Ed25519.

    Raises:
        MalformedCose: not such a key.
        MalformedKey: the point is not on the curve.
    """
    if not isinstance(value, dict):
        raise MalformedCose("a COSE_Key is a map")
    curve = value.get(_CRV)
    kty, crv = _CURVES.get(curve, ("", "")) if isinstance(curve, int) else ("", "")
    if not kty or value.get(_KTY) != _KEY_TYPES[kty]:
        raise MalformedCose("the kind of the COSE_Key is not supported")
    if _D in value:
        raise MalformedCose("the COSE_Key has a private part")
    names = ((_X, "x"), (_Y, "y")) if kty == "EC" else ((_X, "x"),)
    jwk = {"kty": kty, "crv": crv}
    for number, name in names:
        coordinate = value.get(number)
        if not isinstance(coordinate, bytes):
            raise MalformedCose("a coordinate of the COSE_Key is no byte string")
        jwk[name] = base64url.encode(coordinate)
    return cached_public(jwk)
