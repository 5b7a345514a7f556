"""The one way from the service to an address that somebody else has named: bounded, SSRF-safe.

A relying party's ``jwks_uri``, ``sector_identifier_uri``, ``request_uri``, its metadata document,
its logout endpoint: all of them are asked for through here (``oidc.ports.Outbound``). The rules:

- https only, with the certificate checked; no user, no odd host;
- the host name is resolved first, and the connection goes to an address that was checked, so that
  a second answer of the name server changes nothing (DNS rebinding);
- no redirect is followed, no proxy of the environment used, no compression accepted;
- one deadline over everything, a limit on the bytes, and limits on requests and look-ups at once.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import h11

from corpid.outbound.addresses import Network, may_connect
from corpid.outbound.lookups import Lookups
from oidc.ports import Fetched, FetchFailed

TIMEOUT_SECONDS: Final = 5.0
AT_ONCE: Final = 16
MAX_URL: Final = 2048
_HEADER_BYTES: Final = 16 * 1024
_CHUNK: Final = 16 * 1024
_ADDRESSES_TRIED: Final = 3
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})")
_NOT_KEPT: Final = re.compile(r"(?:^|[\s,])no-(?:store|cache)(?:$|[\s,])")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name. Raises OSError."""


@dataclass(frozen=True, slots=True)
class _Target:
    host: str
    port: int
    authority: str
    path: str
    secure: bool = True


def _target(url: str, *, plain_loopback: bool = False) -> _Target:
    """Raises FetchFailed: this address is not one that is ever fetched."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise FetchFailed("the address is malformed") from None
    plain = len(url) <= MAX_URL and url.isascii() and url.isprintable() and " " not in url
    secure = parts.scheme == "https"
    allowed = secure or (plain_loopback and parts.scheme == "http" and host in _LOOPBACK)
    if not plain or not allowed or not host or "@" in parts.netloc:
        raise FetchFailed("only https addresses without a user are fetched")
    if not _HOST.fullmatch(host):
        raise FetchFailed("the address has no host name")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(host, port or (443 if secure else 80), parts.netloc, path, secure)


class OutboundHttps:
    """``oidc.ports.Outbound``.

    ``networks`` are special-use networks that may be reached all the same. ``authorities`` is a
    file with certificate authorities that are believed beside the system's. ``timeout`` in seconds
    is over everything from the look-up of the name to the last byte. ``plain_loopback`` lets posts
    go to http addresses of this very machine, for relying parties that are developed on it.
    """

    def __init__(
        self,
        *,
        networks: tuple[Network, ...] = (),
        authorities: Path | None = None,
        resolve: Resolve | None = None,
        timeout: float = TIMEOUT_SECONDS,
        at_once: int = AT_ONCE,
        plain_loopback: bool = False,
    ) -> None:
        self._networks = networks
        self._authorities = authorities
        self._resolve = resolve or Lookups()
        self._timeout = timeout
        self._turns = asyncio.Semaphore(at_once)
        self._plain_loopback = plain_loopback

    async def get(self, url: str, *, max_bytes: int, accept: str = "application/json") -> Fetched:
        """See ``Outbound.get``."""
        target = _target(url)
        request = h11.Request(
            method="GET", target=target.path, headers=[*_common(target), ("Accept", accept)]
        )
        response, body = await self._exchange(target, request, b"", max_bytes)
        if response.status_code != 200:
            raise FetchFailed(f"the answer is {response.status_code}, not 200")
        headers = _headers(response)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(body, media_type, _lifetime(headers))

    async def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        *,
        max_bytes: int,
        authorization: str = "",
    ) -> int:
        """See ``Outbound.post``. What follows the answer's head is not waited for."""
        target = _target(url, plain_loopback=self._plain_loopback)
        headers = [
            *_common(target),
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
        ]
        if authorization:
            headers.append(("Authorization", authorization))
        request = h11.Request(method="POST", target=target.path, headers=headers)
        response, _ = await self._exchange(target, request, body, max_bytes, head_only=True)
        return response.status_code

    async def _exchange(
        self,
        target: _Target,
        request: h11.Request,
        body: bytes,
        max_bytes: int,
        *,
        head_only: bool = False,
    ) -> tuple[h11.Response, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                # Before a turn is taken: a name server that is slow holds up its own names only.
                addresses = await self._addresses(target)
                async with self._turns:
                    reader, writer = await self._connected(target, addresses)
                    try:
                        return await _spoken(
                            reader, writer, request, body, max_bytes, head_only=head_only
                        )
                    finally:
                        # Not close(): a peer that does not say goodbye would hold us up.
                        writer.transport.abort()
        except TimeoutError:
            raise FetchFailed(f"no whole answer within {self._timeout:g} seconds") from None
        except ssl.SSLError as error:
            raise FetchFailed(f"TLS failed: {error.reason or 'no reason'}") from error
        except h11.ProtocolError as error:
            raise FetchFailed("the answer is not HTTP") from error
        except OSError as error:
            raise FetchFailed("the server does not answer") from error

    async def _addresses(self, target: _Target) -> list[str]:
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            found = ()
        may = _is_loopback if not target.secure else self._may_connect
        addresses = [one for one in dict.fromkeys(found) if may(one)]
        if not addresses:
            # The same words for a name that is not known and one that leads inside: a stranger
            # must not learn our own names.
            raise FetchFailed("the host has no public address")
        return addresses

    async def _connected(
        self, target: _Target, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failure: OSError = OSError("not tried")
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                if not target.secure:
                    return await asyncio.open_connection(address, target.port)
                return await asyncio.open_connection(
                    address, target.port, ssl=self._context, server_hostname=target.host
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _may_connect(self, address: str) -> bool:
        return may_connect(address, self._networks)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()  # reads the system's authorities: not at every start
        if self._authorities is not None:
            context.load_verify_locations(self._authorities)
        return context


def _is_loopback(address: str) -> bool:
    return ip_address(address.partition("%")[0]).is_loopback


def _common(target: _Target) -> list[tuple[str, str]]:
    return [
        ("Host", target.authority),
        ("User-Agent", "corpid"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]


async def _spoken(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: h11.Request,
    body: bytes,
    max_bytes: int,
    *,
    head_only: bool,
) -> tuple[h11.Response, bytes]:
    """Send the request and read the answer, or its head.

    Raises:
        FetchFailed: the answer is longer than ``max_bytes``, or compressed.
        h11.ProtocolError: it is not HTTP.
        OSError: the connection broke.
    """
    line = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADER_BYTES)
    for said in (request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()):
        writer.write(line.send(said) or b"")
    await writer.drain()
    response: h11.Response | None = None
    found = bytearray()
    received, most = 0, 2 * max_bytes + 4 * _HEADER_BYTES  # with the framing of small chunks
    while True:
        event = line.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            received += len(data)
            if received > most:
                raise FetchFailed(f"the answer has more than {max_bytes} bytes")
            line.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
            if head_only:
                return response, b""
            if _headers(event).get("content-encoding", "identity").lower() != "identity":
                raise FetchFailed("the answer is compressed")
        elif isinstance(event, h11.Data):
            found += event.data
            if len(found) > max_bytes:
                raise FetchFailed(f"the answer has more than {max_bytes} bytes")
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            return response, bytes(found)
        elif not isinstance(event, h11.InformationalResponse):
            raise FetchFailed("the connection was closed before an answer")


def _headers(response: h11.Response) -> dict[str, str]:
    return {name.decode("ascii"): value.decode("latin-1") for name, value in response.headers}


def _lifetime(headers: dict[str, str]) -> int | None:
    """Seconds that the answer stays fresh (RFC 9111 5.2.2), None when it does not say."""
    control = headers.get("cache-control", "").lower()
    if _NOT_KEPT.search(control):
        return 0
    found = _MAX_AGE.search(control)
    if found is None:
        return None
    age = headers.get("age", "0").strip()
    return max(0, int(found.group(1)) - (int(age) if age.isdecimal() and len(age) < 10 else 0))
