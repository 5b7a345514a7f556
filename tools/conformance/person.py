"""A person with a real browser who does what the service's pages ask."""

import time
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Browser, Page, Route
from playwright.sync_api import TimeoutError as TooSlow

from examples.demo.browser import one_time_code

_STEPS: Final = 8
_CODE_SECONDS: Final = 30
_WAIT_MS: Final = 20_000


@dataclass
class Person:
    """Who signs in. A one-time code counts once, so that the next one is waited for."""

    username: str
    password: str
    totp_secret: str = ""
    used_at: int = 0

    def code(self) -> str:
        """A code that has not been used."""
        while int(time.time()) // _CODE_SECONDS <= self.used_at:
            time.sleep(1)
        self.used_at = int(time.time()) // _CODE_SECONDS
        return one_time_code(self.totp_secret)


@dataclass(frozen=True)
class Part:
    """What a module wants otherwise than usual: that the person refuses, or opens the first address
    and does nothing yet; or a picture of the last page (consent) and not of the first (sign-in).
    """

    denies: bool = False
    looks_first: bool = False
    shows_last: bool = False


class Sitting:
    """One module's browser: a fresh profile, whose session lasts from one visit to the next."""

    def __init__(self, browser: Browser, person: Person, issuer: str, part: Part) -> None:
        self._context = browser.new_context(ignore_https_errors=True)
        self._page = self._context.new_page()
        self._page.set_default_timeout(_WAIT_MS)
        self._person = person
        self._issuer = issuer
        self._part = part
        self._looks_only = part.looks_first
        self._page.route("**/*", self._only_here)
        self.picture = b""
        """A page of the last visit: where it ended, if it stayed with the service."""
        self.stayed = False

    def visit(self, url: str, method: str) -> None:
        """Open the address, and do what is asked until there is nothing more to do."""
        if method == "POST":
            self._page.set_content(_form(url))
            self._page.click("button")
        else:
            self._page.goto(url)
        self.picture, self.stayed = b"", False
        for _ in range(_STEPS):
            self._page.wait_for_load_state()
            if not self._page.url.startswith(self._issuer):
                break
            seen = self._page.screenshot(full_page=True)
            self.picture = seen if self._part.shows_last else self.picture or seen
            if self._looks_only or not self._answer(self._page):
                self.picture, self.stayed = seen, True
                break
        else:
            raise RuntimeError(f"the pages do not end: {self._page.url}")
        self._looks_only = False
        self._wait_for_the_suite(self._page)

    def close(self) -> None:
        """Forget the session."""
        self._context.close()

    def _answer(self, page: Page) -> bool:
        """Fill in what the page asks for; whether there was something to answer."""
        if self._part.denies and page.locator("button[value=deny], button[value=cancel]").count():
            page.locator("button[value=deny], button[value=cancel]").first.click()
        elif page.locator("#username").count():
            page.fill("#username", self._person.username)
            page.fill("#password", self._person.password)
            page.click("main form button[type=submit]")
        elif page.locator("#otp").count():
            page.fill("#otp", self._person.code())
            page.click("main form button[type=submit]")
        elif page.locator("input[name=organisation]").count():
            page.locator("input[name=organisation]").first.check()
            page.click("main form button[type=submit]")
        elif page.locator("button[value=approve]").count():
            page.click("button[value=approve]")
        elif page.locator("main form[method=post] button[type=submit]").count():
            page.locator("main form[method=post] button[type=submit]").first.click()
        else:
            return False
        return True

    def _wait_for_the_suite(self, page: Page) -> None:
        """Its page sends the fragment on by a script."""
        if page.locator("#complete").count():
            with suppress(TooSlow):
                page.wait_for_selector("#submission_complete", state="attached")

    def _only_here(self, route: Route) -> None:
        """The suite's pages ask other hosts for their looks; they do without."""
        request = route.request
        own = urlsplit(request.frame.url).hostname
        if request.is_navigation_request() or urlsplit(request.url).hostname == own:
            route.continue_()
        else:
            route.abort()


def _form(url: str) -> str:
    address, _, query = url.partition("?")
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return f'<form method="post" action="{escape(address)}">{fields}<button>go</button></form>'
