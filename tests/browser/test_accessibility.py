"""Every page against the rules of WCAG 2.2 AA: by axe-core, and what that cannot see by itself."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe

from corpid.domain.languages import LANGUAGES
from tests.support.browsing import Party, Window, Windows
from tests.support.live_cast import Cast, Human
from tests.support.live_service import Live
from tests.support.portal_world import issued

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 900}},
    "dark, narrow": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
}
LEAST_TARGET = 24  # CSS pixels, WCAG 2.5.8

# What has no target of that size, and is not within a sentence (which WCAG 2.5.8 excepts).
SMALL_TARGETS = """least => [...document.querySelectorAll("a, button, input:not([type=hidden])")]
  .filter(one => !one.closest("p, .summary") && !one.matches(".skip:not(:focus)"))
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
# A field with an error says so to who cannot see it.
UNTOLD_ERRORS = """() => [...document.querySelectorAll("[aria-invalid]")]
  .filter(one => ![...(one.getAttribute("aria-describedby") || "").split(" ")]
    .some(id => document.getElementById(id)?.classList.contains("error")))
  .map(one => one.id)"""
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


async def every_page(window: Window, cast: Cast, party: Party) -> AsyncIterator[str]:
    """Goes through the pages, those with errors included."""
    _, human = await cast.acting()
    second = await cast.organisation()
    await cast.mandate(second, human, "open_account", "sign_contract")
    page, issuer = window.page, window.live.issuer
    await window.authorize(await cast.plain_client(redirect_uri=party.callback))
    yield "sign-in"
    await window.password(human, "wrong")
    yield "sign-in with an error"
    await window.password(human)
    yield "code"
    await page.fill("#otp", "1")
    await window.submit()
    yield "code with an error"
    await window.code(human)
    yield "organisation"
    await window.submit()
    yield "organisation with an error"
    await page.check(f"input[value='{second.number}']")
    await window.submit()
    yield "consent"
    await page.goto(f"{issuer}/account")
    yield "account"
    async for name in portal_pages(window, cast, human):
        yield name
    await page.goto(f"{issuer}/end-session")
    yield "question whether to sign out"
    await page.goto(f"{issuer}/sign-out")
    yield "sign-out"
    await window.submit()
    yield "signed out"
    await page.goto(f"{issuer}/interaction/unknown")
    yield "gone"
    await page.goto(f"{issuer}/authorize?client_id=nobody")
    yield "error"
    weak = await cast.human(totp=False)
    await window.authorize(await cast.plain_client(redirect_uri=party.callback))
    await window.password(weak)
    yield "blocked"


async def portal_pages(window: Window, cast: Cast, human: Human) -> AsyncIterator[str]:
    """Those about credentials, as whoever is signed in."""
    page, base = window.page, cast.base
    (held,) = await base.store.read.authority.representations_of(human.person_id)
    await issued(
        base,
        f"held-by-{human.person_id}",
        organisation_id=held.organisation_id,
        person_id=human.person_id,
        representation_id=held.representation_id,
    )
    await page.click("#credentials")
    yield "businesses"
    await page.click("#businesses a >> nth=0")
    yield "credentials"
    await page.click("#credentials a")
    yield "credential"
    await page.click("#suspend")
    await page.evaluate("document.querySelector('#reason').removeAttribute('maxlength')")
    await page.fill("#reason", "x" * 201)
    await page.click("button[value=suspend]")
    yield "question with an error"
    await page.click("#back")
    await page.click("#to-offers")
    await page.click("#make button")
    yield "offers with an error"
    await page.check("input[value=representative]")
    await page.click("#make button")
    yield "offer made"
    await page.click("#offer")
    yield "offer"


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_keeps_the_rules(
    windows: Windows, live: Live, cast: Cast, party: Party, look: str
) -> None:
    window = await windows.open(live, **LOOKS[look])
    axe, seen = Axe(), []
    async for name in every_page(window, cast, party):
        found = await axe.run(window.page, options=RULES)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        assert await window.page.evaluate(SMALL_TARGETS, LEAST_TARGET) == [], name
        assert await window.page.evaluate(UNTOLD_ERRORS) == [], name
        assert not await window.page.evaluate(TOO_WIDE), f"{name}: to be scrolled sideways"
        if "error" in name and name != "error":
            # Told at once: the focus is on the summary, whose links lead to the fields.
            await window.has_focus("div.summary")
            assert (await window.page.title()).startswith("Error: "), name
        seen.append(name)
    assert len(seen) == 21
    assert window.problems == []


async def test_the_rules_would_find_a_fault(windows: Windows, live: Live, cast: Cast) -> None:
    window = await windows.open(live)
    await window.authorize(await cast.plain_client())
    await window.page.evaluate("document.querySelector('label[for=username]').remove()")
    await window.page.evaluate("document.documentElement.removeAttribute('lang')")
    found = await Axe().run(window.page, options=RULES)
    assert {one["id"] for one in found.response["violations"]} >= {"label", "html-has-lang"}


async def test_the_focus_goes_through_a_page_as_it_is_read(
    windows: Windows, live: Live, cast: Cast
) -> None:
    window = await windows.open(live)
    await window.authorize(await cast.plain_client())
    await window.page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    order, heights = [], []
    for _ in range(20):
        await window.page.keyboard.press("Tab")
        if await window.focused() in {"body", "a.skip"} and order:
            break
        order.append(await window.focused())
        heights.append(
            await window.page.evaluate("document.activeElement.getBoundingClientRect().bottom")
        )
    assert order[0] == "a.skip"
    assert order[-4:] == ["input#username", "input#password", "button", "button[cancel]"]
    assert heights[1:] == sorted(heights[1:])


@pytest.mark.parametrize(
    ("locale", "locales", "language"),
    [
        ("en-GB", None, "en"),
        ("zh-HK", None, "zh-Hant"),
        ("zh-TW", None, "zh-Hant"),
        ("zh-CN", None, "zh-Hans"),
        ("fr-FR", None, "en"),
        ("en-GB", "zh-Hant", "zh-Hant"),
        ("zh-HK", "fr zh-CN", "zh-Hans"),
        ("zh-CN", "en", "en"),
    ],
)
async def test_the_language_is_the_clients_wish_else_the_browsers(
    windows: Windows, live: Live, cast: Cast, locale: str, locales: str | None, language: str
) -> None:
    window = await windows.open(live, locale=locale)
    more = {} if locales is None else {"ui_locales": locales}
    await window.authorize(await cast.plain_client(), **more)
    assert await window.page.get_attribute("html", "lang") == language
    assert await window.title() == {"en": "Sign in", "zh-Hant": "登入", "zh-Hans": "登录"}[language]


async def test_a_language_is_chosen_on_the_page_and_kept(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    _, human = await cast.acting()
    window = await windows.open(live)
    await window.authorize(await cast.plain_client(redirect_uri=party.callback))
    for language in reversed(LANGUAGES):
        if language != "en":
            await window.page.click(f"nav a[hreflang={language}]")
            assert await window.page.get_attribute("html", "lang") == language
    await window.sign_in(human)
    assert await window.page.get_attribute("html", "lang") == "zh-Hant"
    assert await window.page.get_by_role("button", name="同意並繼續").count() == 1
    # A name in another language than the page's is marked with its own, for those who listen.
    assert await window.page.locator("dl [lang=en]").count() >= 1
    assert window.problems == []
