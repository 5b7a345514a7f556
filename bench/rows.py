"""What is measured of a server: each row makes its units of work, every one distinct."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from urllib.parse import quote, urlencode, urlsplit

import orjson

from bench.jose import ASSERTION_TYPE, Key, b64, jti
from bench.load import Unit, collect, expect, single

CONNECTIONS = 16
Prepare = Callable[[int], Awaitable[list[Unit]]]
_CODE = re.compile(r"[?&]code=([^&\s]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `verifies` and `signs` are the P-256 operations that one unit costs the server at least.
    `prepare` makes that many units, outside the measured window. `tokens` are the access tokens
    that one unit yields.
    """

    name: str
    verifies: int
    signs: int
    prepare: Prepare
    connections: int = CONNECTIONS
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: where it is, and what the harness may use there.

    `audience` is what client assertions are made for. `cookies` are headers of browsers that are
    signed in and whose consent is remembered.
    """

    name: str
    issuer: str
    pid: int
    audience: str
    endpoints: Mapping[str, str]
    resource: str
    scope: str
    login_scope: str
    redirect_uri: str
    machine_id: str
    bound_id: str
    web_id: str
    basic: tuple[str, str]
    key: Key
    dpop_key: Key
    opaque_tokens: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.issuer)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def url(self, name: str) -> str:
        """An endpoint's URL."""
        return self.issuer + self.endpoints[name]

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A GET request."""
        return self._request("GET", path, headers or {}, b"")

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """A POST request."""
        return self._request("POST", path, headers, body)

    def form(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> bytes:
        """A POST request with a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.post(path, urlencode(fields).encode(), {**kind, **(headers or {})})

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        host, port = self.address
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", "Accept: */*"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def client(self, client_id: str) -> dict[str, str]:
        """Form fields by which a client authenticates with a fresh assertion."""
        return {
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.key.assertion(client_id, self.audience),
        }


def token_row(target: Target, name: str = "token", connections: int = CONNECTIONS) -> Row:
    """client_credentials with private_key_jwt, for a JWT access token."""

    async def prepare(count: int) -> list[Unit]:
        return [single(_token_request(target, target.machine_id, {})) for _ in range(count)]

    return Row(name, 1, 1, prepare, connections, tokens=1)


def token_dpop_row(target: Target) -> Row:
    """The same, bound to a DPoP key."""

    def one() -> bytes:
        proof = target.dpop_key.dpop("POST", target.url("token"))
        return _token_request(target, target.bound_id, {"DPoP": proof})

    async def prepare(count: int) -> list[Unit]:
        return [single(one(), contains=b'"DPoP"') for _ in range(count)]

    return Row("token_dpop", 2, 1, prepare, tokens=1)


def _token_request(target: Target, client_id: str, headers: Mapping[str, str]) -> bytes:
    fields = {
        "grant_type": "client_credentials",
        "scope": target.scope,
        "resource": target.resource,
    }
    return target.form(target.endpoints["token"], fields | target.client(client_id), headers)


def introspection_row(target: Target) -> Row:
    """A client with client_secret_basic asks about opaque tokens of its own."""
    pair = ":".join(quote(part, safe="") for part in target.basic)
    headers = {"Authorization": "Basic " + b64encode(pair.encode()).decode()}

    async def prepare(count: int) -> list[Unit]:
        path = target.endpoints["introspection"]
        requests = [target.form(path, {"token": one}, headers) for one in target.opaque_tokens]
        return [single(one, contains=b'"active":true') for one in islice(cycle(requests), count)]

    return Row("introspection", 0, 0, prepare)


def login_row(target: Target) -> Row:
    """PAR, authorize with a session, token with DPoP, userinfo: four requests, one unit.

    Four signatures of the client are verified (assertion at PAR, assertion and proof at token,
    proof at userinfo) and one is made (ID token; the access token is opaque).
    """

    async def prepare(count: int) -> list[Unit]:
        return [_login(target, cookie) for cookie in islice(cycle(target.cookies), count)]

    return Row("login", 4, 1, prepare, tokens=1)


def _login(target: Target, cookie: str) -> Unit:
    verifier = b64(hashlib.sha512(jti().encode()).digest())
    pushed = target.form(target.endpoints["par"], authorization(target, verifier))
    redeem = target.client(target.web_id)
    proof = target.dpop_key.dpop("POST", target.url("token"))
    # What needs no answer of the server is made now, before the window.
    return _login_steps(target, cookie, verifier, pushed, redeem, proof)


def authorization(target: Target, verifier: str) -> dict[str, str]:
    """The form of a pushed authorization request."""
    return {
        **target.client(target.web_id),
        "response_type": "code",
        "redirect_uri": target.redirect_uri,
        "scope": target.login_scope,
        "state": jti(),
        "nonce": jti(),
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }


def _login_steps(
    target: Target, cookie: str, verifier: str, pushed: bytes, redeem: dict[str, str], proof: str
) -> Unit:
    response = yield pushed
    expect(pushed, response, 201)
    request_uri = orjson.loads(response.body)["request_uri"]
    query = urlencode({"client_id": target.web_id, "request_uri": request_uri})
    ask = target.get(f"{target.endpoints['authorize']}?{query}", {"Cookie": cookie})
    response = yield ask
    expect(ask, response, 303)
    location = response.header("location") or ""
    code = _CODE.search(location)
    if code is None or not location.startswith(target.redirect_uri):
        expect(ask, response, 0)
    assert code is not None
    fields = {
        "grant_type": "authorization_code",
        "code": code[1],
        "redirect_uri": target.redirect_uri,
        "code_verifier": verifier,
        **redeem,
    }
    exchange = target.form(target.endpoints["token"], fields, {"DPoP": proof})
    response = yield exchange
    expect(exchange, response, 200, b'"id_token"')
    token = orjson.loads(response.body)["access_token"]
    who = userinfo_request(target, token, target.dpop_key)
    response = yield who
    expect(who, response, 200, b'"sub"')


def userinfo_request(target: Target, token: str, key: Key) -> bytes:
    """A request for userinfo with a DPoP-bound token."""
    proof = key.dpop("GET", target.url("userinfo"), token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    return target.get(target.endpoints["userinfo"], headers)


def get_row(target: Target, name: str, path: str, contains: bytes = b"") -> Row:
    """The same document again and again."""
    request = target.get(path)

    async def prepare(count: int) -> list[Unit]:
        return [single(request, contains=contains) for _ in range(count)]

    return Row(name, 0, 0, prepare)


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet's two keys."""

    dpop: Key = field(default_factory=Key)
    holder: Key = field(default_factory=Key)


def userinfo_row(target: Target, tokens: list[tuple[str, Wallet]]) -> Row:
    """Userinfo with DPoP-bound opaque tokens."""

    async def prepare(count: int) -> list[Unit]:
        pairs = islice(cycle(tokens), count)
        return [
            single(userinfo_request(target, token, wallet.dpop), contains=b'"sub"')
            for token, wallet in pairs
        ]

    return Row("userinfo", 1, 0, prepare)


def credential_row(
    target: Target,
    configuration_id: str,
    tokens: Callable[[int], Awaitable[list[tuple[str, Wallet]]]],
    *,
    keys: int = 1,
) -> Row:
    """Nonce and credential: two requests, one unit, each for another access token and c_nonce.

    ``keys`` is how many credentials each unit asks for, each for another key.
    """
    ask = target.post(target.endpoints["nonce"], b"", {})

    def claim(token: str, wallet: Wallet, holders: Sequence[Key], body: bytes) -> Unit:
        nonce = orjson.loads(body)["c_nonce"]
        proofs = [one.credential_proof(target.issuer, nonce) for one in holders]
        wanted = {"credential_configuration_id": configuration_id, "proofs": {"jwt": proofs}}
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"DPoP {token}",
            "DPoP": wallet.dpop.dpop("POST", target.url("credential"), token),
        }
        path = target.endpoints["credential"]
        return _nonce_and_credential(ask, target.post(path, orjson.dumps(wanted), headers))

    async def prepare(count: int) -> list[Unit]:
        # Proofs are made before the window, so with nonces fetched before it.
        nonces = await collect(target.address, ask, count)
        grants = await tokens(max(count, keys))
        pool = list({wallet.holder.thumbprint: wallet.holder for _, wallet in grants}.values())
        return [
            claim(*grants[at], [pool[(at + more) % len(pool)] for more in range(keys)], body)
            for at, body in enumerate(nonces)
        ]

    name = "credential" if keys == 1 else f"credential_x{keys}"
    return Row(name, 1 + keys, keys, prepare)


def _nonce_and_credential(ask: bytes, claim: bytes) -> Unit:
    expect(ask, (yield ask), 200, b"c_nonce")
    expect(claim, (yield claim), 200, b'"credentials"')
