"""Calling an application over real HTTP: what a test sends, and what came back."""

import asyncio
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2
import orjson
import uvicorn
from uvicorn.server import ServerState

from corpid.web.http1 import Connection
from oidc.response import Endpoint


async def _nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("each server gets an application of its own")


_CONFIG: Final = uvicorn.Config(
    _nowhere,
    http="httptools",
    ws="none",
    lifespan="off",
    log_config=None,
    access_log=False,
    server_header=False,
    date_header=False,
    proxy_headers=False,
)
_CONFIG.load()
_HOP_BY_HOP: Final = frozenset({b"connection", b"keep-alive"})
_OF_THE_CONNECTION: Final = frozenset({b"connection", b"transfer-encoding"})
FORM = (b"content-type", b"application/x-www-form-urlencoded")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name.encode()]
        assert len(values) <= 1, f"{name} is repeated"
        return values[0].decode() if values else None

    @property
    def json(self) -> dict[str, Any]:
        assert self.header("content-type") == "application/json"
        value = orjson.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> str:
        return str(self.json["error"])


class Loopback(httpx2.AsyncBaseTransport):
    """For an httpx client: every host that it asks is this application, on a loopback socket."""

    def __init__(self, app: Endpoint) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, with the host that the client believes to talk to."""
        target = request.url.raw_path
        headers = [pair for pair in request.headers.raw if pair[0].lower() not in _HOP_BY_HOP]
        message = _message(request.method, target, headers, await request.aread())
        answer = await _served(self._app, message)
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)


async def call(
    endpoint: Endpoint,
    method: str = "GET",
    *,
    path: str = "/",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
    peer: str = "198.51.100.7",
) -> Answer:
    """One request over HTTP/1.1 on a loopback socket. ``peer`` is who asks, which alone a socket
    on loopback cannot say.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await endpoint({**scope, "client": (peer, 49152)}, receive, send)

    given = [(b"host", b"127.0.0.1"), *headers]
    target = quote(path, safe="/?&=%:;,@+$!*'()~").encode()
    return await _served(app, _message(method, target, given, body))


async def _served(app: Endpoint, message: bytes) -> Answer:
    """The answer of a server that lives for this request alone.

    It runs in this loop, so that what an application shares with its test (a clock, a store, a
    task that waits) is shared still. What the application raises is raised here.
    """
    raised: list[Exception] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:
            raised.append(error)
            raise

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _protocol(loop, watched), "127.0.0.1", 0)
    try:
        answer = await _exchange(server.sockets[0].getsockname()[1], message)
    finally:
        server.close()
        await server.wait_closed()
    if raised:
        raise raised[0]
    return answer


def _protocol(loop: asyncio.AbstractEventLoop, app: Any) -> asyncio.Protocol:
    config = copy(_CONFIG)
    config.loaded_app = app
    return Connection(config, ServerState(), {}, loop)


def _message(
    method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> bytes:
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in headers]
    sized = any(name.lower() == b"content-length" for name, _ in headers)
    if not sized and (body or method in ("POST", "PUT")):
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"connection: close", b"", b""]) + body


async def _exchange(port: int, message: bytes) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    try:
        writer.write(message)
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    first, *lines = head.split(b"\r\n")
    pairs = [line.partition(b": ") for line in lines]
    headers = [(name.lower(), value) for name, _, value in pairs]
    chunked = any(name == b"transfer-encoding" for name, _ in headers)
    kept = [pair for pair in headers if pair[0] not in _OF_THE_CONNECTION]
    return Answer(int(first.split(b" ", 2)[1]), kept, _unchunked(rest) if chunked else rest)


def _unchunked(rest: bytes) -> bytes:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
    return body


async def post_form(
    endpoint: Endpoint,
    form: Mapping[str, str] | Sequence[tuple[str, str]],
    *,
    path: str = "/",
    headers: Sequence[tuple[bytes, bytes]] = (),
    peer: str = "198.51.100.7",
) -> Answer:
    body = urlencode(form).encode("ascii")
    sent = [FORM, *headers]
    return await call(endpoint, "POST", path=path, headers=sent, body=body, peer=peer)
