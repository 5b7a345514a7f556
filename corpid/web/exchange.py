"""One HTTP request and its response, as an ASGI application sees them."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, Protocol

import structlog

from oidc.request import Message, Scope

Application = Callable[[Scope, Any, Any], Awaitable[None]]

READ_AHEAD: Final = 64 * 1024
"""Bytes of a body that are kept before its sender has to wait."""
_WRITTEN_TOGETHER: Final = 64 * 1024
_STATUS_LINES: Final = {
    one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode("ascii") for one in HTTPStatus
}
_NO_CONTENT: Final = 204
# RFC 9110 15: their responses end with the head.
_WITHOUT_CONTENT: Final = frozenset({_NO_CONTENT, 304})
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_DISCONNECT: Final[Message] = {"type": "http.disconnect"}
logger = structlog.stdlib.get_logger("corpid.http")


class Line(Protocol):
    """The connection that an exchange goes over."""

    writing_paused: bool

    def write(self, data: bytes) -> None:
        """Send bytes."""

    async def drained(self) -> None:
        """Wait until the other side has read enough."""

    def read_on(self) -> None:
        """More of the body may come."""

    def common_headers(self) -> bytes:
        """The header lines of every response."""

    def answered(self, exchange: "Exchange") -> None:
        """The response is complete."""

    def cut(self) -> None:
        """Nothing that could be sent now would be understood: close."""


class Exchange:
    """One request and its response.

    ``reusable`` says whether the connection may carry another. ``complete``: the response is out.
    ``gone``: the client is, so what is sent is dropped.
    """

    __slots__ = (
        "_awaits_leave",
        "_body",
        "_chunked",
        "_head",
        "_left",
        "_line",
        "_silent",
        "_waiter",
        "_whole_given",
        "complete",
        "gone",
        "reusable",
        "scope",
        "whole",
    )

    def __init__(self, line: Line, scope: Scope, *, reusable: bool, awaits_leave: bool) -> None:
        self._line = line
        self.scope = scope
        self.reusable = reusable
        self.complete = False
        self.gone = False
        self.whole = False  # the body has come to its end
        self._whole_given = False
        self._awaits_leave = awaits_leave  # to send the body (RFC 9110 10.1.1)
        self._body = b""
        self._waiter: asyncio.Future[None] | None = None
        self._head: bytes | None = None  # None before the response begins, empty once it is sent
        self._silent = False
        self._chunked = False
        self._left: int | None = None

    @property
    def begun(self) -> bool:
        """Whether a part of the response may be out."""
        return self._head is not None

    # What the connection tells.

    def add_body(self, data: bytes) -> bool:
        """Take a part of the body; False when its sender should wait."""
        if self.complete or self.gone:
            return True
        self._body = self._body + data if self._body else data
        self._wake()
        return len(self._body) <= READ_AHEAD

    def end_body(self) -> None:
        """The body is whole."""
        self.whole = True
        self._wake()

    def lose(self) -> None:
        """The client is gone."""
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # What the application asks for.

    async def run(self, application: Application) -> None:
        """Let the application answer."""
        try:
            await application(self.scope, self.receive, self.send)
        except Exception:
            # Not to be seen in practice: the application turns its own into a response.
            logger.exception("unexpected error of the application", path=self.scope["path"][:200])
        if self.complete or self.gone:
            return
        if self.begun:
            self._line.cut()  # a response that ends early must not look whole
            return
        self.reusable = False
        length = (b"content-length", b"0")
        await self.send({"type": "http.response.start", "status": 500, "headers": [length]})
        await self.send({"type": "http.response.body"})

    async def receive(self) -> Message:
        """The next ASGI event: a part of the body, or that the client went away."""
        while not (self.gone or self.complete):
            if self._body or (self.whole and not self._whole_given):
                body, self._body = self._body, b""
                self._whole_given = self.whole
                if not self.whole:
                    self._line.read_on()
                return {"type": "http.request", "body": body, "more_body": not self.whole}
            if self._awaits_leave and not self.whole and not self.begun:
                self._awaits_leave = False
                self._line.write(_CONTINUE)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        """Take an ASGI event: the head of the response, or a part of its body.

        Raises:
            RuntimeError: it does not fit what was sent before.
        """
        if self._line.writing_paused and not self.gone:
            await self._line.drained()
        if self.gone:
            return
        begins = message["type"] == "http.response.start"
        if self.complete or begins is self.begun:
            raise RuntimeError(f"{message['type']} was not to be sent now")
        if begins:
            self._head = self._compose(message["status"], message["headers"])
        else:
            self._send_body(message.get("body", b""), last=not message.get("more_body", False))

    def _compose(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines: list[bytes] = []
        for name, value in headers:
            if name == b"content-length":
                if status == _NO_CONTENT:
                    continue  # RFC 9110 8.6
                self._left = int(value)
            elif name == b"connection":
                self.reusable = self.reusable and value.strip().lower() != b"close"
                continue
            lines += (name, b": ", value, b"\r\n")
        self._silent = self.scope["method"] == "HEAD" or status in _WITHOUT_CONTENT
        if self._left is None and not self._silent:
            if self.scope["http_version"] == "1.1":
                self._chunked = True
                lines += (b"transfer-encoding", b": ", b"chunked", b"\r\n")
            else:
                self.reusable = False  # the end of the connection is the end of the body
        if not self.reusable:
            lines += (b"connection", b": ", b"close", b"\r\n")
        own = b"".join(lines)
        expected = len(lines) // 4
        if own.count(b"\n") != expected or own.count(b"\r") != expected or b"\0" in own:
            raise RuntimeError("a header of the response has a line break")
        return b"".join((_STATUS_LINES[status], self._line.common_headers(), own, b"\r\n"))

    def _send_body(self, body: bytes, *, last: bool) -> None:
        data = self._framed(body, last=last)
        head, self._head = self._head or b"", b""
        if len(data) <= _WRITTEN_TOGETHER:
            self._line.write(head + data)
        else:
            self._line.write(head)
            self._line.write(data)
        if last:
            self.complete = True
            self._wake()
            self._line.answered(self)

    def _framed(self, body: bytes, *, last: bool) -> bytes:
        if self._silent:
            return b""
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return chunk + b"0\r\n\r\n" if last else chunk
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (last and self._left > 0):
                raise RuntimeError("the body is not as long as its content-length")
        return body


def refusal(status: int, common_headers: bytes) -> bytes:
    """A whole response to what is no request that could be handed on."""
    reason = HTTPStatus(status).phrase.encode("ascii")
    own = b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
    return _STATUS_LINES[status] + common_headers + own % (len(reason), reason)
