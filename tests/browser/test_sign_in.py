"""From a relying party's link through every page and back to it, in a real browser."""

import time

import pytest

from tests.support.browsing import Party, Windows
from tests.support.fapi_client import new_verifier
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import plain_token, redemption
from tests.support.wallet import unverified_payload

SECONDS = 15.0
"""The whole way, with a machine that is busy with other tests."""


@pytest.mark.parametrize(
    ("live", "scripts"),
    [("sqlite-root", False), ("postgresql-path", True)],
    indirect=["live"],
    ids=["no scripts", "scripts"],
)
async def test_password_code_business_consent_and_back(
    windows: Windows, live: Live, cast: Cast, party: Party, scripts: bool
) -> None:
    began = time.monotonic()
    _, human = await cast.acting()
    other = await cast.organisation()
    await cast.mandate(other, human, "open_account", "sign_contract")
    client = await cast.plain_client(redirect_uri=party.callback)
    window = await windows.open(live, java_script_enabled=scripts)
    verifier = new_verifier()
    await window.authorize(client, verifier)
    assert await window.step() == "sign-in"
    await window.password(human)
    assert await window.step() == "code"
    await window.code(human)
    assert await window.step() == "organisation"
    await window.page.check(f"input[value='{other.number}']")
    await window.submit()
    assert await window.step() == "consent"
    assert other.number in await window.page.inner_text("main")
    assert "open an account" in await window.page.inner_text("main")
    await window.submit("approve")
    assert window.page.url.startswith(party.callback)
    assert await window.title() == "Welcome back"
    assert window.answer["iss"] == live.issuer
    assert window.problems == []
    assert time.monotonic() - began < SECONDS

    http = Http(live.port)
    try:
        fields = redemption(client, window.answer["code"], verifier)
        tokens = (await plain_token(http, live.path, client, fields)).expect(200).json
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        told = (await http.get(f"{live.path}/userinfo", bearer)).expect(200).json
    finally:
        await http.close()
    assert told["sub_attributes"]["entity_reg_number"] == other.number
    assert unverified_payload(tokens["id_token"])["amr"] == ["pwd", "otp"]


async def test_with_the_keyboard_alone(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    _, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    client = await cast.plain_client(redirect_uri=party.callback, min_acr="loa1")
    window = await windows.open(live)
    keyboard = window.page.keyboard
    await window.authorize(client)
    await window.has_focus("input#username")
    await keyboard.type(human.username)
    await keyboard.press("Tab")
    await keyboard.type(human.password)
    await keyboard.press("Enter")
    await window.page.wait_for_selector("input[type=radio]")

    await keyboard.press("Tab")
    assert await window.focused() == "a.skip", "the way past the header comes first"
    box = await window.page.locator(".skip").bounding_box()
    assert box is not None
    assert box["y"] >= 0, "and is seen when it has the focus"
    await keyboard.press("Enter")
    assert await window.focused() == "main#content"
    await keyboard.press("Tab")
    assert await window.focused() == "input#organisation"
    await keyboard.press("ArrowDown")
    assert await window.page.is_checked("#organisation-2")
    await keyboard.press("Enter")
    await window.page.wait_for_selector("button[value=approve]")

    for _ in range(12):
        await keyboard.press("Tab")
        if await window.focused() == "button[approve]":
            break
    assert await window.focused() == "button[approve]"
    await keyboard.press("Enter")
    await window.page.wait_for_url(f"{party.callback}**")
    assert "code" in window.answer
    assert window.problems == []


async def test_a_refusal_goes_back_to_the_relying_party(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    _, human = await cast.acting()
    client = await cast.plain_client(redirect_uri=party.callback)
    window = await windows.open(live)
    await window.authorize(client)
    await window.sign_in(human)
    await window.submit("deny")
    assert window.page.url.startswith(party.callback)
    assert window.answer["error"] == "access_denied"
    await window.authorize(client)
    await window.submit("deny")
    # From the page of a step, by its link at the end.
    other = await windows.open(live)
    await other.authorize(client)
    await other.submit("cancel")
    assert other.answer["error"] == "access_denied"
    assert window.problems == other.problems == []


async def test_who_is_signed_in_is_not_asked_again_until_signed_out(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    _, human = await cast.acting()
    client = await cast.plain_client(redirect_uri=party.callback)
    window = await windows.open(live)
    await window.authorize(client)
    await window.sign_in(human)
    await window.submit("approve")
    await window.authorize(client, prompt="none")
    assert "code" in window.answer
    await window.page.goto(f"{live.issuer}/sign-out")
    assert await window.title() == "Sign out"
    await window.submit()
    assert await window.title() == "You are signed out"
    await window.authorize(client, prompt="none")
    assert window.answer["error"] == "login_required"
    assert window.problems == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_form_post_in_a_browser(
    windows: Windows, live: Live, cast: Cast, party: Party, scripts: bool
) -> None:
    """The answer is a form that posts itself, or by its button where scripts are off."""
    _, human = await cast.acting()
    client = await cast.plain_client(redirect_uri=party.callback)
    window = await windows.open(live, java_script_enabled=scripts)
    await window.authorize(client, response_mode="form_post")
    await window.sign_in(human)
    await window.submit("approve")
    if not scripts:
        await window.page.locator("form button").first.click()
    await window.page.wait_for_url(party.callback)
    assert await window.title() == "Welcome back"
    assert "/callback" in party.asked, "without a code in the address"
    assert window.problems == []
