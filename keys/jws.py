"""Compact JWS, strict (RFC 7515, RFC 8725): parsing, verification, signing over a ``Signer``."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from keys import base64url, json_object
from keys.errors import (
    CriticalHeader,
    InvalidSignature,
    MalformedEncoding,
    MalformedJws,
    UnknownKey,
    UnsupportedAlgorithm,
    WrongType,
)
from keys.jwk import JwkSet, PublicKey
from keys.record import record
from keys.signer import Signer

MAX_BYTES = 16384
"""Bound of a compact JWS in bytes, unless the caller gives another."""

MAX_HEADER_BYTES = 16384
"""Bound of the encoded header, however long the payload may be: it is read before all checks."""

_CACHED_HEADERS = 256
_OWN_HEADERS = frozenset({"alg", "typ", "crit", "b64"})
_TEXT_HEADERS = frozenset({"alg", "typ", "cty", "kid", "x5t", "x5t#S256"})
_URL_HEADERS = frozenset({"jku", "x5u"})
_NAMES_THE_KEY = frozenset({"kid", "jwk", "x5c"})


@record
class UnverifiedJws:
    """The parts of a compact JWS; nothing about them is proven."""

    header: dict[str, Any]
    unverified_payload: bytes
    signing_input: bytes
    signature: bytes


@record
class VerifiedJws:
    """A JWS whose signature ``key`` has made."""

    header: dict[str, Any]
    payload: bytes
    key: PublicKey


def parse(compact: str | bytes, *, max_bytes: int = MAX_BYTES) -> UnverifiedJws:
    """Take a compact JWS apart.

    Raises:
        MalformedJws: longer than ``max_bytes``, a header beyond ``MAX_HEADER_BYTES``, not three
            parts, an empty header or signature, not canonical base64url, the header is no JSON
            object with unique names, or one of its registered parameters (RFC 7515 section 4.1)
            has the wrong type.
    """
    if len(compact) > max_bytes:
        raise MalformedJws("too long")
    try:
        raw = compact.encode("ascii") if isinstance(compact, str) else bytes(compact)
        parts = raw.split(b".", 3)
        if len(parts) != 3 or not parts[0] or not parts[2]:
            raise MalformedJws("not three parts")
        if len(parts[0]) > MAX_HEADER_BYTES:
            raise MalformedJws("the header is too long")
        header = json_object.loads(base64url.decode(parts[0]))
        _check_header_types(header)
        return UnverifiedJws(
            header,
            base64url.decode(parts[1]),
            raw[: raw.rindex(b".")],
            base64url.decode(parts[2]),
        )
    except MalformedEncoding as error:
        raise MalformedJws("a part is not base64url") from error
    except ValueError as error:
        raise MalformedJws("not ASCII, or the header is not a JSON object") from error


def verify(
    token: UnverifiedJws,
    keys: JwkSet | PublicKey,
    *,
    algs: frozenset[str],
    typ: str | None,
) -> VerifiedJws:
    """Verify the header and the signature; the claims are the caller's to check.

    ``algs`` are the algorithms that the caller accepts. ``typ`` is compared without regard to case
    and without ``application/``; None accepts an absent ``typ`` or ``JWT``. When ``keys`` is one
    key, the header's ``kid`` is not compared; ``jwk``, ``jku``, ``x5c`` and ``x5u`` are ignored.

    Raises:
        CriticalHeader: ``crit`` or ``b64`` is present.
        UnsupportedAlgorithm: ``alg`` is missing, not in ``algs``, or not one of the key's.
        WrongType: another ``typ``.
        UnknownKey: no key has the ``kid``, or none could carry ``alg``.
        InvalidSignature: the signature does not verify under any fitting key.
    """
    header = token.header
    if "crit" in header or "b64" in header:
        raise CriticalHeader("the header demands an extension")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algs:
        raise UnsupportedAlgorithm("alg is not accepted here")
    check_typ(header, typ)
    if isinstance(keys, PublicKey):
        keys.verify(alg, token.signing_input, token.signature)
        return VerifiedJws(header, token.unverified_payload, keys)
    for key in _candidates(keys, header.get("kid"), alg):
        try:
            key.verify(alg, token.signing_input, token.signature)
        except InvalidSignature:
            continue
        return VerifiedJws(header, token.unverified_payload, key)
    raise InvalidSignature("the signature does not verify")


def check_typ(header: Mapping[str, Any], expected: str | None) -> None:
    """Compare the ``typ`` of a parsed header (RFC 7515 section 4.1.9, RFC 8725 section 3.11).

    Raises:
        WrongType: not ``expected``; for None, neither absent nor ``JWT``.
    """
    if "typ" not in header:
        if expected is not None:
            raise WrongType("typ is missing")
        return
    given = header["typ"]
    wanted = "JWT" if expected is None else expected
    if given == wanted:
        return
    # ASCII only: there are letters outside it whose lower case is within.
    if (
        not isinstance(given, str)
        or not given.isascii()
        or _media_type(given) != _media_type(wanted)
    ):
        raise WrongType("typ is not the expected one")


async def sign(
    signer: Signer,
    payload: bytes | Mapping[str, Any],
    *,
    typ: str | None,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Return a compact JWS of ``payload`` (a mapping is written as compact JSON).

    The protected header gets ``alg``, ``typ`` unless it is None, and the signer's ``kid``, unless
    ``header`` names the key itself: by ``jwk`` or ``x5c``, by a ``kid`` of its own, or not at all
    (``kid: None``).

    Raises:
        MalformedJws: ``header`` sets ``alg``, ``typ``, ``crit`` or ``b64``.
        ValueError: a number in the payload is not finite.
        TypeError: something has no JSON form.
    """
    body = payload if isinstance(payload, bytes) else json_object.dumps(payload)
    if header:
        protected = _header_with(signer, typ, header)
    else:
        protected = _plain_header(signer.alg, signer.kid, typ)
    signing_input = protected + base64url.encode_bytes(body)
    signature = await signer.sign(signing_input)
    return (signing_input + b"." + base64url.encode_bytes(signature)).decode("ascii")


@lru_cache(maxsize=_CACHED_HEADERS)
def _plain_header(alg: str, kid: str, typ: str | None) -> bytes:
    return _encoded({"alg": alg, "typ": typ, "kid": kid})


def _header_with(signer: Signer, typ: str | None, header: Mapping[str, Any]) -> bytes:
    if not _OWN_HEADERS.isdisjoint(header):
        raise MalformedJws("alg, typ, crit and b64 are not set by hand")
    protected: dict[str, Any] = {"alg": signer.alg, "typ": typ}
    if _NAMES_THE_KEY.isdisjoint(header):
        protected["kid"] = signer.kid
    return _encoded(protected | dict(header))


def _encoded(protected: Mapping[str, Any]) -> bytes:
    members = {name: value for name, value in protected.items() if value is not None}
    return base64url.encode_bytes(orjson.dumps(members)) + b"."


def _check_header_types(header: Mapping[str, Any]) -> None:
    for name, value in header.items():
        if name in _TEXT_HEADERS:
            right = isinstance(value, str)
        elif name in _URL_HEADERS:
            right = isinstance(value, str) and value.startswith(("https://", "http://"))
        elif name == "jwk":
            right = isinstance(value, dict)
        elif name == "x5c":
            right = isinstance(value, list) and all(isinstance(one, str) for one in value)
        else:
            continue
        if not right:
            raise MalformedJws(f"{name} has the wrong type")


def _candidates(keys: JwkSet, kid: str | None, alg: str) -> list[PublicKey]:
    found = keys.find(kid, alg)
    if not found:
        if kid is not None and keys.has_kid(kid):
            raise UnsupportedAlgorithm("alg does not fit the key")
        raise UnknownKey("no key fits kid and alg")
    return found


def _media_type(typ: str) -> str:
    lower = typ.lower()
    bare = lower.removeprefix("application/")
    return lower if "/" in bare else bare
