"""A server of nothing but our HTTP/1.1 connections, with an application that says what it sees."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from corpid.web.http1 import Connection
from oidc.request import Receive, Scope, Send

GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"


class Application:
    """Echoes what came; other paths misbehave on purpose."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.events: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        answer = getattr(self, scope["path"].strip("/").replace("-", "_") or "echo", self.echo)
        await answer(scope, receive, send)

    async def echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.events.append("disconnect")
                return
            body += message["body"]
            if not message["more_body"]:
                break
        said = b"%b %b" % (scope["method"].encode(), body)
        await respond(send, 200, said)

    async def refuse(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 413, b"too large")

    async def empty(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 204, b"")

    async def stream(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one ", b"", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def wait(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await self.go_on.wait()
        await respond(send, 200, b"waited")

    async def wait_for_the_end(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.events.append("gone")

    async def nothing(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    async def raises(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("of the application")

    async def short(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, b"short", length=50)

    async def split(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"location", b"/x\r\nset-cookie: a=b"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body"})

    async def large(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await respond(send, 200, b"x" * 20_000_000)
        self.events.append("sent")


async def respond(send: Send, status: int, body: bytes, length: int | None = None) -> None:
    size = str(len(body) if length is None else length).encode()
    headers = [(b"content-length", size)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server:
    """The protocol on a loopback port, in this event loop, without the rest of a service."""

    def __init__(self, application: Application, keep_alive: int = 75) -> None:
        self.application = application
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"today")]
        self.config = uvicorn.Config(
            application, http=Connection, ws="none", lifespan="off", timeout_keep_alive=keep_alive
        )
        self.config.load()
        self.port = 0

    def connection(self) -> Connection:
        return Connection(self.config, self.state, {})

    async def exchange(self, *parts: bytes) -> bytes:
        """Everything that the server says to these bytes until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()


@asynccontextmanager
async def serving(keep_alive: int = 75) -> AsyncIterator[Server]:
    made = Server(Application(), keep_alive)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(made.connection, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        for connection in list(made.state.connections):
            connection.shutdown()


def post(path: bytes, body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(line + b"\r\n" for line in headers)
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%b%b\r\n%b" % (path, length, lines, body)


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what happens elsewhere in this loop sets no event
            await asyncio.sleep(0)


BAD = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "blank before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\nHost: x\n\n",
    "unknown method": b"FETCH / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no path": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority as target": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "foreign letters in the target": b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bad chunk": b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
