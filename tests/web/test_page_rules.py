"""What holds for every page: headers, languages, accessibility, nothing from elsewhere."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from corpid.domain.languages import LANGUAGES
from corpid.web import translations
from corpid.web.rendering import STATIC_FOLDER, form_source
from corpid.web.translations import CATALOGUES
from tests.support.asking import account, asked, look
from tests.support.browser import REDIRECT, Browser, Page
from tests.support.pages_world import PASSWORD, PagesWorld
from tests.support.portal_world import every_portal_page

TEMPLATES = Path(translations.__file__).parent.parent / "templates"
WALLETS = ("openid-credential-offer://?", "haip-vci://?")


async def every_page(world: PagesWorld, language: str) -> AsyncIterator[tuple[str, Browser]]:
    browser = await world.browser(language).get(world.request())
    yield "sign-in", browser
    await browser.submit(username="lee", password="wrong")
    yield "sign-in with an error", browser
    await browser.submit(username="lee", password=PASSWORD)
    yield "code", browser
    await browser.submit(otp="1")
    yield "code with an error", browser
    await browser.submit(otp=world.otp())
    yield "organisation", browser
    await browser.submit(organisation="99999999")
    yield "organisation with an error", browser
    await browser.submit(organisation="34567890")
    yield "consent", browser
    await browser.get("/sign-out")
    yield "sign-out", browser
    await browser.submit(csrf=browser.page.form_with("csrf").fields["csrf"])
    yield "signed out", browser
    await browser.get("/interaction/unknown")
    yield "gone", browser
    await browser.get("/authorize?client_id=nobody")
    yield "error", browser
    await browser.get("/device")
    yield "device", browser
    await browser.submit(user_code="BCDF-GHJK")
    yield "device with an error", browser
    await browser.submit(user_code=await world.device_code())
    yield "confirm", browser
    await browser.submit(action="deny")
    yield "declined", browser
    await browser.get("/device/connected")
    yield "connected", browser
    await browser.get("/sign-in?to=device")
    yield "sign-in for our own pages", browser
    await asked(world)
    await account(world, browser)
    yield "requests", browser
    await look(browser)
    yield "consent of a request", browser
    await browser.submit(action="approve")
    yield "approved", browser
    await browser.get("/requests/refused")
    yield "refused", browser
    blocked = await world.browser(language).get(world.request())
    await blocked.submit(username="ho", password=PASSWORD)
    yield "too weak", blocked
    async for name, one in every_portal_page(world, language):
        yield name, one


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_guarded_and_in_the_language(world: PagesWorld, language: str) -> None:
    seen = 0
    async for name, browser in every_page(world, language):
        headers = browser.response.headers
        assert headers["cache-control"] == "no-store", name
        assert headers["x-frame-options"] == "DENY", name
        assert headers["x-content-type-options"] == "nosniff", name
        assert headers["referrer-policy"] == "no-referrer", name
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'"), name
        assert "unsafe" not in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "access-control-allow-origin" not in headers, name
        assert browser.page.language == language, name
        seen += 1
    assert seen == 38


async def test_every_page_is_accessible_in_form(world: PagesWorld) -> None:
    async for name, browser in every_page(world, "en"):
        page = browser.page
        assert len(page.ids) == len(set(page.ids)), name
        assert page.tags.count("h1") == 1, name
        assert page.tags.count("main") == 1, name
        assert page.links[0]["href"] == "#content", f"{name}: the skip link comes first"
        assert "<title>" in page.html, name
        for form in page.forms:
            assert form.method == "post", name
            for control in form.inputs:
                if control.get("type") != "hidden":
                    assert control["id"] in page.labels, name
        for described in re.findall(r'aria-(?:describedby|labelledby)="([^"]*)"', page.html):
            assert set(described.split()) <= set(page.ids), name
        for link in page.links:
            if link["href"].startswith("#"):
                assert link["href"][1:] in page.ids, name


async def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(world: PagesWorld) -> None:
    async for name, browser in every_page(world, "en"):
        page = browser.page
        assert not {"script", "img", "iframe", "style"} & set(page.tags), name
        assert " style=" not in page.html, name
        assert not re.search(r"\son[a-z]+=", page.html), name
        for address in re.findall(r'(?:href|src|action)="([^"]*)"', page.html):
            assert address.startswith(("/", "#", "https://rp.sample-bank.example/", *WALLETS)), name


async def test_wcag_1_3_5_fields_tell_their_purpose(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    purposes = {
        one["name"]: one.get("autocomplete")
        for one in browser.page.form_with("username").inputs
        if one.get("type") != "hidden"
    }
    assert purposes == {"username": "username", "password": "current-password"}
    await browser.submit(username="chan", password=PASSWORD)
    otp = next(one for one in browser.page.form_with("otp").inputs if one["name"] == "otp")
    assert (otp["autocomplete"], otp["inputmode"]) == ("one-time-code", "numeric")


async def test_a_page_with_an_error_says_so_first(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    await browser.submit(username="chan", password="wrong password")
    html = browser.page.html
    assert "<title>Error: Sign in" in html
    assert html.index('role="alert"') < html.index("<h1")
    assert 'aria-invalid="true"' in html


# Languages


async def test_ui_locales_go_before_the_browsers_language(world: PagesWorld) -> None:
    browser = await world.browser("en").get(world.request(ui_locales="fr zh-HK"))
    assert browser.page.language == "zh-Hant"


async def test_a_language_link_goes_before_all_and_comes_back(world: PagesWorld) -> None:
    browser = await world.browser("en").get(world.request(ui_locales="zh-HK"))
    address = browser.url
    link = next(one for one in browser.page.links if one.get("hreflang") == "zh-Hans")
    await browser.get(link["href"])
    assert browser.url == address
    assert browser.page.language == "zh-Hans"
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.page.language == "zh-Hans"


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/interaction/../x", "/sign-out?x", ""],
)
async def test_the_language_link_redirects_nowhere_else(world: PagesWorld, back: str) -> None:
    response = await world.browser().client.get("/language", params={"to": "en", "back": back})
    assert response.status_code == 303
    assert response.headers["location"] == "/sign-out"


async def test_an_unknown_language_changes_nothing(world: PagesWorld) -> None:
    response = await world.browser().client.get("/language", params={"to": "fr"})
    assert "set-cookie" not in response.headers


async def test_names_are_marked_with_their_language(world: PagesWorld) -> None:
    browser = await world.sign_in("lee")
    assert '<span lang="zh-Hant">樣本茶莊</span>' in browser.page.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_has_every_key_and_the_same_places(language: str) -> None:
    def places(text: str) -> list[str]:
        return sorted(set(re.findall(r"{([a-z]+)}", text)))

    english, other = CATALOGUES["en"], CATALOGUES[language]  # type: ignore[index]
    assert list(other) == list(english)
    assert {key: places(text) for key, text in other.items()} == {
        key: places(text) for key, text in english.items()
    }
    assert all(text.strip() for text in other.values())


def test_catalogues_name_no_key_twice() -> None:
    def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    for path in Path(translations.__file__).parent.glob("*.json"):
        json.loads(path.read_text("utf-8"), object_pairs_hook=unique)


def test_every_literal_key_of_the_templates_exists() -> None:
    for path in TEMPLATES.glob("*.html"):
        for key in re.findall(r"""\bt\(["']([a-z_.A-Z-]+)["'][,)]""", path.read_text("utf-8")):
            assert key in CATALOGUES["en"], f"{path.name}: {key}"


def test_traditional_and_simplified_texts_differ_where_the_scripts_do() -> None:
    simplified_only = set("录选择务业权验证码请输")
    for key, text in CATALOGUES["zh-Hant"].items():
        if key != "language.zh-Hans":
            assert not simplified_only & set(text), key


# Headers that depend on the client, and static files


async def test_forms_may_lead_to_the_client_and_nowhere_else(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    policy = browser.response.headers["content-security-policy"]
    assert "form-action 'self' https://rp.sample-bank.example;" in policy


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        (REDIRECT, "https://rp.sample-bank.example"),
        ("http://127.0.0.1:8000/cb", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/cb", "http:"),
        ("hk.example.app:/cb", "hk.example.app:"),
        ("https://a.example;script-src *", "https:"),
        ("nonsense", "'self'"),
    ],
)
def test_a_redirect_uri_cannot_write_the_policy(uri: str, source: str) -> None:
    assert form_source(uri) == source


async def test_the_style_sheet_is_cached(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    address = re.search(r'rel="stylesheet" href="([^"]+)"', browser.page.html)
    assert address is not None
    response = await browser.client.get(address[1])
    assert response.headers["cache-control"] == "public, max-age=86400"
    assert response.headers["content-type"].startswith("text/css")
    assert (await browser.client.get("/static/../pages.py")).status_code == 404


def test_colours_have_the_contrast_of_wcag_2_2_aa() -> None:
    css = (STATIC_FOLDER / "pages.css").read_text("utf-8")
    schemes = re.findall(r":root {([^}]*--paper[^}]*)}", css)
    assert len(schemes) == 2, "light and dark"
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", scheme))
        for ink, paper, least in (
            ("ink", "paper", 4.5),
            ("ink", "ground", 4.5),
            ("ink", "notice", 4.5),
            ("soft", "paper", 4.5),
            ("soft", "ground", 4.5),
            ("accent", "paper", 4.5),
            ("accent", "ground", 4.5),
            ("accent-ink", "accent", 4.5),
            ("wrong", "paper", 4.5),
            ("line", "paper", 3.0),
            ("focus", "paper", 3.0),
            ("focus", "ground", 3.0),
        ):
            assert contrast(colours[ink], colours[paper]) >= least, (ink, paper)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


async def test_forms_are_bounded_and_of_the_right_type(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    large = await browser.client.post(browser.url, data={"username": "x" * 20_000})
    assert large.status_code == 413
    odd = await browser.client.post(browser.url, json={"username": "x"})
    assert odd.status_code == 400
    twice = await browser.client.post(
        browser.url,
        content="username=a&username=b",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert twice.status_code == 400
    assert Page(twice.text).language == "en"
