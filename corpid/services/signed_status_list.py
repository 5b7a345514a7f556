"""A status list signed in both forms, JWT and CWT, from one compression."""

import hashlib
from typing import Final

import orjson

from keys import base64url
from oidc.formats.status_cwt import sign_cwt
from oidc.formats.status_list import StatusList
from oidc.formats.status_token import sign_token, token_claims
from oidc.issuer.ports import IssuerKeys, ServedStatusList

_ALG: Final = "ES256"


class StatusListSigner:
    """Signs with the status ring. ``status_url`` is where lists are, and their aggregation."""

    def __init__(self, keys: IssuerKeys, status_url: str) -> None:
        self._keys = keys
        self._status_url = status_url.rstrip("/")

    def uri(self, list_id: str) -> str:
        """The URI of a list, as credentials name it."""
        return f"{self._status_url}/{list_id}"

    def has_chain(self) -> bool:
        """Whether the key that signs now has a certificate."""
        return bool(self._keys.signer("status", _ALG).x5c)

    async def sign(
        self, list_id: str, bits: StatusList, *, issued_at: int, expires_at: int, ttl: int
    ) -> tuple[str, bytes]:
        """The list as JWT and as CWT; instants and ``ttl`` in seconds."""
        signer = self._keys.signer("status", _ALG)
        packed = bits.compress()
        jwt = await sign_token(
            signer,
            token_claims(
                self.uri(list_id),
                {"bits": bits.bits, "lst": base64url.encode(packed)},
                issued_at=issued_at,
                expires_at=expires_at,
                ttl=ttl,
                aggregation_uri=self._status_url,
            ),
            header={"x5c": list(signer.x5c)} if signer.x5c else None,
        )
        cwt = await sign_cwt(
            signer,
            self.uri(list_id),
            bits.bits,
            packed,
            issued_at=issued_at,
            expires_at=expires_at,
            ttl=ttl,
            aggregation_uri=self._status_url,
        )
        return jwt, cwt


def served(jwt: str, cwt: bytes, issued_at: int, expires_at: int, ttl: int) -> ServedStatusList:
    """What the endpoint sends; times and ``ttl`` in seconds."""
    body = jwt.encode("ascii")
    return ServedStatusList(body, _etag(body), cwt, _etag(cwt), issued_at, expires_at, ttl)


def carries_chain(jwt: str) -> bool:
    """Whether the header of a list that was signed here has a certificate chain."""
    return "x5c" in orjson.loads(base64url.decode(jwt.partition(".")[0]))


def _etag(body: bytes) -> bytes:
    return b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
