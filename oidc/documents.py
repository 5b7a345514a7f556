"""Serving documents that change with a release or a key, not with a request: cached, CORS open."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from oidc.request import Scope, Send, header_values
from oidc.response import Headers, send_bytes

MAX_AGE: Final = 300
"""Seconds that a document may be cached; a new signing key is published for longer before use."""

_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")


class Document:
    """A document, encoded once: JSON, or bytes of another media type."""

    __slots__ = ("_etag", "_headers", "body", "language")

    def __init__(
        self,
        value: Mapping[str, Any] | bytes,
        language: str | None = None,
        media_type: bytes = b"application/json",
    ) -> None:
        self.language = language
        self.body = value if isinstance(value, bytes) else orjson.dumps(value)
        self._etag = b'"%s"' % hashlib.sha256(self.body).hexdigest()[:32].encode()
        self._headers: Headers = [
            (b"content-type", media_type),
            (b"cache-control", b"public, max-age=%d" % MAX_AGE),
            (b"etag", self._etag),
            _NO_SNIFF,
        ]
        if language is not None:
            self._headers.append((b"content-language", language.encode()))

    async def send(self, scope: Scope, send: Send, vary: bytes | None = None) -> None:
        """Send it, or 304 when the client has it already (RFC 9110 13.1.2)."""
        headers = self._headers if vary is None else [*self._headers, (b"vary", vary)]
        if matches(scope, self._etag):
            await send_bytes(send, 304, headers[1:], b"")
            return
        await send_bytes(send, 200, headers, b"" if scope["method"] == "HEAD" else self.body)


def matches(scope: Scope, etag: bytes) -> bool:
    """Whether an If-None-Match header names this entity tag (weak comparison)."""
    for value in header_values(scope, b"if-none-match"):
        for tag in value.split(b","):
            if tag.strip().removeprefix(b"W/") in (etag, b"*"):
                return True
    return False
