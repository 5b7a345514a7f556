"""The outer edge: what every response gets, and what nobody expected."""

from typing import Any

import pytest

from corpid.web.edge import Edge, HotRoute
from corpid.web.metrics import Metrics
from corpid.web.routes import TABLE
from oidc.errors import InvalidRequest


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _breaks(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("a detail that nobody outside may read")


async def _refuses(scope: Any, receive: Any, send: Any) -> None:
    raise InvalidRequest("no")


async def answer(
    path: str, *, https: bool = False, method: str = "GET"
) -> tuple[int, dict[bytes, bytes], bytes]:
    routes = tuple(
        HotRoute(where, ("GET",), endpoint, "", cors)
        for where, endpoint, cors in (
            ("/hello", _hello, True),
            ("/breaks", _breaks, True),
            ("/open/", _refuses, True),
            ("/closed/", _refuses, False),
        )
    )
    edge = Edge(routes, _hello, Metrics(frozenset({"/hello"})), https=https)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await edge({"type": "http", "method": method, "path": path, "headers": []}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize("path", ["/hello", "/breaks", "/elsewhere"])
async def test_rfc6797_by_https_every_response_says_so(path: str) -> None:
    _, headers, _ = await answer(path, https=True)
    assert headers[b"strict-transport-security"].startswith(b"max-age=")


async def test_on_loopback_without_tls_it_is_not_said() -> None:
    _, headers, _ = await answer("/hello")
    assert b"strict-transport-security" not in headers


async def test_the_unexpected_is_a_500_with_a_reference_and_no_detail() -> None:
    status, _, body = await answer("/breaks")
    assert status == 500
    assert b"reference" in body
    assert b"detail that nobody" not in body


@pytest.mark.parametrize("path", ["/hello", "/breaks", "/open/x"])
async def test_a_page_of_any_origin_reads_answers_and_errors_where_cors_is_open(path: str) -> None:
    _, headers, _ = await answer(path)
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"DPoP-Nonce" in headers[b"access-control-expose-headers"]  # RFC 9449 8.2
    status, headers, _ = await answer(path, method="OPTIONS")
    assert status == 204
    assert headers[b"access-control-allow-origin"] == b"*"
    assert headers[b"access-control-allow-methods"] == b"GET"


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("path", ["/closed/x", "/elsewhere"])
async def test_and_nothing_where_it_is_closed(path: str, method: str) -> None:
    _, headers, _ = await answer(path, method=method)
    assert not any(name.startswith(b"access-control") for name in headers)


def test_cors_is_closed_where_a_cookie_counts_or_only_servers_ask() -> None:
    assert {spec.name for spec in TABLE if not spec.cors} == {
        "authorize",
        "backchannel_authentication",
        "client_configuration",
        "end_session",
        "grant_management",
        "introspection",
        "registration",
    }
