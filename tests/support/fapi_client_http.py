"""HTTP/1.1 to one loopback address, on keep-alive connections that are used one request at a time.

Small and its own, because fault tests must know exactly whether a response was received as a
whole: only then was something acknowledged. Whatever else happens is `ConnectionLost`.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TIMEOUT = 30.0
"""Seconds for one request; beyond, something is stuck."""


class ConnectionLost(Exception):
    """No whole response came: whether the server did what was asked is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response. Header names are lower case; of a repeated one the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def error(self) -> str | None:
        """The OAuth error code of the body, None where it has none."""
        try:
            found = self.json
        except orjson.JSONDecodeError:
            return None
        code = found.get("error") if isinstance(found, dict) else None
        return code if isinstance(code, str) else None

    def expect(self, status: int) -> "Answer":
        """Itself; AssertionError for any other status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:500]!r}"
        return self


_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Http:
    """Requests to 127.0.0.1 at `port`; close it at the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: deque[_Pair] = deque()

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return await self.request("GET", path, headers or {})

    async def form(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST of a form."""
        own = {"Content-Type": FORM, **(headers or {})}
        return await self.request("POST", path, own, urlencode(fields).encode())

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request and its whole response.

        Raises:
            ConnectionLost: the connection ended, or the server said nothing, before that.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        message = "\r\n".join([*lines, "", ""]).encode() + body
        pair: _Pair | None = None
        try:
            async with asyncio.timeout(TIMEOUT):
                pair = await self._connection()
                pair[1].write(message)
                answer = await _read(pair[0], method)
        except (OSError, EOFError, TimeoutError) as error:
            if pair is not None:
                pair[1].transport.abort()
            raise ConnectionLost(f"{method} {path}: {type(error).__name__}: {error}") from None
        except BaseException:
            if pair is not None:
                pair[1].transport.abort()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            pair[1].transport.abort()
        else:
            self._idle.append(pair)
        return answer

    async def open(self, count: int) -> None:
        """Have that many connections open, so that requests leave at once."""
        self._idle.extend([await self._connect() for _ in range(count - len(self._idle))])

    async def close(self) -> None:
        """Close the idle connections; the others end with their requests."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.transport.abort()

    async def _connection(self) -> _Pair:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        return await self._connect()

    async def _connect(self) -> _Pair:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)


async def _read(reader: asyncio.StreamReader, method: str) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    status = int(first.split(" ", 2)[1])
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if method == "HEAD" or status in (204, 304):
        return Answer(status, headers, b"")
    if "content-length" in headers:
        return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, headers, await _chunks(reader))
    raise EOFError("a response without a length")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";", 1)[0], 16)
        body += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return bytes(body)
