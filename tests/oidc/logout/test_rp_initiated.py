"""RP-Initiated Logout 1.0 at the running service, on both databases.

The tests named ``test_suite_…`` stand for the modules of the conformance suite's plan
(``oidcc-rp-initiated-logout-certification-test-plan``), each named after its module.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from keys import jws
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, Human
from tests.support.live_service import Live
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.logout_receiver import receiver, verified

AFTER = "https://bank.example/signed-out"


@dataclass
class Place:
    """A person who is signed in at a relying party, and their browser."""

    live: Live
    http: Http
    visitor: Visitor
    client: FapiClient
    human: Human
    id_token: str

    async def end(self, method: str = "GET", /, cookies: bool = True, **parameters: str) -> Answer:
        """A logout request of the browser; redirects are not followed."""
        headers = {"Cookie": self.visitor.cookie_header} if cookies else {}
        path = f"{self.live.path}/end-session"
        if method == "POST":
            return await self.http.form(path, parameters, headers)
        query = f"?{urlencode(parameters)}" if parameters else ""
        return await self.http.get(path + query, headers)

    async def is_signed_in(self) -> bool:
        """Whether prompt=none still finds somebody."""
        request_uri = await self.client.push(self.http, "v" * 43, prompt="none")
        found = self.visitor.authorize(client_id=self.client.client_id, request_uri=request_uri)
        return "code" in dict(parse_qsl(urlsplit(found).query))

    def press(self, action: str, **parameters: str) -> str:
        """Open the endpoint in the browser and answer its question; where that leads."""
        self.visitor.open(f"{self.visitor.home}/end-session?{urlencode(parameters)}")
        return self.visitor.submit(action=action)


@pytest.fixture
async def place(live: Live, http: Http, cast: Cast, visitor: Visitor) -> Place:
    _, human = await cast.acting()
    client = await cast.client(post_logout_redirect_uris=(AFTER, f"{AFTER}?kept=1"))
    tokens = await sign_in(http, client, visitor, human)
    return Place(live, http, visitor, client, human, tokens.tokens["id_token"])


def changed(id_token: str, **claims: Any) -> str:
    """The token with other claims under the old signature."""
    header, payload, signature = id_token.split(".")
    known = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    text = base64.urlsafe_b64encode(json.dumps({**known, **claims}).encode()).decode()
    return f"{header}.{text.rstrip('=')}.{signature}"


def is_question(answer: Answer) -> bool:
    return answer.status == 200 and b'value="logout"' in answer.body


# The suite's modules.


async def test_suite_discovery_endpoint_verification(place: Place) -> None:
    path = f"{place.live.path}/.well-known/openid-configuration"
    document = (await place.http.get(path)).json
    assert document["end_session_endpoint"] == f"{place.live.issuer}/end-session"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_suite_rp_initiated_logout(place: Place, method: str) -> None:
    answer = await place.end(
        method, id_token_hint=place.id_token, post_logout_redirect_uri=AFTER, state="af0 & ?"
    )
    assert answer.status == 303
    location = urlsplit(answer.headers["location"])
    assert location._replace(query="").geturl() == AFTER
    assert parse_qs(location.query) == {"state": ["af0 & ?"]}
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not await place.is_signed_in()


async def test_suite_rp_initiated_logout_bad_post_logout_redirect_uri(place: Place) -> None:
    for uri in (
        "https://other.example/",
        f"{AFTER}/",
        AFTER.upper(),
        AFTER.replace("https", "http"),
        f"{AFTER}#x",
        "javascript:alert(1)",
    ):
        answer = await place.end(id_token_hint=place.id_token, post_logout_redirect_uri=uri)
        assert answer.status == 400
        assert "location" not in answer.headers
        assert b"post_logout_redirect_uri" in answer.body
    assert await place.is_signed_in()


async def test_suite_rp_initiated_logout_modified_id_token_hint(place: Place) -> None:
    for hint in (
        changed(place.id_token, sub="somebody else"),
        changed(place.id_token, sid="x"),
        place.id_token[:-4] + ("AAAA" if place.id_token[-4:] != "AAAA" else "BBBB"),
    ):
        answer = await place.end(id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert (answer.status, "location" in answer.headers) == (400, False)
    assert await place.is_signed_in()


async def test_suite_rp_initiated_logout_bad_id_token_hint(place: Place) -> None:
    for hint in ("x", "a.b.c", "é", place.id_token + ".d", "eyJhbGciOiJub25lIn0.e30."):
        answer = await place.end(id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert (answer.status, "location" in answer.headers) == (400, False)
    assert await place.is_signed_in()


async def test_suite_rp_initiated_logout_no_id_token_hint(place: Place) -> None:
    asked = await place.end(post_logout_redirect_uri=AFTER, state="1")
    assert is_question(asked)
    # Nobody vouches for the address: the person stays here.
    where = place.press("logout", post_logout_redirect_uri=AFTER, state="1")
    assert where.startswith(place.live.issuer)
    assert "signed out" in place.visitor.title
    assert not await place.is_signed_in()


async def test_suite_rp_initiated_logout_no_params(place: Place) -> None:
    assert is_question(await place.end())
    assert is_question(await place.end("POST"))
    assert await place.is_signed_in()
    place.press("logout")
    assert not await place.is_signed_in()


async def test_suite_rp_initiated_logout_no_post_logout_redirect_uri(place: Place) -> None:
    answer = await place.end(id_token_hint=place.id_token, state="1")
    assert (answer.status, "location" in answer.headers) == (200, False)
    assert b"signed out" in answer.body
    assert not await place.is_signed_in()


async def test_suite_rp_initiated_logout_no_state(place: Place) -> None:
    answer = await place.end(id_token_hint=place.id_token, post_logout_redirect_uri=AFTER)
    assert (answer.status, answer.headers["location"]) == (303, AFTER)


async def test_suite_rp_initiated_logout_only_state(place: Place) -> None:
    assert is_question(await place.end(state="1"))
    where = place.press("logout", state="1")
    assert where.startswith(place.live.issuer)
    assert not await place.is_signed_in()


async def test_suite_rp_initiated_logout_query_added_to_post_logout_redirect_uri(
    place: Place,
) -> None:
    uri = f"{AFTER}?added=1"
    answer = await place.end(id_token_hint=place.id_token, post_logout_redirect_uri=uri)
    assert (answer.status, "location" in answer.headers) == (400, False)
    registered = f"{AFTER}?kept=1"
    answer = await place.end(
        id_token_hint=place.id_token, post_logout_redirect_uri=registered, state="1"
    )
    assert answer.headers["location"] == f"{registered}&state=1"


# What else the standard says.


async def test_rpi_2_the_person_is_asked_where_the_hint_is_of_another_session(
    place: Place, cast: Cast
) -> None:
    with Visitor(place.live.issuer) as elsewhere:
        _, other = await cast.acting()
        tokens = await sign_in(place.http, place.client, elsewhere, other)
    answer = await place.end(
        id_token_hint=tokens.tokens["id_token"], post_logout_redirect_uri=AFTER
    )
    assert is_question(answer)
    assert await place.is_signed_in()
    where = place.press(
        "logout", id_token_hint=tokens.tokens["id_token"], post_logout_redirect_uri=AFTER
    )
    assert where == AFTER
    assert not await place.is_signed_in()


async def test_rpi_2_who_stays_is_still_signed_in(place: Place) -> None:
    where = place.press("stay", client_id=place.client.client_id, post_logout_redirect_uri=AFTER)
    assert where.startswith(place.live.issuer)
    assert "still signed in" in place.visitor.title
    assert await place.is_signed_in()


async def test_rpi_2_an_expired_hint_is_accepted(place: Place) -> None:
    async with place.live.site.foundation() as base:  # the keys that the service signs with
        payload = place.id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        claims |= {"iat": claims["iat"] - 90_000, "exp": claims["exp"] - 90_000}
        old = await jws.sign(base.rings.signer("tokens", "ES256"), claims, typ="JWT")
        logout = await jws.sign(base.rings.signer("tokens", "ES256"), claims, typ="logout+jwt")
        foreign = await jws.sign(
            base.rings.signer("tokens", "ES256"), {**claims, "iss": "https://x.example"}, typ="JWT"
        )
    for wrong in (logout, foreign):
        answer = await place.end(id_token_hint=wrong, post_logout_redirect_uri=AFTER)
        assert answer.status == 400
    answer = await place.end(id_token_hint=old, post_logout_redirect_uri=AFTER)
    assert (answer.status, answer.headers["location"]) == (303, AFTER)


async def test_rpi_2_client_id_must_be_the_hints(place: Place, cast: Cast) -> None:
    other = await cast.client(post_logout_redirect_uris=(AFTER,))
    answer = await place.end(id_token_hint=place.id_token, client_id=other.client_id)
    assert answer.status == 400
    answer = await place.end(id_token_hint=place.id_token, client_id=place.client.client_id)
    assert answer.status == 200
    assert not await place.is_signed_in()


async def test_rpi_2_client_id_alone_asks_and_then_goes_back(place: Place) -> None:
    parameters = {"client_id": place.client.client_id, "post_logout_redirect_uri": AFTER}
    asked = await place.end(**parameters)
    assert is_question(asked)
    policy = asked.headers["content-security-policy"]
    assert "form-action 'self' https://bank.example" in policy
    assert place.press("logout", **parameters, state="9") == f"{AFTER}?state=9"


async def test_rpi_2_an_unknown_client_is_an_error(place: Place) -> None:
    assert (await place.end(client_id="nobody")).status == 400


async def test_rpi_2_with_nobody_signed_in_a_hint_leads_back_and_nothing_else_does(
    place: Place,
) -> None:
    hinted = {"id_token_hint": place.id_token, "post_logout_redirect_uri": AFTER}
    await place.end(**hinted)
    again = await place.end(**hinted)
    assert (again.status, again.headers["location"]) == (303, AFTER)
    named = await place.end(client_id=place.client.client_id, post_logout_redirect_uri=AFTER)
    assert (named.status, "location" in named.headers) == (200, False)
    assert f'href="{AFTER}"'.encode() in named.body


async def test_rpi_2_a_form_of_another_site_comes_without_cookies_and_is_sent_round(
    place: Place,
) -> None:
    parameters = {"id_token_hint": place.id_token, "post_logout_redirect_uri": AFTER}
    first = await place.end("POST", cookies=False, **parameters)
    assert first.status == 303
    target = first.headers["location"]
    assert target.startswith(f"{place.live.path}/end-session?")
    second = await place.http.get(target, {"Cookie": place.visitor.cookie_header})
    assert second.headers["location"] == AFTER
    assert not await place.is_signed_in()


async def test_the_question_needs_the_token_of_its_page(place: Place) -> None:
    for csrf in ({}, {"csrf": "x"}):
        answer = await place.end("POST", action="logout", **csrf)
        assert answer.status == 403
    assert is_question(await place.end(action="logout", csrf="x"))  # an address answers nothing
    assert await place.is_signed_in()


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en", "Sign out?"), ("zh-HK", "登出？"), ("zh-CN", "退出登录？")],
)
async def test_rpi_2_ui_locales(place: Place, locale: str, title: str) -> None:
    answer = await place.end(ui_locales=locale, client_id=place.client.client_id)
    assert f"<h1>{title}</h1>" in answer.body.decode()
    assert b"<script" not in answer.body
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


async def test_backchannel_rp_initiated_logout_tells_the_other_clients_too(
    place: Place, cast: Cast
) -> None:
    async with receiver() as rp:
        other = await cast.client(backchannel_logout_uri=rp.uri)
        tokens = await sign_in(place.http, other, place.visitor, place.human)
        await place.end(id_token_hint=place.id_token)
        jwks = (await place.http.get(f"{place.live.path}/jwks")).json
        claims = verified(await rp.token(), jwks, place.live.issuer, other.client_id)
    assert claims["sid"] == tokens.claims["sid"]


@pytest.mark.parametrize(
    "query",
    [
        "client_id=a&client_id=b",
        "state=" + "x" * 5000,
        "id_token_hint=" + "x" * 40_000,
        "client_id=%00",
        "client_id=%ff",
        "logout_hint=sample&ui_locales=" + "x" * 3000,
    ],
)
async def test_bad_input_is_never_a_500(place: Place, query: str) -> None:
    answer = await place.http.get(f"{place.live.path}/end-session?{query}")
    assert answer.status in {200, 400, 413}
