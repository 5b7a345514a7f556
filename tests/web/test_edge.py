"""The outer edge: what every response gets, and what nobody expected."""

from typing import Any

import pytest

from corpid.web.edge import Edge, HotRoute
from corpid.web.metrics import Metrics


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _breaks(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("a detail that nobody outside may read")


async def answer(path: str, *, https: bool = False) -> tuple[int, dict[bytes, bytes], bytes]:
    routes = tuple(
        HotRoute(where, ("GET",), endpoint, "")
        for where, endpoint in (("/hello", _hello), ("/breaks", _breaks))
    )
    edge = Edge(routes, _hello, Metrics(frozenset({"/hello"})), https=https)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await edge({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)
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
