"""Fetching, as the relying party's environment allows it; a small default of our own.

Which addresses are asked for: the issuer's (configured), those that the issuer's documents name,
and a status list's (from a credential whose signature has been verified). So a stranger cannot
choose one, but a hostile or broken issuer could name an address inside the relying party's own
network. Where that matters pass a `fetch` that goes through an outgoing proxy with an allow list;
the default does not look at what a host name resolves to.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

MAX_BODY_BYTES = 8 * 1024 * 1024
_CHUNK = 65536
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class FetchResult:
    """An answer: the status code, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Fetch = Callable[[str], Awaitable[FetchResult]]
"""GET one address. It may raise anything when there is no answer; redirects are not to be followed
to another host."""


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

    `timeout` in seconds bounds each step and, between steps, the whole. `max_bytes` bounds the
    body. A proxy of the environment is not used.
    """

    timeout: float = 5.0
    max_bytes: int = MAX_BODY_BYTES
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def __call__(self, url: str) -> FetchResult:
        """Fetch. Raises FetchRefused, OSError, http.client.HTTPException."""
        if not is_allowed(url):
            raise FetchRefused("only https, or http to the loopback host, is fetched")
        return await asyncio.to_thread(self._get, url)

    def _get(self, url: str) -> FetchResult:
        deadline = time.monotonic() + self.timeout
        parts = urlsplit(url)
        assert parts.hostname is not None
        connection: HTTPConnection
        if parts.scheme == "https":
            connection = HTTPSConnection(
                parts.hostname, parts.port, timeout=self.timeout, context=self.context
            )
        else:
            connection = HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("GET", target, headers={"Accept": "*/*"})
            answer = connection.getresponse()
            body = bytearray()
            while chunk := answer.read1(_CHUNK):
                body += chunk
                if len(body) > self.max_bytes:
                    raise FetchRefused(f"the body has more than {self.max_bytes} bytes")
                if time.monotonic() > deadline:
                    raise FetchRefused(f"the answer took more than {self.timeout} seconds")
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return FetchResult(answer.status, headers, bytes(body))
        finally:
            connection.close()


async def fetch_ok(fetch: Fetch, url: str) -> FetchResult:
    """Fetch through the caller's function; anything but an answer 200 is FetchRefused."""
    if not is_allowed(url):
        raise FetchRefused("only https, or http to the loopback host, is fetched")
    try:
        result = await fetch(url)
    except (FetchRefused, OSError, HTTPException, TimeoutError):
        raise
    except Exception as error:  # the caller's client has errors of its own, whatever they are
        raise FetchRefused(f"{type(error).__name__}: {error}") from error
    if result.status != 200:
        raise FetchRefused(f"answer {result.status}")
    return result


FETCH_ERRORS = (FetchRefused, OSError, HTTPException)
"""What `fetch_ok` raises; TimeoutError is an OSError."""
