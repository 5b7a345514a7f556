"""What one connection may cost where no proxy stands before the service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from corpid.web.connections import LOOKS, MAX_HEAD_BYTES, BoundedConnection, look_at
from corpid.web.listening import listen

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
PATIENCE = 30.0


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Place:
    """A server whose endpoint reads the whole body, and answers when it may."""

    port: int = 0
    asked: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    connections: Any = ()
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        self.begun.set()
        while (await receive()).get("more_body"):
            pass
        await self.may_answer.wait()
        length = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": b"ok"})

    async def connect(self, *sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        for one in sent:
            writer.write(one)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        return reader, writer

    async def close(self) -> None:
        for one in self.writers:
            one.close()
            with contextlib.suppress(ConnectionError):
                await one.wait_closed()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()

    class Noticed(BoundedConnection):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            made.connected.set()

    config = uvicorn.Config(
        made.app, http=Noticed, interface="asgi3", lifespan="off", log_config=None
    )
    server = _Quiet(config)
    with listen("127.0.0.1", 0) as listening:
        made.port = listening.getsockname()[1]
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        made.connections = server.server_state.connections
        yield made
        made.may_answer.set()
        await made.close()
        server.should_exit = True
        await serving


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server hangs up."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), PATIENCE)
    return b""


async def answer(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\nok"), PATIENCE)


async def looked_at(place: Place, times: int) -> None:
    """Once the connection is there."""
    await asyncio.wait_for(place.connected.wait(), PATIENCE)
    for _ in range(times):
        look_at(place.connections)


@pytest.mark.parametrize(
    "line", [b"x-long: ", b"cookie: " + b"a" * 1000 + b"\r\n"], ids=["one header", "many headers"]
)
async def test_a_head_without_end_is_cut_off(place: Place, line: bytes) -> None:
    more = line if line.endswith(b"\n") else b"a" * 1000
    reader, _ = await place.connect(HEAD, line, *([more] * (2 * MAX_HEAD_BYTES // 1000)))
    said = await rest(reader)
    assert not said or said.startswith(b"HTTP/1.1 400 ")
    assert place.asked == 0


async def test_what_follows_the_chunks_of_a_body_is_cut_off_too(place: Place) -> None:
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-long: "
    reader, _ = await place.connect(chunked, *([b"a" * 1000] * (2 * MAX_HEAD_BYTES // 1000)))
    assert b" 200 " not in await rest(reader)


async def test_a_long_body_is_the_endpoints_to_judge(place: Place) -> None:
    place.may_answer.set()
    size = 4 * MAX_HEAD_BYTES
    head = HEAD + f"content-length: {size}\r\n\r\n".encode()
    reader, _ = await place.connect(head, *([b"a" * 4096] * (size // 4096)))
    assert b" 200 " in await answer(reader)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", HEAD, HEAD + b"content-length: 9\r\n\r\nabc"],
    ids=["nothing", "a line", "half a head", "half a body"],
)
async def test_a_request_that_never_comes_whole_is_not_waited_for(
    place: Place, sent: bytes
) -> None:
    reader, _ = await place.connect(sent)
    if b"content-length" in sent:
        await asyncio.wait_for(place.begun.wait(), PATIENCE)
    await looked_at(place, LOOKS)
    assert len(place.connections) == 1, "not too early"
    look_at(place.connections)
    await rest(reader)


async def test_a_client_is_waited_for_while_we_are_at_work(place: Place) -> None:
    reader, writer = await place.connect(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    await asyncio.wait_for(place.begun.wait(), PATIENCE)
    await looked_at(place, 3 * LOOKS)
    place.may_answer.set()
    assert b" 200 " in await answer(reader)
    await looked_at(place, 3 * LOOKS)  # between two requests
    writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert b" 200 " in await answer(reader)
