"""Opaque tokens and the stateless nonces: made from randomness, kept as keyed hashes only."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from keys import base64url
from keys.errors import MalformedEncoding
from oidc import dated

# Prefixes let leaked tokens be found by a scan, and tell the kinds apart at a glance.
ACCESS_TOKEN: Final = "cid_at_"
REFRESH_TOKEN: Final = "cid_rt_"
AUTHORIZATION_CODE: Final = "cid_ac_"
PRE_AUTHORIZED_CODE: Final = "cid_pc_"
AUTH_REQ_ID: Final = "cid_ba_"
DEVICE_CODE: Final = "cid_dc_"
GRANT_HANDLE: Final = "cid_gr_"
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
_TOKEN_BYTES: Final = 32
_BLOCK_BYTES: Final = 64


class _Mac:
    """HMAC-SHA-256 under one key, whose two blocks are hashed once and for all (RFC 2104 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

    def digest(self, data: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


class TokenHasher:
    """Keyed SHA-256 of tokens and one-time values: a stolen database tells no token."""

    __slots__ = ("_mac",)

    def __init__(self, key: bytes) -> None:
        self._mac = _Mac(key)

    def hash(self, token: str | bytes) -> bytes:
        """32 bytes that stand for the token in the database."""
        data = token.encode() if isinstance(token, str) else token
        return self._mac.digest(data)

    def key(self, token: str, ends: bytes | None = None) -> bytes:
        """32 bytes by which a token is kept that may say itself when it ends.

        Those of dated tokens begin with that instant: what is new lies together on disk, and what
        is over, too. ``ends`` is the instant where it is known already. It proves nothing: a token
        that lies about it has a key that nobody keeps.
        """
        digest = self._mac.digest(token.encode())
        if ends is None:
            ends = dated.end_of(token)
        return digest if ends is None else ends + digest[: -dated.INSTANT_BYTES]


def new_token(prefix: str, random: Callable[[int], bytes]) -> str:
    """A fresh token of 256 random bits with its kind's prefix."""
    return prefix + base64url.encode(random(_TOKEN_BYTES))


def new_grant_id(now_ms: int, random: Callable[[int], bytes]) -> str:
    """A fresh id of a grant: by time first, so that what is new lies together on disk.

    Internal, and no secret: 80 random bits make it unique.
    """
    return base64url.encode(now_ms.to_bytes(6, "big") + random(10))


def client_secret_hash(secret: str) -> bytes:
    """SHA-256 of a client secret. Secrets are random (256 bits), so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()


class Nonces:
    """Stateless nonces: an expiry and its MAC, valid for every process that knows the key.

    Used for DPoP nonces (RFC 9449 8) and for the c_nonce of OpenID4VCI 1.0, 7. ``lifetime`` is
    in seconds. A nonce says nothing and is not single-use: the proof's jti is.
    """

    __slots__ = ("_lifetime", "_mac")

    def __init__(self, key: bytes, lifetime: int) -> None:
        self._mac = _Mac(key)
        self._lifetime = lifetime

    @property
    def lifetime(self) -> int:
        """In seconds."""
        return self._lifetime

    def issue(self, now: float, random: Callable[[int], bytes]) -> str:
        """A fresh nonce."""
        body = int(now + self._lifetime).to_bytes(6, "big") + random(10)
        return base64url.encode(body + self._mac.digest(body)[:16])

    def accepts(self, nonce: str, now: float) -> bool:
        """Whether the nonce is ours and still fresh."""
        if len(nonce) != 43:
            return False
        try:
            data = base64url.decode(nonce)
        except MalformedEncoding:
            return False
        body, mac = data[:16], data[16:]
        expected = self._mac.digest(body)[:16]
        return hmac.compare_digest(mac, expected) and now < int.from_bytes(body[:6], "big")
