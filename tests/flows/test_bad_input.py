"""Bad input over real HTTP: never a 5xx, always the standard's error, on both engines."""

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from oidc.request import MAX_FORM_BYTES, MAX_JSON_BYTES
from tests.support.fapi_client import ASSERTION_TYPE, FapiClient, Key, unique
from tests.support.fapi_client_http import FORM, JSON, Http
from tests.support.live_cast import TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.raw_http import form, json_body, send
from tests.support.refusals import STANDARD, refused, shown
from tests.support.wallet import Wallet

FORMS = ("/token", "/par", "/introspect", "/revoke")
POSTS = (*FORMS, "/nonce", "/credential", "/notification")
GETS = ("/.well-known/openid-configuration", "/jwks")
PAGES = ("/interaction/" + "x" * 43, "/sign-out", "/language")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "BREW"])
def test_rfc9110_15_5_6_another_method_is_405_with_allow(
    live: Live, path: str, method: str
) -> None:
    answer = send(live.port, method, live.path + path)
    if method == "BREW":
        assert answer.status in {400, 405}  # what the server's parser does not know, it refuses
        return
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", [*GETS, "/userinfo", "/authorize", "/offers/x", "/vct/a/1"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_documents_take_no_other_method(live: Live, path: str, method: str) -> None:
    answer = send(live.port, method, live.path + path)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize("path", GETS)
def test_head_is_get_without_the_body(live: Live, path: str) -> None:
    got, head = (send(live.port, method, live.path + path) for method in ("GET", "HEAD"))
    assert (got.status, head.status, head.body) == (200, 200, b"")
    assert head.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize("path", [*POSTS, *GETS, "/userinfo"])
def test_preflights_are_answered_where_cors_is_open(live: Live, path: str) -> None:
    answer = send(live.port, "OPTIONS", live.path + path, {"Origin": "https://app.example"})
    if path == "/introspect":
        assert answer.status == 405, "a server's endpoint, no browser's"
        return
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert {"DPoP-Nonce", "WWW-Authenticate"} <= set(exposed.split(", "))


@pytest.mark.parametrize("path", ["/authorize", *PAGES])
def test_rfc9700_2_6_no_cors_at_authorize_and_pages(live: Live, path: str) -> None:
    for method in ("OPTIONS", "GET"):
        answer = send(live.port, method, live.path + path, {"Origin": "https://app.example"})
        assert answer.status < 500
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=x&grant_type=y",
        b"grant_type=%ff%fe",
        b"\xff\xfe=\x00",
        b"grant_type=%00",
        b"grant_type=" + b"a" * 40_000,
        b"&".join(b"p%d=1" % number for number in range(200)),
        b"=&=&=",
        b"%",
        b"a=%zz",
    ],
    ids=["repeated", "not utf-8", "not ascii", "NUL", "long", "many", "nameless", "percent", "zz"],
)
def test_rfc6749_3_2_malformed_forms(live: Live, path: str, body: bytes) -> None:
    assert refused(form(live.port, live.path + path, body)) in {"invalid_request", "invalid_client"}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("kind", [JSON, "text/plain", "multipart/form-data; boundary=x", ""])
def test_only_forms_are_read_as_forms(live: Live, path: str, kind: str) -> None:
    answer = send(live.port, "POST", live.path + path, {"Content-Type": kind}, b"grant_type=x")
    assert refused(answer, 400) == "invalid_request"


@pytest.mark.parametrize("path", FORMS)
def test_rfc9126_2_3_a_huge_form_is_413(live: Live, path: str) -> None:
    body = b"a=" + b"x" * (MAX_FORM_BYTES + 10)
    assert refused(form(live.port, live.path + path, body), 413) == "invalid_request"


@pytest.mark.parametrize("path", ["/token", "/par", "/introspect", "/revoke"])
def test_a_basic_client_id_with_nul_or_odd_bytes(live: Live, path: str) -> None:
    for pair in (b"%00:x", b"a\x00b:x", b"\xff:x", b"%ff:x", b":", b"x", b"x" * 5000 + b":y"):
        header = b"Basic " + base64.b64encode(pair)
        answer = form(
            live.port, live.path + path, b"grant_type=refresh_token", [(b"Authorization", header)]
        )
        assert refused(answer, 401) == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", [*FORMS, "/userinfo", "/credential", "/notification"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"Authorization", b"Bearer a"), (b"Authorization", b"DPoP b")],
        [(b"Authorization", b"\xff\xfe\xfd")],
        [(b"Authorization", b"Bearer \xc3\xa9")],
        [(b"Authorization", b"Bearer")],
        [(b"Authorization", b"")],
        [(b"Authorization", b"Negotiate " + b"A" * 8000)],
        [(b"Authorization", b"DPoP cid_at_x"), (b"DPoP", b"\xff")],
        [(b"Authorization", b"DPoP cid_at_x"), (b"DPoP", b"a.b.c"), (b"DPoP", b"a.b.c")],
        [(b"DPoP", b"x" * 9000)],
        [(b"Content-Type", b"\xff")],
        [(b"Cookie", b"\xff=\xfe; ; =; a")],
    ],
)
def test_odd_headers(live: Live, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    kind = FORM if path in FORMS else JSON
    sent = [(b"Content-Type", kind.encode()), *headers]
    if headers[0][0] == b"Content-Type":
        sent = headers
    answer = send(live.port, "POST", live.path + path, sent, b"")
    code = refused(answer)
    if answer.status == 401 and path not in FORMS:
        assert "www-authenticate" in answer.headers
    assert code in STANDARD


@pytest.mark.parametrize(
    "target",
    [
        b"/offers/%00",
        b"/offers/" + b"a" * 64,
        b"/offers/%F0%9F%98%80",
        b"/offers/%ff",
        b"/status/%00",
        b"/status/..%2f",
        b"/vct/%00/1",
        b"/vct/a/%00",
    ],
)
def test_odd_identifiers_in_paths_are_404(live: Live, target: bytes) -> None:
    assert refused(send(live.port, "GET", live.path.encode() + target), 404) == "invalid_request"


@pytest.mark.parametrize(
    "target",
    [
        b"/interaction/%00",
        b"/interaction/" + b"a" * 5000,
        b"/language?to=%00&back=%00",
        b"/language?to=%ff&to=en",
        b"/language?to=" + b"e" * 5000,
        b"/authorize?client_id=%00",
        b"/authorize?client_id=%ff",
        b"/authorize?client_id=a&client_id=b",
        b"/authorize?client_id=" + b"x" * 5000,
        b"/authorize?request_uri=urn:ietf:params:oauth:request_uri:x&client_id=x",
        b"/authorize",
        b"/static/%00",
        b"/static/..%2f..%2fsettings.py",
        b"/static/../settings.py",
        b"/\xff",
        b"/%ff",
        b"//evil.example/",
        b"*",
    ],
)
def test_odd_addresses_of_pages(live: Live, target: bytes) -> None:
    base = live.path.encode() if target.startswith(b"/") else b""
    answer = send(live.port, "GET", base + target)
    assert answer.status < 500, answer.body[:300]
    assert "evil.example" not in answer.headers.get("location", "")
    if target.startswith(b"/authorize"):
        shown(answer, 400)


class _Asking:
    """A client assertion with any claims, signed by a registered client's key."""

    def __init__(self, client: FapiClient) -> None:
        self._client = client

    def __call__(self, **claims: Any) -> bytes:
        now = int(time.time())
        whole = {
            "iss": self._client.client_id,
            "sub": self._client.client_id,
            "aud": self._client.issuer,
            "jti": unique(),
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        assertion = self._client.key.sign({"kid": self._client.key.thumbprint}, whole)
        fields = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return urlencode({"grant_type": "refresh_token", **fields}).encode()


ODD_CLAIMS: tuple[dict[str, Any], ...] = (
    {"sub": "a\x00b", "iss": "a\x00b"},
    {"sub": "\U0001f600" * 100, "iss": "\U0001f600" * 100},
    {"sub": "", "iss": ""},
    {"sub": ["x"], "iss": ["x"]},
    {"sub": {}, "iss": {}},
    {"exp": 1e300},
    {"exp": -1e300},
    {"exp": 2**63},
    {"exp": "soon"},
    {"exp": None},
    {"exp": True},
    {"iat": 1e300},
    {"nbf": 1e300},
    {"jti": "\x00"},
    {"jti": ""},
    {"jti": 5},
    {"jti": "x" * 10_000},
    {"aud": None},
    {"aud": ["x"] * 1000},
    {"aud": {}},
)


async def test_odd_claims_in_a_client_assertion(live: Live, cast: Cast) -> None:
    asking = _Asking(await cast.client())
    for claims in ODD_CLAIMS:
        answer = form(live.port, f"{live.path}/token", asking(**claims))
        if claims == {"jti": "\x00"}:  # unusual, and as good as any: only its hash is kept
            assert answer.status == 400
        else:
            assert refused(answer, 401) == "invalid_client", claims


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": "\x00"},
        {"iat": 1e300},
        {"iat": -1},
        {"iat": "now"},
        {"htm": 5},
        {"htu": "http://[::1"},
        {"htu": "http://a:99999999/"},
        {"htu": ""},
        {"htu": None},
        {"nonce": 5},
        {"nonce": "\x00"},
        {"nonce": "x" * 5000},
    ],
    ids=str,
)
def test_odd_claims_in_a_dpop_proof(live: Live, changes: dict[str, Any]) -> None:
    key = Key()
    claims = {
        "jti": unique(),
        "htm": "POST",
        "htu": f"{live.issuer}/token",
        "iat": int(time.time()),
        **changes,
    }
    proof = key.sign({"typ": "dpop+jwt", "jwk": key.public}, claims)
    answer = form(live.port, f"{live.path}/token", b"grant_type=x", [(b"DPoP", proof.encode())])
    assert refused(answer) in {"invalid_dpop_proof", "use_dpop_nonce", "invalid_client"}


@pytest.mark.parametrize("jwk", [5, [], {}, {"kty": "EC"}, {"kty": "EC", "crv": "P-256", "x": 1}])
def test_odd_keys_in_a_dpop_proof(live: Live, jwk: object) -> None:
    proof = Key().sign({"typ": "dpop+jwt", "jwk": jwk}, {"jti": "x"})
    answer = form(live.port, f"{live.path}/token", b"grant_type=x", [(b"DPoP", proof.encode())])
    assert refused(answer, 400) == "invalid_dpop_proof"


ODD_JSON = (
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff",
    b"[" * 100_000,
    b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"proofs":{"jwt":[["x"]]},"credential_configuration_id":"representative"}',
    b'{"proofs":[],"credential_configuration_id":"representative"}',
    b'{"proofs":{"jwt":[]},"credential_configuration_id":"representative"}',
    b'{"proofs":{"jwt":["\\u0000"]},"credential_configuration_id":"representative"}',
    b'{"proofs":{"jwt":["a.b.c"],"di_vp":[]},"credential_configuration_id":"representative"}',
    b'{"credential_configuration_id":{"a":1}}',
    b'{"credential_configuration_id":"\\u0000"}',
    b'{"credential_identifier":[]}',
    b'{"credential_configuration_id":1e999}',
    b'{"credential_response_encryption":5,"credential_configuration_id":"representative"}',
    b'{"notification_id":5}',
    b'{"notification_id":"\\u0000","event":"credential_accepted"}',
    b'{"notification_id":"x","event":{}}',
)


async def _credential_token(http: Http, cast: Cast, wallet: Wallet) -> str:
    organisation, human = await cast.acting()
    sent = await wallet.redeem(http, await cast.offer(organisation, human), TRANSACTION_CODE)
    token: str = sent.answer.expect(200).json["access_token"]
    return token


def _proved(wallet: Wallet, endpoint: str, token: str) -> list[tuple[bytes, bytes]]:
    proof = wallet.dpop_key.dpop("POST", wallet.issuer + endpoint, token=token)
    return [(b"Authorization", f"DPoP {token}".encode()), (b"DPoP", proof.encode())]


@pytest.mark.parametrize("endpoint", ["/credential", "/notification"])
async def test_odd_json(live: Live, http: Http, cast: Cast, endpoint: str) -> None:
    wallet = Wallet(live.issuer)
    token = await _credential_token(http, cast, wallet)
    for body in ODD_JSON:
        headers = _proved(wallet, endpoint, token)
        answer = json_body(live.port, live.path + endpoint, body, headers)
        assert refused(answer, 400) not in {"invalid_request", "invalid_token"}, body[:80]


async def test_a_huge_json_body_is_413(live: Live, http: Http, cast: Cast) -> None:
    wallet = Wallet(live.issuer)
    token = await _credential_token(http, cast, wallet)
    body = json.dumps({"x": "y" * (MAX_JSON_BYTES + 10)}).encode()
    for endpoint in ("/credential", "/notification"):
        headers = _proved(wallet, endpoint, token)
        answer = json_body(live.port, live.path + endpoint, body, headers)
        assert refused(answer, 413) in STANDARD
