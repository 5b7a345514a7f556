"""Tokens that say themselves when they end, so that their rows can lie in that order.

An opaque one is a prefix, then in base64url the instant (6 bytes, epoch ms) and 256 random bits.
A JWT has the instant at the beginning of its ``jti``.
"""

from collections.abc import Callable
from typing import Final

import orjson

from keys import base64url
from keys.errors import MalformedEncoding

INSTANT_BYTES: Final = 6
_INSTANT_CHARACTERS: Final = 8
_RANDOM_BYTES: Final = 32
_LENGTH: Final = 51
_JTI_RANDOM_BYTES: Final = 16
_JTI_LENGTH: Final = 30
_PREFIX_END: Final = "_:"
_JWT_DOTS: Final = 2


def instant(ends_at: int) -> bytes:
    """An instant (epoch ms) as it begins a token and the key of its row; in order of time."""
    return ends_at.to_bytes(INSTANT_BYTES, "big")


def new_token(prefix: str, ends: bytes, random: Callable[[int], bytes]) -> str:
    """A fresh opaque token of 256 random bits; the prefix ends in ``_`` or ``:``."""
    return prefix + base64url.encode(ends + random(_RANDOM_BYTES))


def new_jti(ends: bytes, random: Callable[[int], bytes]) -> str:
    """A fresh ``jti`` of 128 random bits."""
    return base64url.encode(ends + random(_JTI_RANDOM_BYTES))


def end_of(unverified_token: str) -> bytes | None:
    """The instant that a token names; None where it names none."""
    if unverified_token.count(".") == _JWT_DOTS:
        return _end_of_jwt(unverified_token)
    start = len(unverified_token) - _LENGTH
    if start <= 0 or unverified_token[start - 1] not in _PREFIX_END:
        return None
    return _decoded(unverified_token[start:])


def _end_of_jwt(unverified_token: str) -> bytes | None:
    try:
        claims = orjson.loads(base64url.decode(unverified_token.split(".")[1]))
    except (MalformedEncoding, ValueError, RecursionError):
        return None
    jti = claims.get("jti") if isinstance(claims, dict) else None
    return _decoded(jti) if isinstance(jti, str) and len(jti) == _JTI_LENGTH else None


def _decoded(text: str) -> bytes | None:
    try:
        return base64url.decode(text[:_INSTANT_CHARACTERS])
    except MalformedEncoding:
        return None
