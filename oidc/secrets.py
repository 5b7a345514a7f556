"""Opaque tokens and the stateless nonces: made from randomness, kept as keyed hashes only."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from keys import base64url
from keys.errors import MalformedEncoding

# Prefixes let leaked tokens be found by a scan, and tell the kinds apart at a glance.
ACCESS_TOKEN: Final = "cid_at_"
REFRESH_TOKEN: Final = "cid_rt_"
AUTHORIZATION_CODE: Final = "cid_ac_"
PRE_AUTHORIZED_CODE: Final = "cid_pc_"
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
_TOKEN_BYTES: Final = 32


class TokenHasher:
    """Keyed SHA-256 of tokens and one-time values: a stolen database tells no token."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, token: str | bytes) -> bytes:
        """32 bytes that stand for the token in the database."""
        data = token.encode() if isinstance(token, str) else token
        return hmac.digest(self._key, data, "sha256")


def new_token(prefix: str, random: Callable[[int], bytes]) -> str:
    """A fresh token of 256 random bits with its kind's prefix."""
    return prefix + base64url.encode(random(_TOKEN_BYTES))


def client_secret_hash(secret: str) -> bytes:
    """SHA-256 of a client secret. Secrets are random (256 bits), so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()


class Nonces:
    """Stateless nonces: an expiry and its MAC, valid for every process that knows the key.

    Used for DPoP nonces (RFC 9449 8) and for the c_nonce of OpenID4VCI 1.0, 7. ``lifetime`` is
    in seconds. A nonce says nothing and is not single-use: the proof's jti is.
    """

    __slots__ = ("_key", "_lifetime")

    def __init__(self, key: bytes, lifetime: int) -> None:
        self._key = key
        self._lifetime = lifetime

    def issue(self, now: float, random: Callable[[int], bytes]) -> str:
        """A fresh nonce."""
        body = int(now + self._lifetime).to_bytes(6, "big") + random(10)
        return base64url.encode(body + hmac.digest(self._key, body, "sha256")[:16])

    def accepts(self, nonce: str, now: float) -> bool:
        """Whether the nonce is ours and still fresh."""
        if len(nonce) != 43:
            return False
        try:
            data = base64url.decode(nonce)
        except MalformedEncoding:
            return False
        body, mac = data[:16], data[16:]
        expected = hmac.digest(self._key, body, "sha256")[:16]
        return hmac.compare_digest(mac, expected) and now < int.from_bytes(body[:6], "big")
