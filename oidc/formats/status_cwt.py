"""Status list tokens as CWTs (Token Status List, 4.3 and 5.2; RFC 8392, RFC 9052, RFC 9596).

Tagged as COSE_Sign1 and not as CWT. A MAC is not accepted: nobody shares a key with us.
"""

import base64
from typing import Any, Final

from keys.errors import UnknownKey, WrongType
from keys.jwk import JwkSet, PublicKey
from keys.signer import Signer
from oidc.formats import cbor, cose
from oidc.formats.errors import MalformedStatusList, StatusListTooLarge
from oidc.formats.mdoc_errors import CborTooLarge, MdocError
from oidc.formats.status_list import MAX_LIST_BYTES, StatusList, inflate
from oidc.formats.status_token import MAX_TOKEN_BYTES, VerifiedStatusList, judged

CWT_TYP: Final = "application/statuslist+cwt"
_SIGN1_TAG: Final = b"\xd2"  # 18
_SUB, _EXP, _IAT, _TTL, _LIST = 2, 4, 6, 65534, 65533
_NAMES: Final = {_SUB: "sub", _EXP: "exp", _IAT: "iat", _TTL: "ttl", _LIST: "status_list"}


async def sign_cwt(
    signer: Signer,
    uri: str,
    bits: int,
    packed: bytes,
    *,
    issued_at: int,
    expires_at: int,
    ttl: int,
    aggregation_uri: str | None = None,
) -> bytes:
    """Return the signed token over a compressed list; times and `ttl` in seconds.

    The certificates of the signer, if it has any, go into x5chain (RFC 9360).
    """
    status_list: dict[str, Any] = {"bits": bits, "lst": packed}
    if aggregation_uri is not None:
        status_list["aggregation_uri"] = aggregation_uri
    claims = {_SUB: uri, _EXP: expires_at, _IAT: issued_at, _TTL: ttl, _LIST: status_list}
    unprotected: dict[int, Any] = {cose.KID: signer.kid.encode()}
    chain = [base64.b64decode(one) for one in signer.x5c]
    if chain:
        unprotected[cose.X5CHAIN] = chain[0] if len(chain) == 1 else chain
    signed = await cose.sign1(
        signer, cbor.encode(claims), header={cose.TYP: CWT_TYP}, unprotected=unprotected
    )
    return _SIGN1_TAG + cbor.encode(signed)


def verify_cwt(
    token: bytes,
    keys: JwkSet | PublicKey,
    *,
    uri: str | None,
    now: float,
    algs: frozenset[str] = frozenset({"ES256"}),
    leeway: int = 10,
    max_bytes: int = MAX_LIST_BYTES,
) -> VerifiedStatusList:
    """Verify a status list token in CWT form that was asked for at `uri` (8.3), None for whichever
    it is.

    Raises StatusSubjectMismatch, StatusTokenExpired, StatusTokenNotYetValid, StatusListTooLarge,
    MalformedStatusList, and the errors of keys: WrongType, UnknownKey, InvalidSignature,
    UnsupportedAlgorithm.
    """
    # Signed by a key of the issuer, as a status list.
    signed = parse_cwt(token)
    if signed.unverified_header.get(cose.TYP) != CWT_TYP:
        raise WrongType("the type of the CWT is not that of a status list")
    try:
        payload = cose.verify1(signed, _key(signed, keys), algs=algs)
        claims = cbor.decode(payload, max_bytes=MAX_TOKEN_BYTES)
    except MdocError as error:
        raise MalformedStatusList("not a CWT") from error
    if not isinstance(claims, dict):
        raise MalformedStatusList("the claims are no map")
    named = {name: claims[number] for number, name in _NAMES.items() if number in claims}
    return judged(named, lambda claim: _list(claim, max_bytes), uri=uri, now=now, leeway=leeway)


def is_cwt(token: bytes) -> bool:
    """Whether a token is a CWT, if it is a status list token at all: a JWT is ASCII text."""
    return token[:1] == _SIGN1_TAG


def jose_header(signed: cose.Sign1) -> dict[str, Any]:
    """Return `kid` and `x5c` as a JWT's header has them; nothing about them is proven.

    Raises MalformedStatusList.
    """
    header: dict[str, Any] = {}
    kid = _kid(signed)
    if kid is not None:
        header["kid"] = kid
    if cose.X5CHAIN in signed.unverified_unprotected:
        try:
            chain = cose.certificates(signed)
        except MdocError as error:
            raise MalformedStatusList("x5chain holds no certificates") from error
        header["x5c"] = [base64.b64encode(one).decode("ascii") for one in chain]
    return header


def parse_cwt(token: bytes) -> cose.Sign1:
    """Take a token apart; nothing about it is proven.

    Raises StatusListTooLarge, MalformedStatusList.
    """
    if not is_cwt(token):
        raise MalformedStatusList("not tagged as COSE_Sign1")
    try:
        return cose.parse_sign1(cbor.decode(token[1:], max_bytes=MAX_TOKEN_BYTES))
    except CborTooLarge as error:
        raise StatusListTooLarge(f"the token has more than {MAX_TOKEN_BYTES} bytes") from error
    except MdocError as error:
        raise MalformedStatusList("not a COSE_Sign1") from error


def _key(signed: cose.Sign1, keys: JwkSet | PublicKey) -> PublicKey:
    if isinstance(keys, PublicKey):
        return keys
    kid = _kid(signed)
    found = next((one for one in keys.keys if kid is not None and one.kid == kid), None)
    if found is None:
        raise UnknownKey("no key of the set fits the token's kid")
    return found


def _kid(signed: cose.Sign1) -> str | None:
    kid = signed.unverified_header.get(cose.KID, signed.unverified_unprotected.get(cose.KID))
    return kid.decode("utf-8", "replace") if isinstance(kid, bytes) else None


def _list(claim: object, max_bytes: int) -> StatusList:
    if not isinstance(claim, dict):
        raise MalformedStatusList("the status list is no map")
    bits, packed = claim.get("bits"), claim.get("lst")
    if isinstance(bits, bool) or not isinstance(bits, int) or not isinstance(packed, bytes):
        raise MalformedStatusList("bits is not a number or lst no byte string")
    return StatusList.from_bytes(bits, inflate(packed, max_bytes))
