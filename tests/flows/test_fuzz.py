"""Arbitrary input through HTTP at every hot endpoint: never a 5xx, always a form of error we know.

SQLite alone, because what is looked for is in the reading of input, not in the storing.
"""

from typing import Any
from urllib.parse import quote_from_bytes

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fapi_client import ASSERTION_TYPE, b64
from tests.support.fapi_client_http import FORM, JSON, Answer
from tests.support.live_service import Live, LiveServices
from tests.support.raw_http import send
from tests.support.refusals import STANDARD

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = (
    "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "resource",
    "client_id", "client_secret", "client_assertion", "client_assertion_type", "token",
    "pre-authorized_code", "tx_code", "response_type", "state", "nonce", "code_challenge",
    "code_challenge_method", "prompt", "max_age", "claims", "ui_locales", "login_hint",
    "id_token_hint", "acr_values", "request", "request_uri", "dpop_jkt", "authorization_details",
)  # fmt: skip
VALUES = (
    "authorization_code", "refresh_token", "client_credentials", "code", "openid", "none", "S256",
    "urn:ietf:params:oauth:grant-type:pre-authorized_code", ASSERTION_TYPE, "{}", "[]", "-1",
    "urn:ietf:params:oauth:request_uri:x", "https://bank.example/callback", "a.b.c", "null",
)  # fmt: skip

values = st.one_of(st.sampled_from(VALUES).map(str.encode), st.binary(max_size=60))
parameters = st.lists(
    st.tuples(st.one_of(st.sampled_from(NAMES).map(str.encode), st.binary(max_size=8)), values),
    max_size=8,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
printable = st.binary(max_size=80).map(lambda raw: bytes(b for b in raw if b >= 32 and b != 127))
header_values = st.one_of(
    printable,
    st.tuples(st.sampled_from([b"Bearer ", b"DPoP ", b"Basic ", b""]), printable).map(b"".join),
)


@pytest.fixture
def live(live_services: LiveServices) -> Live:
    return live_services.get("sqlite-root")


def encoded(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(
        quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode()
        for name, value in pairs
    )


def known_error(answer: Answer) -> None:
    assert 400 <= answer.status < 500, (answer.status, answer.body[:300])
    if answer.headers["content-type"].startswith("text/plain"):
        return  # the server's parser: no HTTP at all
    assert answer.json["error"] in STANDARD
    assert answer.json["error_description"].isascii()


@pytest.mark.parametrize("path", ["/token", "/par", "/introspect", "/revoke"])
@BOUNDED
@given(pairs=parameters, authorization=st.none() | header_values)
def test_arbitrary_forms(
    live: Live, path: str, pairs: list[tuple[bytes, bytes]], authorization: bytes | None
) -> None:
    headers = [(b"Content-Type", FORM.encode())]
    if authorization is not None:
        headers.append((b"Authorization", authorization))
    known_error(send(live.port, "POST", path, headers, encoded(pairs)))


@pytest.mark.parametrize("path", ["/token", "/par", "/introspect", "/revoke"])
@BOUNDED
@given(body=st.binary(max_size=200))
def test_arbitrary_bytes_as_a_form(live: Live, path: str, body: bytes) -> None:
    known_error(send(live.port, "POST", path, {"Content-Type": FORM}, body))


@pytest.mark.parametrize("method", ["GET", "POST"])
@BOUNDED
@given(pairs=parameters)
def test_arbitrary_authorization_requests(
    live: Live, method: str, pairs: list[tuple[bytes, bytes]]
) -> None:
    query = encoded(pairs)
    if method == "GET":
        answer = send(live.port, "GET", b"/authorize?" + query)
    else:
        answer = send(live.port, "POST", "/authorize", {"Content-Type": FORM}, query)
    # No client is known by chance, so nobody may be sent anywhere.
    assert 400 <= answer.status < 500, (answer.status, answer.body[:300])
    assert "location" not in answer.headers
    assert answer.headers["content-type"].startswith("text/html")


@BOUNDED
@given(header=json_values, claims=json_values, signature=st.binary(max_size=70))
def test_arbitrary_client_assertions(
    live: Live, header: Any, claims: Any, signature: bytes
) -> None:
    compact = ".".join(
        (b64(orjson.dumps(_plain(header))), b64(orjson.dumps(_plain(claims))), b64(signature))
    )
    body = encoded(
        [
            (b"grant_type", b"refresh_token"),
            (b"client_assertion_type", ASSERTION_TYPE.encode()),
            (b"client_assertion", compact.encode()),
        ]
    )
    known_error(send(live.port, "POST", "/token", {"Content-Type": FORM}, body))


@pytest.mark.parametrize("path", ["/token", "/par", "/userinfo", "/credential"])
@BOUNDED
@given(proof=header_values, authorization=header_values)
def test_arbitrary_proofs_and_tokens(
    live: Live, path: str, proof: bytes, authorization: bytes
) -> None:
    kind = JSON if path == "/credential" else FORM
    headers = [
        (b"Content-Type", kind.encode()),
        (b"DPoP", proof),
        (b"Authorization", authorization),
    ]
    known_error(send(live.port, "POST", path, headers, b""))


@BOUNDED
@given(path=st.binary(max_size=60), method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]))
def test_arbitrary_addresses(live: Live, path: bytes, method: str) -> None:
    for base in (b"/", b"/status/", b"/offers/", b"/vct/", b"/interaction/", b"/static/"):
        target = base + quote_from_bytes(path, safe="/?&=").encode()
        answer = send(live.port, method, target)
        assert answer.status < 500 or answer.status == 501, (target, answer.status, answer.body)


def _plain(value: Any) -> Any:
    """What JSON can say of it."""
    if isinstance(value, float):
        return value if value == value and abs(value) < 1e308 else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return value
