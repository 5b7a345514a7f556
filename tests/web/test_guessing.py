"""Wrong names, passwords and codes: what is said, and how guessing is slowed down."""

import asyncio

import pytest

from corpid.services.guessing import UNKNOWN_BROWSERS
from corpid.services.sign_in import TooManyTries, WrongCredentials
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld


async def begin(world: PagesWorld) -> Browser:
    return await world.browser().get(world.request())


async def test_wrong_password_and_unknown_name_are_answered_alike(world: PagesWorld) -> None:
    known, unknown = await begin(world), await begin(world)
    await known.submit(username="chan", password="wrong password")
    await unknown.submit(username="chen", password="wrong password")
    assert known.response.status_code == unknown.response.status_code == 400
    for browser in (known, unknown):
        assert "The username or the password is not right" in browser.page.text
    assert known.page.text == unknown.page.text


async def test_wrong_input_keeps_the_name_and_never_the_password(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="chan", password="wrong password")
    assert browser.page.form_with("username").fields["username"] == "chan"
    assert "wrong password" not in browser.page.html
    assert browser.page.form_with("password").fields["password"] == ""


async def test_what_was_typed_is_escaped(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username='"><script>alert(1)</script>', password="x")
    assert "<script" not in browser.page.html
    assert browser.page.form_with("username").fields["username"].startswith('"><script>')


async def test_missing_fields_are_named(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="", password="")
    links = {link["href"] for link in browser.page.links}
    assert {"#username", "#password"} <= links
    assert {"username", "password"} <= set(browser.page.ids)


async def test_after_a_few_failures_each_try_costs_a_longer_wait(world: PagesWorld) -> None:
    browser = await begin(world)
    for _ in range(3):
        await browser.submit(username="chan", password="wrong password")
        assert browser.response.status_code == 400
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.response.status_code == 429
    assert browser.response.headers["retry-after"] == "1"
    world.wait(1)
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.page.form_with("otp")


async def test_an_unknown_name_is_slowed_down_as_well(world: PagesWorld) -> None:
    browser = await begin(world)
    for _ in range(3):
        await browser.submit(username="chen", password="wrong password")
    await browser.submit(username="chen", password="wrong password")
    assert browser.response.status_code == 429


async def test_a_success_forgives_the_failures(world: PagesWorld) -> None:
    sign_in = world.assembly.sign_in
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(WrongCredentials):
                await sign_in.with_password("chan", "wrong password", None)
        await sign_in.with_password("chan", PASSWORD, None)


async def test_many_tries_at_once_are_no_more_tries(world: PagesWorld) -> None:
    tries = [world.assembly.sign_in.with_password("chan", f"guess {n}", None) for n in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, WrongCredentials) for one in outcomes) == 3
    assert sum(isinstance(one, TooManyTries) for one in outcomes) == 17


async def test_failures_are_in_the_audit_trail_without_what_was_typed(world: PagesWorld) -> None:
    with pytest.raises(WrongCredentials):
        await world.assembly.sign_in.with_password("chan", "wrong password", None)
    with pytest.raises(WrongCredentials):
        await world.assembly.sign_in.with_password("my secret typed as name", "x", None)
    rows = await world.events("sign_in.failed")
    # One row: what strangers type as a name could fill the table, and may be a password.
    assert len(rows) == 1
    assert b"per-chan" in rows[0]
    assert b"wrong password" not in rows[0]


async def test_rfc6238_5_2_a_code_counts_once(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    again = await begin(world)
    await again.submit(username="chan", password=PASSWORD)
    await again.submit(otp=world.otp())
    assert again.response.status_code == 400
    assert "it was used before" in again.page.text
    world.wait(30)
    await again.submit(otp=world.otp())
    assert again.page.form_with("action")


async def test_the_same_code_twice_at_once_counts_once(world: PagesWorld) -> None:
    sign_in = world.assembly.sign_in
    first, _ = await sign_in.with_password("chan", PASSWORD, None)
    second, _ = await sign_in.with_password("chan", PASSWORD, None)
    outcomes = await asyncio.gather(
        sign_in.with_code(first, world.otp()),
        sign_in.with_code(second, world.otp()),
        return_exceptions=True,
    )
    assert sum(isinstance(one, WrongCredentials) for one in outcomes) == 1


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_codes_of_the_neighbouring_steps_are_accepted(
    world: PagesWorld, steps: int, accepted: bool
) -> None:
    browser = await begin(world)
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp(steps))
    assert (browser.response.status_code == 200) is accepted


async def test_a_code_may_be_typed_with_a_blank(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="Chan ", password=PASSWORD)
    code = world.otp()
    await browser.submit(otp=f"{code[:3]} {code[3:]}")
    assert browser.page.form_with("action")


async def test_guessing_codes_is_slowed_down(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="chan", password=PASSWORD)
    for _ in range(3):
        await browser.submit(otp="000000")
        assert browser.response.status_code == 400
    await browser.submit(otp=world.otp())
    assert browser.response.status_code == 429


async def known_to(world: PagesWorld) -> Browser:
    """A browser in which Chan has signed in and out again."""
    browser = await world.sign_in("chan")
    await browser.get("/sign-out")
    await browser.submit(csrf=browser.page.form_with("csrf").fields["csrf"])
    world.wait(60)
    return browser


async def guess_until_stopped(world: PagesWorld) -> None:
    for _ in range(UNKNOWN_BROWSERS.stopped_at):
        with pytest.raises(WrongCredentials):
            await world.assembly.sign_in.with_password("chan", "wrong password", None)
        world.wait(UNKNOWN_BROWSERS.longest_seconds)


async def test_a_browser_is_remembered_when_all_means_were_used(world: PagesWorld) -> None:
    browser = await begin(world)
    await browser.submit(username="chan", password=PASSWORD)
    assert "__Host-corpid-browser" not in browser.client.cookies
    await browser.submit(otp=world.otp())
    assert "__Host-corpid-browser" in browser.client.cookies
    weak = await world.browser().get(world.request("kiosk"))
    await weak.submit(username="ho", password=PASSWORD)
    assert "__Host-corpid-browser" in weak.client.cookies


async def test_whoever_guesses_elsewhere_does_not_shut_the_person_out(world: PagesWorld) -> None:
    own = await known_to(world)
    await guess_until_stopped(world)
    elsewhere = await begin(world)
    await elsewhere.submit(username="chan", password=PASSWORD)
    assert elsewhere.response.status_code == 429
    assert int(elsewhere.response.headers["retry-after"]) > 22 * 3600
    assert "use that browser" in elsewhere.page.text
    await own.get(world.request())
    await own.submit(username="chan", password=PASSWORD)
    await own.submit(otp=world.otp())
    assert own.page.form_with("action")
    # Nor does the person's success give the guesser new tries.
    again = await begin(world)
    await again.submit(username="chan", password="wrong password")
    assert again.response.status_code == 429


async def test_when_guessing_is_stopped_the_audit_trail_says_so_once(world: PagesWorld) -> None:
    await guess_until_stopped(world)
    assert len(await world.events("sign_in.stopped")) == 1


async def test_too_many_at_once_are_asked_to_wait(world: PagesWorld) -> None:
    browser = await begin(world)
    world.assembly.passwords._room = 0  # every thread and every place in the queue is taken
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.response.status_code == 503
    assert browser.response.headers["retry-after"] == "2"
