"""HTTP requests of any bytes, each on a connection of its own: what no library would send."""

import contextlib
import socket
from collections.abc import Iterable, Mapping

from tests.support.fapi_client_http import FORM, JSON, Answer

_SECONDS = 20.0
Headers = Iterable[tuple[bytes, bytes]]


def message(method: str, target: bytes, headers: Headers = (), body: bytes = b"") -> bytes:
    """A request with a right Content-Length."""
    lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: 127.0.0.1"]
    lines += [name + b": " + value for name, value in headers]
    lines += [b"Connection: close", b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def exchange(port: int, request: bytes) -> Answer:
    """Send these bytes and read to the end of the connection."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        # Refused before it was read to the end: the answer is there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    return _parse(bytes(received))


def send(
    port: int,
    method: str,
    target: str | bytes,
    headers: Mapping[str, str] | Headers = (),
    body: bytes = b"",
) -> Answer:
    """Send a request and read its answer."""
    raw = target.encode() if isinstance(target, str) else target
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    encoded = [
        (name if isinstance(name, bytes) else name.encode(),
         value if isinstance(value, bytes) else value.encode())
        for name, value in pairs
    ]  # fmt: skip
    return exchange(port, message(method, raw, encoded, body))


def form(port: int, target: str, body: bytes, headers: Headers = ()) -> Answer:
    """POST these bytes as a form."""
    return send(port, "POST", target, [(b"Content-Type", FORM.encode()), *headers], body)


def json_body(port: int, target: str, body: bytes, headers: Headers = ()) -> Answer:
    """POST these bytes as JSON."""
    return send(port, "POST", target, [(b"Content-Type", JSON.encode()), *headers], body)


def _parse(received: bytes) -> Answer:
    head, separator, body = received.partition(b"\r\n\r\n")
    assert separator, f"no whole answer: {received[:200]!r}"
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(int(first.split(" ", 2)[1]), headers, body)
