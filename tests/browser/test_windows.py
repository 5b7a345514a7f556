"""The back button, reloads, two windows: what people do, and no page is broken by."""

import pytest_asyncio

from tests.support.browsing import Party, Window, Windows
from tests.support.live_cast import Cast, Human, PlainClient
from tests.support.live_service import Live


@pytest_asyncio.fixture(loop_scope="session")
async def human(cast: Cast) -> Human:
    _, made = await cast.acting()
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def client(cast: Cast, party: Party) -> PlainClient:
    return await cast.plain_client(redirect_uri=party.callback)


async def test_a_reload_shows_the_same_step(
    window: Window, human: Human, client: PlainClient
) -> None:
    await window.authorize(client)
    for step in ("sign-in", "code", "consent"):
        await window.page.reload()
        assert await window.step() == step
        if step == "sign-in":
            await window.password(human)
        elif step == "code":
            await window.code(human)
    await window.submit("approve")
    assert "code" in window.answer


async def test_back_leads_to_what_comes_now_and_never_to_a_form_again(
    window: Window, human: Human, client: PlainClient
) -> None:
    await window.authorize(client)
    await window.password(human)
    await window.page.go_back()
    assert await window.step() in {"code", None}, "no password form of a step that is over"
    await window.authorize(client)
    await window.code(human)
    await window.submit("approve")
    landed = window.page.url
    await window.page.go_back()
    assert await window.title() == "This sign-in has ended"
    await window.page.go_forward()
    assert window.page.url == landed


async def test_two_windows_do_not_end_each_others_request(
    window: Window, windows: Windows, live: Live, human: Human, client: PlainClient
) -> None:
    other = await windows.another(live, window.context, window.problems)
    await window.authorize(client)
    await other.authorize(client)
    await window.sign_in(human)
    # The other window still shows the first page; what is typed there does no harm.
    await other.password(human, "of no use any more")
    assert await other.step() == "consent"
    await window.submit("approve")
    assert "code" in window.answer
    await other.page.reload()
    assert "code" in other.answer, "agreed to already, so nothing is left to ask"
    assert other.answer["code"] != window.answer["code"]


async def test_another_browser_cannot_go_on_with_a_sign_in(
    window: Window, windows: Windows, live: Live, human: Human, client: PlainClient
) -> None:
    await window.authorize(client)
    address = window.page.url
    stranger = await windows.open(live)
    await stranger.page.goto(address)
    assert await stranger.title() == "This sign-in has ended"


async def test_a_changed_mind_about_who_signs_in(
    window: Window, cast: Cast, human: Human, client: PlainClient
) -> None:
    _, somebody = await cast.acting()
    await window.authorize(client)
    await window.sign_in(human)
    await window.page.locator(".asides button").first.click()
    await window.page.wait_for_selector("#username")
    await window.sign_in(somebody)
    await window.submit("approve")
    assert "code" in window.answer
