"""Interactions belong to one browser and end once; sessions begin, strengthen and end."""

from corpid.domain.person import Assurance
from corpid.services.sessions import COOKIE_VALUE
from tests.support.pages_world import NOW, PASSWORD, PagesWorld

# Whoever finishes is whoever began


async def test_an_interaction_belongs_to_the_browser_that_began_it(world: PagesWorld) -> None:
    victim = await world.browser().get(world.request())
    thief = world.browser()
    await thief.get(victim.url)
    assert thief.response.status_code == 410
    await thief.get(world.request())  # has a binding of its own now
    await thief.get(victim.url)
    assert thief.response.status_code == 410


async def test_an_interaction_is_finished_once(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    url, form = browser.url, browser.page.form_with("action")
    await browser.submit(action="approve")
    await browser.post(url, {**form.fields, "action": "approve"})
    assert browser.response.status_code == 410


async def test_an_interaction_expires(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    world.wait(601)
    await browser.get(browser.url)
    assert browser.response.status_code == 410


async def test_a_form_without_the_token_of_its_page_is_refused(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    form = browser.page.form_with("username").fields
    other = await world.browser().get(world.request())
    stolen = other.page.form_with("username").fields["csrf"]
    for csrf in ("", stolen):
        fields = {**form, "csrf": csrf, "username": "chan", "password": PASSWORD}
        await browser.post(browser.url, fields)
        assert browser.response.status_code == 403


async def test_a_disabled_client_has_no_pages(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await world.write(lambda uow: uow.clients.disable("shop", NOW * 1000))
    await browser.submit(action="approve")
    assert browser.response.status_code == 410


async def test_two_windows_do_not_end_each_other(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request(state="one"))
    first = browser.url
    await browser.get(world.request(state="two"))
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    await browser.submit(action="approve")
    assert browser.answer["state"] == "two"
    await browser.get(first)
    assert browser.answer["state"] == "one"


async def test_a_form_of_a_step_that_is_over_shows_the_present_one(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    form = browser.page.form_with("username").fields
    await browser.submit(username="chan", password=PASSWORD)
    await browser.post(browser.url, {**form, "username": "lee", "password": PASSWORD})
    assert browser.page.form_with("otp")


# Sessions


async def test_the_session_cookie_is_host_bound_and_kept_as_a_hash_only(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request())
    form = browser.page.form_with("username").fields
    response = await browser.client.post(
        browser.url, data={**form, "username": "chan", "password": PASSWORD}
    )
    name, _, rest = response.headers["set-cookie"].partition("=")
    value, *attributes = rest.split("; ")
    assert name == "__Host-corpid-session"
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert COOKIE_VALUE.fullmatch(value)
    session = await world.assembly.sessions.current({name: value})
    assert session is not None
    assert session.assurance is Assurance.LOA1
    assert value.encode() not in session.session_hash
    assert session.session_id != value


async def test_signing_in_again_ends_the_session_before(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    before = dict(browser.client.cookies)
    await browser.get(world.request(prompt="login"))
    await browser.submit(username="lee", password=PASSWORD)
    assert await world.assembly.sessions.current(before) is None


async def test_sign_out_ends_the_session(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    cookies = dict(browser.client.cookies)
    await browser.get("/sign-out")
    assert "Chan Sample" in browser.page.text
    await browser.submit(csrf=browser.page.form_with("csrf").fields["csrf"])
    assert "You are signed out" in browser.page.text
    assert await world.assembly.sessions.current(cookies) is None
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "login_required"


async def test_sign_out_needs_the_token_of_its_page(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.post("/sign-out", {"csrf": "x"})
    assert browser.response.status_code == 403


async def test_not_you_signs_out_and_stays_in_the_interaction(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(interaction=browser.page.form_with("interaction").fields["interaction"])
    await browser.submit(username="lee", password=PASSWORD)
    world.wait(30)
    await browser.submit(otp=world.otp())
    assert browser.page.form_with("organisation")


async def test_a_session_ends_after_its_lifetime(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    world.wait(8 * 3600)
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "login_required"


async def test_a_closed_account_is_not_signed_in_any_more(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await world.write(lambda uow: uow.people.close("per-chan", NOW * 1000))
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "login_required"


# What strangers can do without signing in


async def test_what_a_stranger_begins_and_gives_up_is_no_evidence(world: PagesWorld) -> None:
    """The audit trail is kept for good: nobody but people who signed in writes into it."""
    for path in (world.request(), world.request(prompt="login")):
        browser = await world.browser().get(path)
        await browser.submit(action="cancel")
        assert browser.answer["error"] == "access_denied"
    device = await world.browser().get("/device")
    await device.submit(user_code=await world.device_code())
    await device.submit(action="deny")
    assert device.url.endswith("/device/declined")
    assert not await world.events("authorization.refused")


async def test_the_no_of_whoever_is_signed_in_is_evidence(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="deny")
    (row,) = await world.events("authorization.refused")
    assert b"per-chan" in row
    assert b"shop" in row


async def test_two_cookies_of_one_name_are_read_the_same_everywhere(world: PagesWorld) -> None:
    """Or a page would be about another session than the answer that it leads to."""
    mine, other = await world.sign_in("chan"), await world.browser().get(world.request())
    await mine.submit(action="approve")
    world.wait(30)
    await other.submit(username="lee", password=PASSWORD)
    await other.submit(otp=world.otp())
    name = "__Host-corpid-session"
    both = "; ".join(f"{name}={one.client.cookies[name]}" for one in (mine, other))
    stranger = world.browser()
    account = await stranger.client.get("/account", headers={"cookie": both})
    silent = await stranger.client.get(world.request(prompt="none"), headers={"cookie": both})
    assert "Chan Sample" in account.text
    assert "code=" in silent.headers["location"]
