"""HTTP/1.1 on a socket: what comes in is bounded in size and time, and goes to the application.

httptools parses; this says how much of it there may be and for how long. Used in place of the
server's own protocol (docs/adr/0014): that has no such bounds, and costs twice the processor.
"""

import asyncio
import math
from collections import deque
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.server import ServerState

from corpid.web.exchange import Exchange, refusal

MAX_HEAD_BYTES: Final = 96 * 1024
"""A request line and all headers. An authorization request by GET may carry a signed one."""
MAX_HEADERS: Final = 100
MAX_PIPELINED: Final = 16
MAX_UNREAD_BYTES: Final = 1024 * 1024
"""What is read and thrown away so that a client gets to see why it was refused."""
HEAD_SECONDS: Final = 20.0
BODY_SECONDS: Final = 60.0
"""For a whole body: the largest that is read has 256 KB."""
WRITE_SECONDS: Final = 60.0
"""For a client to take something of what was sent to it."""
_LINGER_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 15.0


class _Refused(Exception):
    """Ends the parsing of a connection's requests; the status is kept beside."""


class Connection(asyncio.Protocol):
    """One connection: hands its requests to the application one after the other.

    The server makes it, by these arguments; see ``uvicorn.Config.http``.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._application = cast("Any", config.loaded_app)
        self._keep_alive = float(config.timeout_keep_alive)
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._base: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "root_path": config.root_path,
        }
        self._common: tuple[object, bytes] = (None, b"")
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.writing_paused = False
        self._stalled_since = 0.0
        self._reading_paused = False
        # Where the parser is.
        self._in_head = False
        self._idle_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._hosts = 0
        self._awaits_leave = False
        self._receiving: Exchange | None = None  # its body is on the way
        self._unread = 0
        # What is being answered, and what waits for that.
        self._answering: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._last = False  # no request is read after those that are here
        self._refusal = 0
        self._now = 0.0
        self._expires = math.inf
        self._timer: asyncio.TimerHandle | None = None

    # The socket's events.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        self._transport = cast("asyncio.Transport", transport)
        self._state.connections.add(cast("Any", self))
        secure = transport.get_extra_info("sslcontext") is not None
        self._base["scheme"] = "https" if secure else "http"
        self._base["client"] = _address(transport.get_extra_info("peername"))
        self._base["server"] = _address(transport.get_extra_info("sockname"))
        self._expires = self._loop.time() + self._keep_alive
        self._timer = self._loop.call_later(_TICK_SECONDS, self._tick)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._last or self._parser is None:
            self._discard(len(data))
            return
        self._now = self._loop.time()
        # Until it turns out to be a head that ends or a part of a body; trailers are neither.
        self._idle_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._last = True  # no other protocol is spoken here, and none has to be (RFC 9110 7.8)
        except httptools.HttpParserError:
            if not self._last:
                self._refuse(self._refusal or 400)
            return
        if self._idle_bytes > MAX_HEAD_BYTES:
            self._refuse(431)

    def eof_received(self) -> None:
        """The client sends no more: the transport closes."""

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone."""
        self._state.connections.discard(cast("Any", self))
        if self._timer is not None:
            self._timer.cancel()
        for exchange in (self._answering, self._receiving, *self._waiting):
            if exchange is not None:
                exchange.lose()
        self._waiting.clear()
        self._may_write.set()
        self._keep_task()
        self._parser = None

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        self.writing_paused = True
        self._stalled_since = self._loop.time()
        self._may_write.clear()

    def resume_writing(self) -> None:
        """The client has read enough."""
        self.writing_paused = False
        self._may_write.set()

    def shutdown(self) -> None:
        """Close after the response that is under way; the server is stopping."""
        self._last = True
        self._waiting.clear()
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.reusable = False
            self._keep_task()  # so that the server can end it when its patience does

    # The parser's events.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._expires = self._now + HEAD_SECONDS
        self._url = b""
        self._headers = []
        self._hosts = 0
        self._awaits_leave = False

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody here reads (RFC 9110 6.5.1)."""
        if not self._in_head:
            return
        name = name.lower()
        headers = self._headers
        headers.append((name, value))
        if len(headers) > MAX_HEADERS:
            raise self._refused(431)
        if name == b"host":
            self._hosts += 1
        elif name == b"expect":
            self._awaits_leave = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """The request is known, its body is to come."""
        parser = self._parser
        assert parser is not None
        self._in_head = False
        self._idle_bytes = 0
        self._expires = self._now + BODY_SECONDS
        version = parser.get_http_version()
        newest = version == "1.1"
        if not newest and version != "1.0":
            raise self._refused(505)
        # RFC 9112 3.2: exactly one, in the older version perhaps none.
        if self._hosts != 1 and (newest or self._hosts):
            raise self._refused(400)
        if len(self._waiting) >= MAX_PIPELINED:
            raise self._refused(400)
        path, query = _target(self._url)
        reusable = newest and parser.should_keep_alive() and not parser.should_upgrade()
        scope = {
            **self._base,
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": path.encode("ascii"),
            "query_string": query,
            "headers": self._headers,
        }
        awaits_leave = self._awaits_leave and newest
        exchange = Exchange(self, scope, reusable=reusable, awaits_leave=awaits_leave)
        self._receiving = exchange
        self._unread = 0
        if self._answering is None:
            self._start(exchange)
        else:
            self._waiting.append(exchange)
            self._pause_reading()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._idle_bytes = 0
        receiving = self._receiving
        if receiving is None:
            return
        if receiving.complete:
            self._discard(len(body))
        elif not receiving.add_body(body):
            self._pause_reading()

    def on_message_complete(self) -> None:
        """The request is whole."""
        receiving, self._receiving = self._receiving, None
        self._idle_bytes = 0
        self._expires = math.inf
        if receiving is None:
            return
        receiving.end_body()
        if not receiving.reusable:
            self._last = True
        if receiving.complete:
            self._after(receiving)  # it was answered before all of it was here

    # What an exchange asks for.

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the client has read enough."""
        await self._may_write.wait()

    def read_on(self) -> None:
        """More of the body may come."""
        if self._reading_paused and not self._waiting:
            self._reading_paused = False
            self._transport.resume_reading()

    def common_headers(self) -> bytes:
        """The header lines of every response: the date."""
        headers = self._state.default_headers  # a new list every second
        seen, lines = self._common
        if seen is not headers:
            lines = b"".join(b"%b: %b\r\n" % one for one in headers)
            self._common = headers, lines
        return lines

    def answered(self, exchange: Exchange) -> None:
        """The response is out; go on once the request is whole, too."""
        self._state.total_requests += 1
        if exchange.whole:
            self._after(exchange)
        elif not exchange.reusable:
            self._linger()
        else:
            self.read_on()

    def cut(self) -> None:
        """Close at once: the client must see that the response is not whole."""
        self._transport.abort()

    # What happens between exchanges.

    def _start(self, exchange: Exchange) -> None:
        self._keep_task()
        self._answering = exchange
        self._task = self._loop.create_task(exchange.run(self._application))

    def _keep_task(self) -> None:
        """Hold on to a task that goes on after its response or without its client."""
        task = self._task
        if task is not None and not task.done():
            self._state.tasks.add(task)
            task.add_done_callback(self._state.tasks.discard)

    def _after(self, exchange: Exchange) -> None:
        self._answering = None
        if not exchange.reusable:
            self._transport.close()
        elif self._waiting:
            self._start(self._waiting.popleft())
        elif self._refusal:
            self._send_refusal()
        else:
            self._expires = self._loop.time() + self._keep_alive
        if self._reading_paused:
            self.read_on()

    def _refused(self, status: int) -> _Refused:
        self._refusal = status
        return _Refused()

    def _refuse(self, status: int) -> None:
        """Read no further; say why after the responses that are due."""
        self._refusal = status
        self._last = True
        broken, self._receiving = self._receiving, None
        if broken is not None:
            broken.lose()
            if broken.begun:
                self._transport.close()
                return
            if broken in self._waiting:
                self._waiting.remove(broken)
            elif broken is self._answering:
                self._keep_task()
                self._answering = None
        if self._answering is None and not self._waiting:
            self._send_refusal()

    def _send_refusal(self) -> None:
        self.write(refusal(self._refusal, self.common_headers()))
        self._linger()

    def _linger(self) -> None:
        """Close so that the client still gets what was sent to it (RFC 9112 9.6)."""
        self._last = True
        if not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._loop.call_later(_LINGER_SECONDS, self._transport.close)
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    def _discard(self, count: int) -> None:
        self._unread += count
        if self._unread > MAX_UNREAD_BYTES:
            self._transport.abort()

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _tick(self) -> None:
        """Look whether something has taken too long. Once in a while: not a timer a request."""
        now = self._loop.time()
        if self.writing_paused and now > self._stalled_since + WRITE_SECONDS:
            self._transport.abort()
            return
        if now >= self._expires:
            self._expires = math.inf
            if self._in_head or self._receiving is not None:
                self._refuse(408)
            else:
                self._transport.close()
        due = min(max(self._expires, now + 1), now + _TICK_SECONDS)
        self._timer = self._loop.call_at(due, self._tick)


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None


def _target(url: bytes) -> tuple[str, bytes]:
    """Path, still encoded, and query of a request target.

    Raises:
        Exception: it has no path, or is no URL; the parser takes any for a bad request.
    """
    if url[:1] == b"/" and b"#" not in url:
        path, _, query = url.partition(b"?")
        return path.decode("ascii"), query
    parsed = httptools.parse_url(url)
    if parsed.path[:1] != b"/":
        raise _Refused
    return parsed.path.decode("ascii"), parsed.query or b""
