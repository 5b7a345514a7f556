"""What cannot be undone needs a sign-in of a short while ago; what was typed before it is kept."""

from pathlib import Path

import pytest

from corpid.domain.credential import CredentialState
from corpid.domain.languages import LANGUAGES
from corpid.services.sessions import RECENT
from corpid.web.drafts import Drafts
from corpid.web.translations import CATALOGUES
from keys import base64url
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld, pages_world, populate
from tests.support.portal_world import at_credentials, held, state

ACCEPTED, REVOKED = CredentialState.ACCEPTED, CredentialState.REVOKED
SUSPENDED = CredentialState.SUSPENDED
PLACE = "handle/c1/revoke"


async def again(world: PagesWorld, browser: Browser, username: str = "chan") -> Browser:
    """Signed in once more, by all means."""
    assert browser.page.form_with("password")
    await browser.submit(username=username, password=PASSWORD)
    return await browser.submit(otp=world.otp())


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_signed_in_long_ago_signs_in_again_and_comes_back(
    world: PagesWorld, language: str
) -> None:
    await held(world, "c1")
    browser = await at_credentials(world, language=language)
    page = f"{browser.url}/c1/revoke"
    world.wait(RECENT - 1)
    assert (await browser.get(page)).url == page
    world.wait(1)
    await browser.get(page)
    asked = CATALOGUES[language]["sign_in.stale"].format(client=CATALOGUES[language]["product"])
    assert asked in browser.page.text
    await again(world, browser)
    assert browser.url == page
    await browser.submit(reason="", action="revoke")
    assert await state(world, "c1") is REVOKED


async def test_how_long_ago_that_is_the_operator_says(
    tmp_path: Path, database_template: Path
) -> None:
    async with pages_world(tmp_path, database_template, step_up_max_age=60) as world:
        await populate(world)
        await held(world, "c1")
        browser = await at_credentials(world)
        world.wait(60)
        await browser.get(f"{browser.url}/c1/revoke")
        assert "/sign-in?" in browser.url


async def test_what_was_typed_is_there_after_signing_in_again(world: PagesWorld) -> None:
    await held(world, "c1")
    await held(world, "c2", grant_id="grant-c1")
    browser = await at_credentials(world)
    page = f"{browser.url}/c1/revoke"
    await browser.get(page)
    world.wait(RECENT)
    await browser.submit(reason="Telephone stolen, 電話被盜", reach="wallet", action="revoke")
    assert "電話" not in browser.url
    assert await state(world, "c1") is ACCEPTED, "nothing is done before"
    await again(world, browser)
    assert browser.url == page
    fields = browser.page.form_with("reason").fields
    assert (fields["reason"], fields["reach"]) == ("Telephone stolen, 電話被盜", "wallet")
    assert await state(world, "c1") is ACCEPTED, "nor by signing in"
    await browser.submit(action="revoke")
    assert [await state(world, name) for name in ("c1", "c2")] == [REVOKED] * 2
    assert "Telephone stolen" in browser.page.text
    assert "draft" not in str(browser.client.cookies), "kept no longer than it is needed"


async def test_stopping_something_is_never_delayed_and_resuming_is(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    page = f"{browser.url}/c1"
    world.wait(2 * RECENT)
    await browser.get(f"{page}/suspend")
    await browser.submit(reason="Mislaid", action="suspend")
    assert await state(world, "c1") is SUSPENDED
    await browser.get(f"{page}/resume")
    await again(world, browser)
    assert browser.url == f"{page}/resume"
    await browser.submit(action="resume")
    assert await state(world, "c1") is ACCEPTED
    world.wait(2 * RECENT)
    await browser.get("/account")
    await browser.submit(end=browser.page.form_with("end").buttons[0][1])
    assert browser.url.endswith("/sign-out"), "their own sign-in is ended as before"


async def test_the_password_alone_is_not_enough(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    page = f"{browser.url}/c1/revoke"
    world.wait(RECENT)
    await browser.get(page)
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.page.form_with("otp")
    await browser.get(page)
    assert "/sign-in?" in browser.url
    assert await state(world, "c1") is ACCEPTED


async def test_somebody_else_who_signs_in_there_sees_nothing(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    world.wait(RECENT)
    await browser.get(f"{browser.url}/c1/revoke")
    await again(world, browser, "nobody")
    assert browser.response.status_code == 404


async def test_the_choice_of_language_keeps_the_place(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    world.wait(RECENT)
    await browser.get(f"{browser.url}/c1/revoke")
    address = browser.url
    await browser.get(next(one for one in browser.page.links if one.get("lang"))["href"])
    assert browser.url == address


@pytest.mark.parametrize(
    "at", ["", "//evil.example", "a/b/c/d", "../x/revoke", "a/b/revoke?x", "a/b/https:", "a/b"]
)
async def test_one_comes_back_to_pages_of_ours_only(world: PagesWorld, at: str) -> None:
    browser = await world.browser().get(f"/sign-in?to=act&at={at}")
    assert browser.response.status_code == 404


def test_a_draft_is_for_its_place_and_anything_else_is_none() -> None:
    from corpid.services.sessions import CookieRules

    drafts = Drafts(CookieRules(https=True))
    header = drafts.keep(PLACE, {"reason": "Sample"})
    name, _, value = header.partition(";")[0].partition("=")
    assert name == "__Host-corpid-draft"
    assert "HttpOnly; SameSite=Lax; Secure; Max-Age=900" in header
    assert drafts.of({name: value}, PLACE) == {"reason": "Sample"}
    assert drafts.of({name: value}, "handle/c2/revoke") is None
    odd = [b"", b"{}", b"[1]", b'["handle/c1/revoke", 1]', b"\xff", b'["handle/c1/revoke"]']
    for bad in ("", "!", "A" * 2001, *(base64url.encode(one) for one in odd)):
        assert drafts.of({name: bad}, PLACE) is None
    assert drafts.of({}, PLACE) is None
    kept = base64url.encode(b'["handle/c1/revoke", {"reason": 1, "reach": "wallet"}]')
    assert drafts.of({name: kept}, PLACE) == {"reach": "wallet"}
