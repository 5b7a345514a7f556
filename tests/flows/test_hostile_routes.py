"""Hostile input at every route there is, by the table: whoever adds an endpoint is covered here.

For each route and method: parameters that are repeated, endless, not UTF-8 or NUL; bodies that are
deep, huge, or another kind than they say; with nobody's credentials and with a client's. The answer
is never a 5xx, and an error is one of a standard's, in the form that the endpoint has for errors.
"""

import re
from collections.abc import Iterator

import pytest

from corpid.web.routes import TABLE, RouteSpec
from oidc.errors import OAuthError
from tests.support.fapi_client_http import FORM, JSON, Answer
from tests.support.live_cast import Cast
from tests.support.live_service import Live, LiveServices
from tests.support.live_sign_in import basic
from tests.support.raw_http import Headers, send

JWT = "application/jwt"
_TEXT = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+")  # RFC 6749 5.2
QUERIES = (
    b"client_id=a&client_id=b",
    b"client_id=" + b"x" * 20_000,
    b"client_id=%ff%fe&state=%c3%28",
    b"client_id=%00&token=%00",
    b"&".join(b"p%d=1" % number for number in range(300)),
    b"=&=&%&a=%zz&%=%",
    b"claims=" + b"%7B%22a%22%3A" * 3000,
    b"request=" + b"." * 9000,
)
BODIES = (
    (FORM, b"client_id=a&client_id=b"),
    (FORM, b"grant_type=" + b"x" * 40_000),
    (FORM, b"grant_type=%ff%fe&token=%c3%28"),
    (FORM, b"\xff\xfe\x00=\x00"),
    (FORM, b"grant_type=%00&token=%00&client_id=%00"),
    (FORM, b"&".join(b"p%d=1" % number for number in range(300))),
    (FORM, b"claims=" + b'{"a":' * 3000 + b"&authorization_details=" + b"[" * 3000),
    (FORM, b"a=" + b"x" * 3_000_000),
    (JSON, b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    (JSON, b"[" * 100_000),
    (JSON, b'{"redirect_uris": "\xff"}'),
    (JSON, b'{"a": 1, "a": 2}'),
    (JSON, b'"text"'),
    (JSON, b'{"x": "' + b"y" * 3_000_000 + b'"}'),
    (JWT, b"a.b.c"),
    (JWT, b"." * 100_000),
    ("text/plain", b"grant_type=refresh_token"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
    ("\x7f/;;=", b"{}"),
    ("", b"grant_type=x"),
    (FORM, b""),
    (JSON, b""),
)
TAILS = (b"x", b"%00", b"%ff", b"..%2f..", b"a" * 5000, b"%F0%9F%98%80", b"")
ODD_HEADERS: tuple[list[tuple[bytes, bytes]], ...] = (
    [(b"Authorization", b"Bearer " + b"x" * 9000), (b"DPoP", b"a.b.c")],
    [(b"Authorization", b"DPoP \xff\xfe"), (b"DPoP", b"\xff"), (b"DPoP", b"\xfe")],
    [(b"Authorization", b"Basic \xff"), (b"Accept", b"\xff;q=x"), (b"Accept-Language", b"\xff")],
    [(b"Cookie", b"\xff=\xfe; =; corpid-session=" + b"x" * 5000), (b"Origin", b"\xff")],
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def _codes(of: type[OAuthError] = OAuthError) -> Iterator[str]:
    yield of.code
    for more in of.__subclasses__():
        yield from _codes(more)


CODES = frozenset(_codes())


def kept(answer: Answer, what: object) -> None:
    """The answer is none of a broken service, and an error is in a form that is known."""
    assert answer.status < 500, (what, answer.status, answer.body[:300])
    if answer.status < 400 or not answer.body:
        return
    kind = answer.headers["content-type"]
    if kind.startswith("text/html"):
        assert "default-src 'none'" in answer.headers["content-security-policy"], what
    elif kind.startswith("text/plain"):
        assert answer.status in {400, 405}, what  # of the server's parser: no HTTP at all
    else:
        assert answer.headers["cache-control"] == "no-store", what
        assert answer.json["error"] in CODES, what
        assert re.fullmatch(r"[\x20\x21\x23-\x5B\x5D-\x7E]+", answer.json["error_description"]), (
            what
        )


def requests(spec: RouteSpec, path: bytes) -> Iterator[tuple[str, bytes, Headers, bytes]]:
    """Method, target, headers and body of everything that is tried at a route."""
    tails = TAILS if spec.tail else (b"",)
    for method in spec.methods:
        if method in {"GET", "DELETE"}:
            for tail in tails:
                yield method, path + tail, [], b""
            for query in QUERIES:
                yield method, path + tails[0] + b"?" + query, [], b""
        if method in {"POST", "PUT", "PATCH"}:
            for kind, body in BODIES:
                yield method, path + tails[0], [(b"Content-Type", kind.encode())], body
        for headers in ODD_HEADERS:
            yield method, path + tails[0], headers, b""
    for method in set(METHODS) - set(spec.methods):
        yield method, path + tails[0], [], b""


@pytest.mark.parametrize("spec", TABLE, ids=[spec.name for spec in TABLE])
async def test_every_route(live: Live, cast: Cast, spec: RouteSpec) -> None:
    client = basic(await cast.plain_client())
    credentials = [(name.encode(), value.encode()) for name, value in client.items()]
    path = spec.at(live.site.settings).encode()
    for method, target, headers, body in requests(spec, path):
        kept(send(live.port, method, target, headers, body), (method, target[:60], body[:60]))
        if body and not any(name == b"Authorization" for name, _ in headers):
            known = [*headers, *credentials]
            kept(send(live.port, method, target, known, body), ("known", method, body[:60]))


@pytest.mark.parametrize("spec", TABLE, ids=[spec.name for spec in TABLE])
def test_another_method_is_405_and_says_which_there_are(live: Live, spec: RouteSpec) -> None:
    tail = "x" if spec.tail else ""
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(spec.methods):
        answer = send(live.port, method, spec.at(live.site.settings) + tail)
        assert answer.status == 405, method
        assert set(spec.methods) <= set(answer.headers["allow"].replace(" ", "").split(","))


def test_every_page(live_services: LiveServices) -> None:
    """The pages are routed by the framework, which describes them in the OpenAPI document."""
    live = live_services.get("sqlite-root")
    document = send(live.port, "GET", "/openapi.json").json
    pages = {
        path: [method.upper() for method in operations]
        for path, operations in document["paths"].items()
        if any("pages" in operation.get("tags", ()) for operation in operations.values())
    }
    assert {"/interaction/{interaction_id}", "/sign-out", "/language"} <= set(pages)
    for path, methods in pages.items():
        spec = RouteSpec(path, "issuer", path, tuple(methods), "")
        target = re.sub(r"\{[^}]*\}", "x" * 43, path).encode()
        for method, where, headers, body in requests(spec, target):
            answer = send(live.port, method, where, headers, body)
            assert answer.status < 500, (method, where[:60], body[:60], answer.body[:300])
