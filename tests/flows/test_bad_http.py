"""Requests that are odd as HTTP: chunks, bodies that break off, headers of megabytes."""

import socket

import pytest

from tests.support.fapi_client_http import FORM
from tests.support.live_service import Live
from tests.support.raw_http import exchange, send
from tests.support.refusals import refused

FORMS = ("/token", "/par", "/introspect", "/revoke")


def _chunked(target: str, chunks: list[bytes]) -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nConnection: close\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


@pytest.mark.parametrize("path", FORMS)
def test_a_body_in_chunks_is_bounded_too(live: Live, path: str) -> None:
    small = exchange(live.port, _chunked(live.path + path, [b"grant_", b"type=x"]))
    assert refused(small, 401) == "invalid_client"
    large = exchange(live.port, _chunked(live.path + path, [b"x" * 8000] * 20))
    assert refused(large, 413) == "invalid_request"


@pytest.mark.parametrize("path", FORMS)
def test_a_client_that_goes_away_harms_nobody(live: Live, path: str) -> None:
    head = f"POST {live.path}{path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n"
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"Content-Length: 1000\r\n\r\ngrant_type=")
    assert send(live.port, "GET", "/healthz").status == 200


def test_a_header_of_megabytes_is_refused(live: Live) -> None:
    answer = send(live.port, "GET", f"{live.path}/jwks", {"X-Large": "x" * 2_000_000})
    assert answer.status in {200, 400, 431}
