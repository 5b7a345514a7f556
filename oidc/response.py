"""Writing HTTP responses: JSON, redirects, OAuth errors."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import orjson

from oidc.errors import OAuthError
from oidc.request import Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]

NO_STORE: Final[Headers] = [(b"cache-control", b"no-store"), (b"pragma", b"no-cache")]
_JSON: Final = (b"content-type", b"application/json")
CORS: Final[Headers] = [
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate",
    ),
]
"""What lets a page of another origin read an answer: for endpoints where no cookie counts. Whoever
serves an endpoint adds them, to its errors too."""

_ASKED: Final = (
    b"Authorization, Content-Type, DPoP, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP, "
    b"Accept"
)

ERROR_PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The content security policy of a page on which there is nothing to do."""


async def send_bytes(
    send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    """Send a whole response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_json(
    send: Send, value: Mapping[str, Any], status: int = 200, headers: Headers | None = None
) -> None:
    """Send a JSON object that must not be stored."""
    await send_bytes(send, status, [_JSON, *NO_STORE, *(headers or ())], orjson.dumps(value))


async def send_jwt(
    send: Send, compact: str, media_type: str, headers: Headers | None = None, status: int = 200
) -> None:
    """Send a JWT that must not be stored."""
    content_type = (b"content-type", media_type.encode("ascii"))
    body = compact.encode("ascii")
    await send_bytes(send, status, [content_type, *NO_STORE, *(headers or ())], body)


async def send_error(send: Send, error: OAuthError, headers: Headers | None = None) -> None:
    """Send an OAuth error (RFC 6749 5.2). ``error.headers`` go out too."""
    extra = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    body = {"error": error.code, "error_description": error.description}
    await send_json(send, body, error.status, [*extra, *(headers or ())])


async def send_redirect(send: Send, location: str, cookies: Iterable[str] = ()) -> None:
    """Send the browser elsewhere by 303: never 307, which would repeat a POSTed password."""
    headers: Headers = [
        (b"location", quote(location, safe=":/?#[]@!$&'()*+,;=%-._~").encode("ascii")),
        *NO_STORE,
        (b"referrer-policy", b"no-referrer"),
        *((b"set-cookie", cookie.encode("latin-1")) for cookie in cookies),
    ]
    await send_bytes(send, HTTPStatus.SEE_OTHER, headers, b"")


def preflight(endpoint: Endpoint, methods: str = "GET, POST") -> Endpoint:
    """Answer CORS preflights for an endpoint whose answers get ``CORS``."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "OPTIONS":
            await endpoint(scope, receive, send)
            return
        headers: Headers = [
            (b"access-control-allow-methods", methods.encode()),
            (b"access-control-allow-headers", _ASKED),
            (b"access-control-max-age", b"3600"),
        ]
        await send_bytes(send, HTTPStatus.NO_CONTENT, headers, b"")

    return answer


def page_headers(content_security_policy: str) -> Headers:
    """The headers of a page: never stored, framed or referred from."""
    return [
        (b"content-type", b"text/html; charset=utf-8"),
        *NO_STORE,
        (b"content-security-policy", content_security_policy.encode("ascii")),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
