"""Fetching, as the relying party's environment allows it; a small default of our own.

Which addresses are asked for: the issuer's (configured), those that the issuer's documents name,
and a status list's (from a credential whose signature has been verified). So a stranger cannot
choose one, but a hostile or broken issuer could name an address inside the relying party's own
network. Where that matters pass a `fetch` that goes through an outgoing proxy with an allow list;
the default does not look at what a host name resolves to.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

MAX_BODY_BYTES = 8 * 1024 * 1024
ANYTHING: Final = "*/*"
_CHUNK = 65536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class FetchResult:
    """An answer: the status code, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetch(Protocol):
    """GET one address."""

    async def __call__(self, url: str, *, accept: str) -> FetchResult:
        """Ask with this `Accept` header.

        It may raise anything when there is no answer; redirects are not to be followed to another
        host.
        """
        ...


class FetchRefused(Exception):
    """The address may not be fetched, or the answer is beyond the bounds."""


def is_allowed(url: str) -> bool:
    """Return whether an address may be fetched: https, or http to the loopback host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url
    if not host or parts.username is not None or not plain:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


@dataclass(frozen=True, slots=True)
class StandardFetch:
    """GET over the standard library, in a thread: https only (http to loopback), no redirects.

    `timeout` in seconds bounds the connecting, and once more all that follows. `max_bytes` bounds
    the body. A proxy of the environment is not used.
    """

    timeout: float = 5.0
    max_bytes: int = MAX_BODY_BYTES
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def __call__(self, url: str, *, accept: str = ANYTHING) -> FetchResult:
        """Fetch. Raises FetchRefused, OSError, http.client.HTTPException."""
        if not is_allowed(url):
            raise FetchRefused("only https, or http to the loopback host, is fetched")
        return await asyncio.to_thread(self._get, url, accept)

    def _get(self, url: str, accept: str) -> FetchResult:
        parts = urlsplit(url)
        host = parts.hostname
        assert host is not None
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection(parts)
        line = socket.create_connection((host, connection.port), self.timeout)
        try:
            if isinstance(connection, HTTPSConnection):
                line = self.context.wrap_socket(
                    line, server_hostname=host, do_handshake_on_connect=False
                )
            with _cut_after(self.timeout, line):
                if isinstance(line, ssl.SSLSocket):
                    line.do_handshake()
                connection.sock = line
                connection.request("GET", target, headers={"Accept": accept})
                with connection.getresponse() as answer:
                    body = bytearray()
                    while chunk := answer.read1(_CHUNK):
                        body += chunk
                        if len(body) > self.max_bytes:
                            raise FetchRefused(f"the body has more than {self.max_bytes} bytes")
                    headers = {name.lower(): value for name, value in answer.getheaders()}
                    return FetchResult(answer.status, headers, bytes(body))
        finally:
            connection.close()
            line.close()

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, timeout=self.timeout, context=self.context)
        return HTTPConnection(host, parts.port, timeout=self.timeout)


@contextmanager
def _cut_after(seconds: float, line: socket.socket) -> Iterator[None]:
    """Cut the line when the time is over. Raises TimeoutError.

    The socket's own timeout begins anew with every byte, so a server that sends one now and then
    would hold the thread, and all who wait for the answer, for as long as it likes.
    """
    over = threading.Event()

    def cut() -> None:
        over.set()
        with suppress(OSError):  # the other side has cut it already
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    watch = threading.Timer(seconds, cut)
    watch.daemon = True
    watch.start()
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
        raise
    finally:
        watch.cancel()
        watch.join()
        if over.is_set():  # to the reader a line that was cut may look like a short answer
            raise TimeoutError(f"the answer took more than {seconds} seconds") from failure


async def fetch_ok(fetch: Fetch, url: str, accept: str = ANYTHING) -> FetchResult:
    """Fetch through the caller's function; anything but an answer 200 is FetchRefused."""
    if not is_allowed(url):
        raise FetchRefused("only https, or http to the loopback host, is fetched")
    try:
        result = await fetch(url, accept=accept)
    except (FetchRefused, OSError, HTTPException, TimeoutError):
        raise
    except Exception as error:  # the caller's client has errors of its own, whatever they are
        raise FetchRefused(f"{type(error).__name__}: {error}") from error
    if result.status != 200:
        raise FetchRefused(f"answer {result.status}")
    return result


FETCH_ERRORS = (FetchRefused, OSError, HTTPException)
"""What `fetch_ok` raises; TimeoutError is an OSError."""
