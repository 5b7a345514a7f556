"""A real browser (Chromium, headless), and a relying party on loopback that it comes back to.

    browser     one Chromium for all tests of a process
    party       a relying party's callback page; `party.callback` is its redirect URI
    window      a fresh profile with one window: `window.page` is the browser-test library's

Where there is no browser the tests are reported as not run; under CI=true they fail.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright

from examples.demo.browser import one_time_code
from tests.support.fapi_client import new_verifier
from tests.support.live_cast import Cast, Human, PlainClient, new_cast
from tests.support.live_service import Live, LiveServices
from tests.support.live_sign_in import plain_request
from tools import browser as browsers

WAIT_MS = 10_000
MISSING = "did not run: no Chromium here, and none could be installed (python -m tools.browser)"


def missing(environment: Any = os.environ) -> None:
    """Report a test that cannot run for want of a browser.

    Raises:
        Exception: pytest's skip, or its failure where a complete run is promised.
    """
    if environment.get("CI") == "true":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@dataclass
class Party:
    """Answers any request with a page of its own, and remembers what was asked.

    ``posted`` are the fields of each form that a browser sent.
    """

    origin: str = ""
    asked: list[str] = field(default_factory=list)
    posted: list[dict[str, str]] = field(default_factory=list)

    @property
    def callback(self) -> str:
        """Its redirect URI."""
        return f"{self.origin}/callback"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b" ", 2)[1].decode())
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length is not None:
            form = await reader.readexactly(int(length[1]))
            self.posted.append(dict(parse_qsl(form.decode())))
        body = b"<!DOCTYPE html><html lang=en><title>Sample Shop</title><h1>Welcome back</h1>"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Party]:
    """A relying party on a loopback port."""
    party = Party()
    server = await asyncio.start_server(party.serve, "127.0.0.1", 0)
    party.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield party
    finally:
        server.close()


@dataclass
class Window:
    """A profile of the browser with a window, at one issuer. ``problems`` must stay empty."""

    live: Live
    context: BrowserContext
    page: Page
    problems: list[str]

    async def authorize(self, client: PlainClient, verifier: str = "", **more: str) -> Response:
        """Open the authorization endpoint as a relying party's link does."""
        request = plain_request(client, verifier or new_verifier(), **more)
        answer = await self.page.goto(f"{self.live.issuer}/authorize?{urlencode(request)}")
        assert answer is not None
        return answer

    @property
    def answer(self) -> dict[str, str]:
        """The authorization response that the relying party was given."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    async def step(self) -> str | None:
        """The name of the step that the page is for."""
        return await self.page.locator("main input[name=step]").first.get_attribute("value")

    async def focused(self) -> str:
        """What has the focus: a button by its value, else by its id, else by its class."""
        found: str = await self.page.evaluate(
            """() => {
              const one = document.activeElement;
              const tag = one.tagName.toLowerCase();
              if (one.value && tag === "button") return `${tag}[${one.value}]`;
              return tag + (one.id ? `#${one.id}` : one.className ? `.${one.className}` : "");
            }"""
        )
        return found

    async def has_focus(self, expected: str) -> None:
        """Wait until that has the focus: a page gives it when it is drawn, not when it is read."""
        deadline = asyncio.get_running_loop().time() + WAIT_MS / 1000
        while (found := await self.focused()) != expected:
            assert asyncio.get_running_loop().time() < deadline, f"{found}, not {expected}"
            await asyncio.sleep(0.02)

    async def title(self) -> str:
        """The page's heading."""
        return await self.page.locator("h1").inner_text()

    async def submit(self, value: str | None = None) -> None:
        """Press the main button, or the one of that value, and wait for what comes."""
        buttons = self.page.locator("main > form button")
        button = buttons.first if value is None else self.page.locator(f"button[value={value}]")
        await button.click()
        await self.page.wait_for_load_state()

    async def password(self, human: Human, password: str | None = None) -> None:
        """Fill in and send the sign-in page."""
        await self.page.fill("#username", human.username)
        await self.page.fill("#password", human.password if password is None else password)
        await self.submit()

    async def code(self, human: Human) -> None:
        """Fill in and send the page of the one-time code."""
        await self.page.fill("#otp", one_time_code(human.secret))
        await self.submit()

    async def sign_in(self, human: Human) -> None:
        """Both pages, one after the other."""
        await self.password(human)
        await self.code(human)


class Windows:
    """Opens windows with a profile of their own each, and closes them in the end."""

    def __init__(self, browser: Browser, stack: AsyncExitStack) -> None:
        self._browser = browser
        self._stack = stack

    async def open(self, live: Live, **options: Any) -> Window:
        """A window. ``options`` are the browser-test library's, for a new context."""
        context = await self._browser.new_context(**{"locale": "en-GB", **options})
        self._stack.push_async_callback(context.close)
        context.set_default_timeout(WAIT_MS)
        return await self.another(live, context, [])

    async def another(self, live: Live, context: BrowserContext, problems: list[str]) -> Window:
        """One more window of the same profile."""
        page = await context.new_page()
        # A blocked style, script or form is told here by the browser's own policy check.
        page.on("console", lambda said: problems.append(said.text) if _is_bad(said) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return Window(live, context, page, problems)


def _is_bad(said: Any) -> bool:
    # An answer 4xx with a page is told as an error too; it is meant.
    return said.type == "error" and "Failed to load resource" not in said.text


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as library:
        path = browsers.on_the_system()
        built_in = library.chromium.executable_path
        if path is None and not os.path.exists(built_in):  # noqa: ASYNC240, PTH110 - once
            missing()
        launched = await library.chromium.launch(executable_path=path)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser: Browser) -> AsyncIterator[Windows]:
    async with AsyncExitStack() as stack:
        yield Windows(browser, stack)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def party() -> AsyncIterator[Party]:
    async with listening() as made:
        yield made


@pytest.fixture
def live(request: pytest.FixtureRequest, live_services: LiveServices) -> Live:
    return live_services.get(getattr(request, "param", "sqlite-root"))


@pytest_asyncio.fixture(loop_scope="session")
async def cast(live: Live) -> AsyncIterator[Cast]:
    async with live.site.foundation() as base:
        made = new_cast(base)
        yield made
        made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(windows: Windows, live: Live) -> AsyncIterator[Window]:
    opened = await windows.open(live)
    yield opened
    assert opened.problems == []
