"""Reading HTTP requests once, with bounds: headers, form bodies, JSON bodies, cookies.

Endpoints are plain ASGI applications; this is all of HTTP that they read.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson

from oidc.errors import InvalidRequest, MethodNotAllowed, PayloadTooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_FORM_BYTES: Final = 64 * 1024
MAX_PARAMETERS: Final = 100
MAX_VALUE_CHARACTERS: Final = 32 * 1024
MAX_JSON_BYTES: Final = 256 * 1024
_NOTHING: Final[frozenset[str]] = frozenset()
# What a client writes the same in every request, and nobody has to keep secret.
_SAME_EACH_TIME: Final = frozenset(
    {"grant_type", "client_assertion_type", "redirect_uri", "scope", "resource"}
)
_REMEMBERED: Final = 1024
_MAX_REMEMBERED: Final = 256
_FORM_TYPE: Final = b"application/x-www-form-urlencoded"


def require_method(scope: Scope, *methods: str) -> None:
    """Refuse any other HTTP method.

    Raises:
        MethodNotAllowed: with the Allow header (RFC 9110 15.5.6).
    """
    if scope["method"] not in methods:
        allowed = ", ".join(methods)
        raise MethodNotAllowed(f"use {allowed} here", headers={"Allow": allowed})


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """Every value of a header; ASGI gives header names in lower case."""
    return [value for key, value in scope["headers"] if key == name]


def single_header(scope: Scope, name: bytes) -> str | None:
    """The one value of a header, or None.

    Raises:
        InvalidRequest: the header is repeated, or not ASCII.
    """
    values = header_values(scope, name)
    if not values:
        return None
    if len(values) > 1:
        raise InvalidRequest(f"the header {name.decode()} is repeated")
    try:
        return values[0].decode("ascii")
    except UnicodeDecodeError:
        raise InvalidRequest(f"the header {name.decode()} is not ASCII") from None


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        PayloadTooLarge: it is longer than ``limit`` bytes.
        InvalidRequest: the client went away.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise InvalidRequest("the client closed the connection")
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise PayloadTooLarge(f"the body is larger than {limit} bytes")
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the client closed the connection")
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"the body is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def parse_parameters(encoded: bytes, repeatable: frozenset[str] = _NOTHING) -> dict[str, str]:
    """Parameters of a query or form; empty values count as absent (RFC 6749 3.1).

    The values of a ``repeatable`` parameter are given with blanks between them; a blank inside
    one stays percent-encoded. They are meant to be URIs, which have none.

    Raises:
        InvalidRequest: another parameter is repeated (RFC 6749 3.1), there are too many, a value
            is over-long, or the text is not UTF-8.
    """
    try:
        text = encoded.decode("ascii")
        pairs = text.split("&", MAX_PARAMETERS)
        if len(pairs) > MAX_PARAMETERS:
            raise InvalidRequest(f"there are more than {MAX_PARAMETERS} parameters")
        parameters: dict[str, str] = {}
        for pair in pairs:
            name, _, value = pair.partition("=")
            # Tokens and codes need no decoding; they are most of what comes.
            if "%" in name or "+" in name:
                name = _unquoted(name)
            if "%" in value or "+" in value:
                known = name in _SAME_EACH_TIME and len(value) <= _MAX_REMEMBERED
                value = _unquoted_again(value) if known else _unquoted(value)
                if name in repeatable:
                    value = value.replace(" ", "%20")
            if not pair:
                continue
            if "\x00" in name or "\x00" in value:
                raise InvalidRequest(f"the parameter {name[:60]!a} contains a NUL character")
            if name in parameters:
                if name not in repeatable:
                    raise InvalidRequest(f"the parameter {name[:60]!a} is repeated")
                value = f"{parameters[name]} {value}".strip()
            if len(value) > MAX_VALUE_CHARACTERS:
                raise InvalidRequest(f"the parameter {name[:60]!a} is too long")
            parameters[name] = value
    except UnicodeDecodeError:
        raise InvalidRequest("the parameters are not UTF-8, percent-encoded") from None
    return {name: value for name, value in parameters.items() if value}


@lru_cache(maxsize=_REMEMBERED)
def _unquoted_again(text: str) -> str:
    return _unquoted(text)


def _unquoted(text: str) -> str:
    # The text is ASCII, so it can be decoded as a whole: half the price of the library's way.
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


async def read_form(
    scope: Scope, receive: Receive, repeatable: frozenset[str] = _NOTHING
) -> dict[str, str]:
    """The parameters of a POSTed form; see ``parse_parameters`` for ``repeatable``.

    Raises:
        InvalidRequest: wrong content type, repeated or malformed parameters.
        PayloadTooLarge: the body is too long.
    """
    content_type = header_values(scope, b"content-type")
    media_type = content_type[0].split(b";", 1)[0].strip().lower() if content_type else b""
    if media_type != _FORM_TYPE:
        raise InvalidRequest("send the parameters as application/x-www-form-urlencoded")
    return parse_parameters(await read_body(receive, MAX_FORM_BYTES), repeatable)


async def read_json(scope: Scope, receive: Receive, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """The JSON object of a POSTed body.

    Raises:
        InvalidRequest: wrong content type, malformed JSON, or not an object.
        PayloadTooLarge: the body is too long.
    """
    content_type = header_values(scope, b"content-type")
    media_type = content_type[0].split(b";", 1)[0].strip().lower() if content_type else b""
    if media_type != b"application/json":
        raise InvalidRequest("send the request as application/json")
    body = await read_body(receive, limit)
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        raise InvalidRequest("the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body is not a JSON object")
    return value


def read_cookies(scope: Scope) -> Mapping[str, str]:
    """The request's cookies by name; the first of a name wins (RFC 6265 5.4 sends it first)."""
    cookies: dict[str, str] = {}
    for line in header_values(scope, b"cookie"):
        for pair in line.decode("latin-1").split(";"):
            name, separator, value = pair.strip().partition("=")
            if separator:
                cookies.setdefault(name, value)
    return cookies
