"""oidc-provider (Node.js): token, DPoP, introspection, login and credential, stores in memory.

It keeps everything in memory, so it pays neither for a database nor for durability; and its
default store forgets the oldest of 1000 entries, so here it gets one that forgets nothing.
"""

import json
import secrets
import time
from contextlib import AsyncExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from bench import sample
from bench.jose import Key
from bench.load import Response, Unexpected, expect, fetch
from bench.peers import node
from bench.rows import (
    Row,
    Target,
    Wallet,
    credential_row,
    introspection_row,
    login_row,
    token_dpop_row,
    token_row,
)
from bench.rows import authorization as authorization_fields
from bench.server import free_port, running

NAME = "oidc-provider"
SCRIPT = "oidc_provider.mjs"
RESOURCE = "https://api.partner.example/orders"
OPAQUE_RESOURCE = "https://api.partner.example/opaque"
REDIRECT_URI = "https://portal.example/callback"
ENDPOINTS = {
    "token": "/token",
    "par": "/request",
    "authorize": "/auth",
    "userinfo": "/me",
    "introspection": "/token/introspection",
    "nonce": "/challenge",
    "credential": "/credential",
}
_CREDENTIAL, _CREDENTIAL_SCOPE = "company", "credential.company"
_SESSIONS = 16
_OPAQUE = 16
_MAX_STEPS = 12


async def start(
    stack: AsyncExitStack, directory: Path, core: int, name: str
) -> list[tuple[Target, Row]]:
    """Start it and make its rows; ``name`` has its versions."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    key, secret = Key(), secrets.token_urlsafe(32)
    setup = {
        "port": port,
        "issuer": issuer,
        "jwks": key.jwks,
        "secret": secret,
        "redirect_uri": REDIRECT_URI,
        "opaque_resource": OPAQUE_RESOURCE,
        "credential": {
            "configuration_id": _CREDENTIAL,
            "scope": _CREDENTIAL_SCOPE,
            "claims": {**sample.credential_claims(time.time()), "status": sample.STATUS},
            "hidden": list(sample.HIDDEN),
        },
    }
    environment = {"BENCH_SETUP": json.dumps(setup), "NODE_ENV": "production"}
    log = directory / f"{NAME}.log"
    pid = await stack.enter_async_context(
        running(node.command(SCRIPT), environment, port, log, core)
    )
    target = Target(
        name=name,
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
    target.cookies.extend([(await _sign_in(target, one)).cookie for one in range(_SESSIONS)])
    held = [await _credential_token(target, one) for one in range(_SESSIONS, 2 * _SESSIONS)]

    async def credential_tokens(count: int) -> list[tuple[str, Wallet]]:
        # It keeps nothing about what it has issued, so a token may serve again.
        return list(islice(cycle(held), count))

    rows = [
        token_row(target),
        token_row(target, "token_c1", connections=1),
        token_dpop_row(target),
        credential_row(target, _CREDENTIAL, credential_tokens),
        credential_row(target, _CREDENTIAL, credential_tokens, keys=10),
        introspection_row(target),
        login_row(target),
    ]
    return [(target, row) for row in rows]


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

    async def authorize(self, fields: dict[str, str], forms: list[dict[str, str]]) -> str:
        """Authorize, sending these forms where it asks; the address that it returns to."""
        target = self._target
        pushed = target.form(target.endpoints["par"], fields)
        response = await fetch(target.address, pushed)
        expect(pushed, response, 201)
        request_uri: Any = orjson.loads(response.body)["request_uri"]
        query = urlencode({"client_id": target.web_id, "request_uri": request_uri})
        response = await self.get(f"{target.endpoints['authorize']}?{query}")
        left = iter(forms)
        for _ in range(_MAX_STEPS):
            location = response.header("location")
            if location is None:
                break
            if location.startswith(target.redirect_uri):
                return location
            path = urlsplit(location).path
            form = next(left, None) if path.startswith("/interaction/") else None
            response = await (self.get(path) if form is None else self.submit(path, form))
        raise Unexpected(f"{NAME}: signing in ended at {response.head[:300]!r}")

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


async def _sign_in(target: Target, number: int) -> _Browser:
    """A browser that has signed in and consented once on the development pages."""
    browser = _Browser(target)
    fields = authorization_fields(target, secrets.token_hex())
    login = {"prompt": "login", "login": f"one{number}", "password": "-"}
    await browser.authorize(fields, [login, {"prompt": "consent"}])
    return browser


async def _credential_token(target: Target, number: int) -> tuple[str, Wallet]:
    """An access token for the credential endpoint, bound to a wallet's key."""
    browser = await _sign_in(target, number)
    wallet, verifier = Wallet(), secrets.token_hex()
    resource = {"resource": target.url("credential")}
    scope = {"scope": f"{target.login_scope} {_CREDENTIAL_SCOPE}"}
    fields = authorization_fields(target, verifier) | scope | resource
    location = await browser.authorize(fields, [{"prompt": "consent"}])
    redeem = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(location).query)["code"][0],
        "redirect_uri": target.redirect_uri,
        "code_verifier": verifier,
        **resource,
        **target.client(target.web_id),
    }
    proof = wallet.dpop.dpop("POST", target.url("token"))
    request = target.form(target.endpoints["token"], redeem, {"DPoP": proof})
    response = await fetch(target.address, request)
    expect(request, response, 200, b'"DPoP"')
    token: str = orjson.loads(response.body)["access_token"]
    return token, wallet
