"""/account: a person sees where they are signed in, and ends what they do not know or need."""

import pytest

from corpid.domain.person import Assurance
from corpid.services.browsers import browser_label
from tests.support.browser import Browser
from tests.support.pages_world import NOW, PASSWORD, PagesWorld

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


async def signed_in(world: PagesWorld, user_agent: str = FIREFOX, name: str = "chan") -> Browser:
    """A browser that has signed in to the page itself."""
    browser = world.browser()
    browser.client.headers["user-agent"] = user_agent
    await browser.get("/account")
    await browser.submit(username=name, password=PASSWORD)
    await browser.submit(otp=world.otp())
    world.wait(30)  # each code counts once
    return browser


async def test_a_person_signs_in_and_sees_this_browser(world: PagesWorld) -> None:
    browser = await signed_in(world)
    assert browser.url.endswith("/account")
    assert "Where you are signed in" in browser.page.text
    assert "Firefox, Windows" in browser.page.text
    assert "This browser" in browser.page.text
    assert "Not used for any service yet." in browser.page.text
    assert "NT 10.0" not in browser.page.text


async def test_other_browsers_are_seen_with_their_services_and_ended(world: PagesWorld) -> None:
    phone = world.browser()
    phone.client.headers["user-agent"] = IPHONE
    await phone.get(world.request())
    await phone.submit(username="chan", password=PASSWORD)
    await phone.submit(otp=world.otp())
    await phone.submit(action="approve")
    world.wait(30)
    browser = await signed_in(world)
    assert "Safari, iPhone" in browser.page.text
    assert "Used for Sample Harbour Bank." in browser.page.text
    form = browser.page.form_with("end")
    handles = [value for name, value in form.buttons if name == "end"]
    assert len(handles) == 3
    assert handles[-1] == "others"
    await browser.post("/account", {**form.fields, "end": handles[1]})
    assert "Safari, iPhone" not in browser.page.text
    await phone.get(world.request(prompt="none"))
    assert phone.answer["error"] == "login_required"


async def test_all_others_end_at_once_and_this_one_stays(world: PagesWorld) -> None:
    others = [await signed_in(world, IPHONE) for _ in range(2)]
    browser = await signed_in(world)
    await browser.submit(end="others")
    assert "iPhone" not in browser.page.text
    assert "This browser" in browser.page.text
    for other in others:
        await other.get("/account")
        assert other.page.form_with("username")
    events = await world.events("session.ended")
    assert sum(b'"reason":"account_page"' in event for event in events) == 2


async def test_this_browser_can_sign_itself_out(world: PagesWorld) -> None:
    browser = await signed_in(world)
    await browser.submit(end=browser.page.form_with("end").buttons[0][1])
    assert "You are signed out" in browser.page.text
    await browser.get("/account")
    assert browser.page.form_with("username")


async def test_a_colleagues_sessions_are_neither_seen_nor_ended(world: PagesWorld) -> None:
    lee = await signed_in(world, IPHONE, "lee")
    handle = lee.page.form_with("end").buttons[0][1]
    chan = await signed_in(world)
    assert "iPhone" not in chan.page.text
    await chan.post("/account", {**chan.page.form_with("end").fields, "end": handle})
    await lee.get("/account")
    assert "This browser" in lee.page.text


async def test_the_password_alone_ends_nobodys_session(world: PagesWorld) -> None:
    mine = await signed_in(world)
    handle = mine.page.form_with("end").buttons[0][1]
    thief = await world.browser().get("/account")
    await thief.submit(username="chan", password=PASSWORD)
    form = thief.page.form_with("otp")
    await thief.post("/account", {**form.fields, "step": "sessions", "end": handle})
    assert thief.page.form_with("otp")
    await mine.get("/account")
    assert "This browser" in mine.page.text


async def test_who_has_no_code_comes_in_by_password(world: PagesWorld) -> None:
    browser = await world.browser().get("/account")
    await browser.submit(username="ho", password=PASSWORD)
    assert "Where you are signed in" in browser.page.text


@pytest.mark.parametrize("csrf", ["", "x", "é"])
async def test_forms_need_the_token_of_their_page(world: PagesWorld, csrf: str) -> None:
    browser = await world.browser().get("/account")
    fields = {**browser.page.form_with("username").fields, "csrf": csrf}
    await browser.post("/account", {**fields, "username": "chan", "password": PASSWORD})
    assert browser.response.status_code == 403
    # Another browser's token signs nobody in here: a stranger must not make it theirs.
    other = await world.browser().get("/account")
    stolen = other.page.form_with("username").fields["csrf"]
    await browser.post("/account", {**fields, "csrf": stolen})
    assert browser.response.status_code == 403


async def test_wrong_credentials_and_too_many_tries(world: PagesWorld) -> None:
    browser = await world.browser().get("/account")
    await browser.submit(username="", password="")
    assert browser.response.status_code == 400
    for _ in range(12):
        await browser.submit(username="chan", password="wrong")
    assert browser.response.status_code == 429
    assert browser.response.headers["retry-after"]


async def test_a_session_that_is_not_used_ends_and_is_not_listed(world: PagesWorld) -> None:
    idle = await signed_in(world, IPHONE)
    world.wait(59 * 60)
    browser = await signed_in(world)
    world.wait(2 * 60)
    await browser.get("/account")
    assert "iPhone" not in browser.page.text
    await idle.get("/account")
    assert idle.page.form_with("username")


async def test_a_session_that_is_used_goes_on_to_its_end(world: PagesWorld) -> None:
    browser = await signed_in(world)
    while world.now < NOW + 7.5 * 3600:
        world.wait(50 * 60)
        await browser.get("/account")
        assert "This browser" in browser.page.text
    world.wait(59 * 60)
    await browser.get("/account")
    assert browser.page.form_with("username")


async def test_the_session_cookie_is_new_after_every_sign_in(world: PagesWorld) -> None:
    browser = await signed_in(world)
    before = dict(browser.client.cookies)
    await browser.get(world.request("kiosk", prompt="login"))
    await browser.submit(username="chan", password=PASSWORD)
    assert await world.assembly.sessions.current(before) is None
    assert await world.assembly.sessions.current(dict(browser.client.cookies)) is not None


@pytest.mark.parametrize("page", ["/account", "/sign-in?to=device", "/authorize"])
async def test_the_session_cookie_is_new_after_the_one_time_code_too(
    world: PagesWorld, page: str
) -> None:
    browser = await world.browser().get(world.request() if page == "/authorize" else page)
    await browser.submit(username="chan", password=PASSWORD)
    before = dict(browser.client.cookies)
    weak = await world.assembly.sessions.current(before)
    await browser.submit(otp=world.otp())
    assert await world.assembly.sessions.current(before) is None
    strong = await world.assembly.sessions.current(dict(browser.client.cookies))
    assert weak is not None
    assert strong is not None
    assert (strong.session_id, strong.began_at) == (weak.session_id, weak.began_at)
    assert strong.assurance is Assurance.LOA2


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_the_page_is_guarded_and_in_the_language(world: PagesWorld, language: str) -> None:
    browser = await signed_in(world)
    await browser.get(f"/language?to={language}&back=/account")
    assert browser.page.language == language
    assert browser.url.endswith("/account")
    headers = browser.response.headers
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script" not in browser.page.tags
    assert len(browser.page.ids) == len(set(browser.page.ids))


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (FIREFOX, "Firefox, Windows"),
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Linux"),
        ("curl/8.0", ""),
        ("", ""),
        ("<script>" + "x" * 100_000, ""),
    ],
)
def test_a_browser_is_told_roughly(user_agent: str, label: str) -> None:
    assert browser_label(user_agent) == label


async def test_requests_that_wait_are_one_link_away(world: PagesWorld) -> None:
    browser = await signed_in(world)
    (link,) = [one for one in browser.page.links if one.get("id") == "requests"]
    await browser.get(link["href"])
    assert "Requests to you" in browser.page.text


@pytest.mark.parametrize("page", ["/account", "/sign-in?to=device"])
async def test_an_own_sign_in_has_no_empty_rest_under_a_line(world: PagesWorld, page: str) -> None:
    browser = await world.browser().get(page)
    assert 'class="asides"' not in browser.page.html
    await browser.submit(username="chan", password=PASSWORD)
    assert 'class="asides"' in browser.page.html, "who is signed in may be another"
