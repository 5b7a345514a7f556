"""The pages of a device (RFC 8628 3.3, 5): a code is typed and confirmed, then comes a sign-in."""

import asyncio
from typing import Any

import pytest

from corpid.services.device_codes import FROM_A_NETWORK, DeviceCodes, SignInFirst, WrongUserCode
from corpid.services.sign_in import TooManyTries
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld


async def typed(world: PagesWorld, code: str, **sent: str) -> Browser:
    browser = await world.browser().get("/device")
    return await browser.submit(user_code=code, **sent)


async def agreed(world: PagesWorld, code: str) -> Browser:
    """A browser that went the whole way."""
    browser = await typed(world, code)
    await browser.submit(action="approve")
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    return await browser.submit(action="approve")


async def test_from_the_code_to_the_tokens(world: PagesWorld) -> None:
    told = await world.device()
    browser = await typed(world, told["user_code"])
    assert browser.page.form_with("action").fields["step"] == "confirm"
    await browser.submit(action="approve")
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    assert "Share with Sample Meeting Room Screen?" in browser.page.text
    assert (await world.poll(told["device_code"])).error == "authorization_pending"
    await browser.submit(action="approve")
    assert browser.url.endswith("/device/connected")
    assert "Go back to your device" in browser.page.text
    tokens = (await world.poll(told["device_code"])).json
    assert tokens["scope"] == "openid entity.identity user.name mandate"


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), str.swapcase])
async def test_rfc8628_6_1_a_code_may_be_typed_in_any_form(world: PagesWorld, change: Any) -> None:
    browser = await typed(world, change(await world.device_code()))
    assert browser.page.form_with("action").fields["step"] == "confirm"


async def test_rfc8628_3_3_1_a_code_in_the_address_is_filled_in_and_still_confirmed(
    world: PagesWorld,
) -> None:
    told = await world.device()
    path = told["verification_uri_complete"].removeprefix(told["verification_uri"])
    browser = await world.browser().get(f"/device{path}")
    assert browser.page.form_with("user_code").fields["user_code"] == told["user_code"]
    await browser.submit(user_code=told["user_code"])
    assert browser.page.form_with("action").fields["step"] == "confirm"


async def test_rfc8628_5_4_the_confirm_page_shows_code_client_and_what_will_be_told(
    world: PagesWorld,
) -> None:
    code = await world.device_code()
    text = (await typed(world, code)).page.text
    assert code in text
    assert "Sample Meeting Room Screen" in text
    assert "the business's registration number" in text
    assert "it is a fraud" in text


async def test_who_is_signed_in_is_asked_all_the_same(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.get("/device")
    await browser.submit(user_code=await world.device_code())
    await browser.submit(action="approve")
    assert browser.page.form_with("action").fields["step"] == "consent"


async def test_an_earlier_consent_does_not_answer_for_a_device(world: PagesWorld) -> None:
    await agreed(world, await world.device_code())
    world.wait(60)
    browser = await typed(world, await world.device_code())
    await browser.submit(action="approve")
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    assert browser.page.form_with("action").fields["step"] == "consent"


@pytest.mark.parametrize("where", ["confirm", "consent", "sign-in"])
async def test_a_refusal_is_access_denied_for_the_device(world: PagesWorld, where: str) -> None:
    told = await world.device()
    browser = await typed(world, told["user_code"])
    if where != "confirm":
        await browser.submit(action="approve")
    if where == "consent":
        await browser.submit(username="chan", password=PASSWORD)
        await browser.submit(otp=world.otp())
    await browser.submit(action="cancel" if where == "sign-in" else "deny")
    assert browser.url.endswith("/device/declined")
    assert (await world.poll(told["device_code"])).error == "access_denied"


async def test_the_chosen_business_is_acted_for(world: PagesWorld) -> None:
    told = await world.device()
    browser = await typed(world, told["user_code"])
    await browser.submit(action="approve")
    await browser.submit(username="lee", password=PASSWORD)
    await browser.submit(otp=world.otp())
    await browser.submit(organisation="23456789")
    assert "Sample Lantern Works" in browser.page.text
    await browser.submit(action="approve")
    assert (await world.poll(told["device_code"])).status == 200


async def test_a_code_that_was_answered_is_unknown(world: PagesWorld) -> None:
    code = await world.device_code()
    await agreed(world, code)
    browser = await typed(world, code)
    assert browser.response.status_code == 400
    assert "No device is waiting under this code" in browser.page.text


async def test_an_expired_code_is_unknown_and_its_pages_end(world: PagesWorld) -> None:
    told = await world.device()
    browser = await typed(world, told["user_code"])
    world.wait(601)
    await browser.submit(action="approve")
    assert browser.response.status_code == 410
    assert (await typed(world, told["user_code"])).response.status_code == 400


async def test_two_browsers_with_one_code_one_answer(world: PagesWorld) -> None:
    told = await world.device()
    first, second = await typed(world, told["user_code"]), await typed(world, told["user_code"])
    for browser in (first, second):
        await browser.submit(action="approve")
        await browser.submit(username="chan", password=PASSWORD)
        await browser.submit(otp=world.otp())
        world.wait(30)
    await asyncio.gather(first.submit(action="approve"), second.submit(action="deny"))
    answers = {first.url.rpartition("/")[2], second.url.rpartition("/")[2]}
    assert len(answers & {"connected", "declined"}) >= 1
    outcome = await world.poll(told["device_code"])
    assert outcome.status == 200 or outcome.error == "access_denied"


async def test_an_authority_that_ends_meanwhile_is_access_denied(world: PagesWorld) -> None:
    told = await world.device()
    browser = await typed(world, told["user_code"])
    await browser.submit(action="approve")
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    await world.end_director("chan", "12345678")
    await browser.submit(action="approve")
    assert (await world.poll(told["device_code"])).status == 400


async def test_anothers_browser_cannot_go_on_with_it(world: PagesWorld) -> None:
    browser = await typed(world, await world.device_code())
    other = await world.browser().get(browser.url)
    assert other.response.status_code == 410


async def test_a_form_from_elsewhere_is_refused(world: PagesWorld) -> None:
    code = await world.device_code()
    browser = await world.browser().get("/device")
    await browser.post("/device", {"user_code": code, "csrf": "guessed"})
    assert browser.response.status_code == 403
    stranger = await world.browser().post("/device", {"user_code": code})
    assert stranger.response.status_code == 403


async def test_no_code_and_an_impossible_one(world: PagesWorld) -> None:
    browser = await world.browser().get("/device")
    await browser.submit(user_code=" ")
    assert "Enter the code that the device shows" in browser.page.text
    await browser.submit(user_code="<script>" * 10)
    assert browser.response.status_code == 400
    assert "<script>" not in browser.page.html


# RFC 8628 5.1: guessing.


async def guess(browser: Browser, number: int) -> int:
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    code = "BCDFGH" + letters[number // 20] + letters[number % 20]
    await browser.submit(user_code=code)
    return browser.response.status_code


async def test_rfc8628_5_1_one_browser_is_slowed_down_and_told_for_how_long(
    world: PagesWorld,
) -> None:
    code = await world.device_code()
    browser = await world.browser().get("/device")
    assert [await guess(browser, number) for number in range(4)] == [400, 400, 400, 429]
    assert int(browser.response.headers["retry-after"]) >= 1
    await browser.submit(user_code=code)
    assert browser.response.status_code == 429, "the right one is not looked up either"
    world.wait(2)
    await browser.submit(user_code=code)
    assert browser.page.form_with("action").fields["step"] == "confirm"


async def many_wrong(world: PagesWorld) -> None:
    for number in range(FROM_A_NETWORK.burst):
        await guess(await world.browser().get("/device"), number)


async def test_a_network_with_many_wrong_codes_signs_in_first(world: PagesWorld) -> None:
    code = await world.device_code()
    await many_wrong(world)
    browser = await typed(world, code)
    assert browser.response.status_code == 429
    assert "Sign in first" in browser.page.text


async def test_nobody_is_shut_out_by_others_guesses(world: PagesWorld) -> None:
    told = await world.device()
    await many_wrong(world)
    browser = await typed(world, told["user_code"])
    link = next(one for one in browser.page.links if one.get("id") == "sign-in")
    await browser.get(link["href"])
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    assert browser.url.endswith("/device")
    await browser.submit(user_code=told["user_code"])
    await browser.submit(action="approve")
    await browser.submit(action="approve")
    assert (await world.poll(told["device_code"])).status == 200


async def test_who_is_signed_in_is_slowed_down_too(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.get("/device")
    assert [await guess(browser, number) for number in range(4)] == [400, 400, 400, 429]
    fresh = await world.browser().get("/device")
    assert await guess(fresh, 0) == 400, "others are not"


async def test_wrong_guesses_are_forgotten_after_a_while(world: PagesWorld) -> None:
    await many_wrong(world)
    world.wait(601)
    browser = await typed(world, await world.device_code())
    assert browser.page.form_with("action").fields["step"] == "confirm"


async def test_many_at_the_same_moment_get_no_more_tries(world: PagesWorld) -> None:
    browser = await world.browser().get("/device")
    form = browser.page.form_with("user_code")
    answers = await asyncio.gather(
        *(
            browser.client.post("/device", data={**form.fields, "user_code": "BCDF-GHJK"})
            for _ in range(20)
        )
    )
    assert sum(one.status_code == 400 for one in answers) == 3


async def test_guesses_are_counted_for_all_processes(world: PagesWorld) -> None:
    base = world.service.foundation
    processes = [DeviceCodes(base.store, base.hasher, base.clock) for _ in range(4)]

    async def tries(browser: str, number: int) -> type[Exception]:
        with pytest.raises((WrongUserCode, TooManyTries, SignInFirst)) as raised:
            await processes[number % len(processes)].enter(
                "BCDF-GHJK", session=None, browser=browser, address=None
            )
        return raised.type

    one = [await tries("one", number) for number in range(4)]
    assert one == [WrongUserCode] * 3 + [TooManyTries]
    others = [await tries(f"other-{n}", n) for n in range(FROM_A_NETWORK.burst - 3)]
    assert set(others) == {WrongUserCode}
    assert await tries("last", 0) is SignInFirst


async def test_a_right_code_takes_its_try_back(world: PagesWorld) -> None:
    for _ in range(FROM_A_NETWORK.burst + 2):
        browser = await typed(world, await world.device_code())
        assert browser.page.form_with("action").fields["step"] == "confirm"


# Signing in for our own pages.


async def test_signing_in_for_our_own_pages_leads_to_them_and_nowhere_else(
    world: PagesWorld,
) -> None:
    browser = await world.browser().get("/sign-in?to=device")
    await browser.submit(username="chan", password="wrong")
    assert browser.response.status_code == 400
    await browser.submit(username="", password="")
    assert "Enter your username" in browser.page.text
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp="")
    assert "Enter the one-time code" in browser.page.text
    await browser.submit(otp="000000")
    assert browser.response.status_code == 400
    await browser.submit(otp=world.otp())
    assert browser.url.endswith("/device")
    again = await browser.get("/sign-in?to=device")
    assert again.url.endswith("/device"), "signed in already"


@pytest.mark.parametrize("to", ["", "https://evil.example", "//evil.example", "elsewhere"])
async def test_the_own_sign_in_is_no_open_redirector(world: PagesWorld, to: str) -> None:
    response = await world.browser().client.get("/sign-in", params={"to": to})
    assert response.status_code == 404


async def test_the_own_sign_in_refuses_foreign_forms(world: PagesWorld) -> None:
    browser = world.browser()
    form = {"username": "chan", "password": PASSWORD, "step": "sign-in"}
    await browser.post("/sign-in?to=device", form)
    assert browser.response.status_code == 403


async def test_the_own_sign_in_slows_guessing_down(world: PagesWorld) -> None:
    browser = await world.browser().get("/sign-in?to=device")
    for _ in range(4):
        await browser.submit(username="chan", password="wrong")
    assert browser.response.status_code == 429
    assert browser.response.headers["retry-after"]


async def test_who_has_no_codes_is_signed_in_by_the_password(world: PagesWorld) -> None:
    browser = await world.browser().get("/sign-in?to=device")
    await browser.submit(username="ho", password=PASSWORD)
    assert browser.url.endswith("/device")
