"""Requests that no honest party sends: no redirect by Host, and a refusal instead of a 500."""

import base64
import json
import time

from tests.support.fapi_client_http import Http
from tests.support.live_service import Live
from tests.support.raw_http import exchange

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_no_redirect_follows_the_host_header(live: Live) -> None:
    for path in ("/sign-out/", "/language/", f"/interaction/{'x' * 43}/"):
        head = f"GET {live.path}{path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        answer = exchange(live.port, head.encode())
        assert answer.status == 404
        assert "location" not in answer.headers


async def test_an_offer_id_with_a_nul_is_an_unknown_offer(live: Live, http: Http) -> None:
    for name in ("%00", "a%00b", "%C3%A9", "x" * 65):
        assert (await http.get(f"{live.path}/offers/{name}")).status == 404


async def test_a_client_id_with_a_nul_is_an_unknown_client(live: Live, http: Http) -> None:
    grant = {"grant_type": "client_credentials"}
    for pair in (b"a%00b:secret", b"a\x00b:secret"):
        header = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        answer = await http.form(live.path + "/token", grant, header)
        assert (answer.status, answer.error) == (401, "invalid_client")
    now = int(time.time())
    claims = {"iss": "a\0b", "sub": "a\0b", "aud": live.issuer, "exp": now + 60, "jti": "1\0"}
    parts = [_b64(json.dumps(one).encode()) for one in ({"alg": "ES256"}, claims)]
    assertion = ".".join([*parts, _b64(bytes(64))])
    form = {**grant, "client_assertion": assertion, "client_assertion_type": ASSERTION}
    answer = await http.form(live.path + "/token", form)
    assert (answer.status, answer.error) == (401, "invalid_client")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
