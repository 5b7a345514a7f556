"""Bad input on the pages: a form of ours, filled in by somebody who means harm."""

from urllib.parse import urlencode

import pytest

from tests.support.fapi_client import new_verifier
from tests.support.fapi_client_http import FORM, Answer
from tests.support.live_cast import Cast, Human
from tests.support.live_service import Live
from tests.support.live_sign_in import plain_request
from tests.support.live_visitor import Visitor
from tests.support.raw_http import send
from tests.support.refusals import shown


class Page:
    """A page of an interaction, and its form as bytes."""

    def __init__(self, live: Live, visitor: Visitor) -> None:
        assert visitor.form is not None
        self._port = live.port
        self._cookie = visitor.cookie_header
        self.target = visitor.address.removeprefix(live.origin)
        self.fields = dict(visitor.form.fields)

    def post(self, body: bytes, kind: str = FORM, cookie: str | None = None) -> Answer:
        headers = {"Content-Type": kind, "Cookie": self._cookie if cookie is None else cookie}
        return send(self._port, "POST", self.target, headers, body)

    def with_fields(self, **fields: str) -> Answer:
        return self.post(urlencode({**self.fields, **fields}).encode())


@pytest.fixture
async def human(cast: Cast) -> Human:
    _, made = await cast.acting()
    return made


@pytest.fixture
async def sign_in_page(live: Live, cast: Cast, visitor: Visitor) -> Page:
    client = await cast.plain_client()
    visitor.authorize(**plain_request(client, new_verifier()))
    return Page(live, visitor)


async def test_odd_usernames(sign_in_page: Page) -> None:
    injected = "\r\nSet-Cookie: x=y"
    for username in ("\x00", "a\x00b", "x" * 5000, "\U0001f600", "a'--", "%", "\ud7ff", injected):
        answer = sign_in_page.with_fields(username=username, password="wrong password")
        shown(answer, 400, 429)
        assert "set-cookie" not in answer.headers


async def test_odd_passwords(sign_in_page: Page, human: Human) -> None:
    for password in ("\x00", "x" * 10_000, "\U0001f600" * 100, " "):
        answer = sign_in_page.with_fields(username=human.username, password=password)
        shown(answer, 400, 413, 429)


async def test_odd_forms(sign_in_page: Page) -> None:
    too_many, too_long = b"&" * 500, b"csrf=" + b"x" * 20_000
    for body in (b"", b"\xff", b"%00=%00", b"csrf=%ff", b"a=1&a=2", too_many, too_long):
        shown(sign_in_page.post(body), 400, 403, 413)
    for kind in ("application/json", "multipart/form-data", ""):
        shown(sign_in_page.post(b"{}", kind), 400)


async def test_odd_cookies(sign_in_page: Page) -> None:
    body = urlencode(sign_in_page.fields).encode()
    others = "corpid-interaction=" + "x" * 43
    for cookie in ("", "corpid-interaction=", others, "corpid-session=\xff; =;;"):
        shown(sign_in_page.post(body, cookie=cookie), 410)


async def test_another_steps_form_changes_nothing(sign_in_page: Page) -> None:
    for step in ("consent", "organisation", "code", "blocked", "\x01", ""):
        answer = sign_in_page.with_fields(step=step, action="approve", organisation="x", otp="1")
        assert answer.status == 303, answer.body[:200]
        assert answer.headers["location"].endswith(sign_in_page.target)


async def test_odd_one_time_codes(
    live: Live, sign_in_page: Page, visitor: Visitor, human: Human
) -> None:
    visitor.submit(username=human.username, password=human.password)
    page = Page(live, visitor)
    assert page.fields["step"] == "code"
    arabic = "\u0661\u0662\u0663\u0664\u0665\u0666"
    for otp in ("", "0", "x" * 5000, arabic, "\x7f"):
        shown(page.with_fields(otp=otp), 400, 429)


async def test_an_organisation_that_is_no_choice(live: Live, cast: Cast, visitor: Visitor) -> None:
    _, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    other = await cast.organisation()
    client = await cast.plain_client(min_acr="loa1")
    visitor.authorize(**plain_request(client, new_verifier()))
    visitor.submit(username=human.username, password=human.password)
    page = Page(live, visitor)
    assert page.fields["step"] == "organisation"
    for number in (other.number, "", "x" * 5000, "\U0001f600", "../../"):
        shown(page.with_fields(organisation=number), 400)


async def test_other_methods_of_pages(live: Live, sign_in_page: Page) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        for target in (sign_in_page.target, f"{live.path}/sign-out", f"{live.path}/language"):
            assert send(live.port, method, target).status == 405
    # Nobody is signed out, and no step is done, by a GET.
    assert send(live.port, "GET", f"{live.path}/sign-out?csrf=x").status == 200
