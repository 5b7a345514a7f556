"""Calling an ASGI endpoint directly: what a test sends, and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from oidc.response import Endpoint

FORM = (b"content-type", b"application/x-www-form-urlencoded")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name.encode()]
        assert len(values) <= 1, f"{name} is repeated"
        return values[0].decode() if values else None

    @property
    def json(self) -> dict[str, Any]:
        assert self.header("content-type") == "application/json"
        value = orjson.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> str:
        return str(self.json["error"])


async def call(
    endpoint: Endpoint,
    method: str = "GET",
    *,
    path: str = "/",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes = b"",
    peer: str = "198.51.100.7",
) -> Answer:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": list(headers),
        "client": (peer, 49152),
    }
    await endpoint(scope, receive, send)
    start, *rest = sent
    return Answer(start["status"], list(start["headers"]), b"".join(part["body"] for part in rest))


async def post_form(
    endpoint: Endpoint,
    form: Mapping[str, str] | Sequence[tuple[str, str]],
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    peer: str = "198.51.100.7",
) -> Answer:
    body = urlencode(form).encode("ascii")
    return await call(endpoint, "POST", headers=[FORM, *headers], body=body, peer=peer)
