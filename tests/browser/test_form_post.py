"""Form Post Response Mode in a browser: by itself where scripts run, by a button where not."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from corpid.domain.languages import LANGUAGES
from tests.browser.test_accessibility import RULES
from tests.support.browsing import Party, Windows
from tests.support.live_cast import Cast
from tests.support.live_service import Live


@pytest.mark.parametrize("mode", ["form_post", "form_post.jwt"])
async def test_the_answer_is_posted_by_itself(
    windows: Windows, live: Live, cast: Cast, party: Party, mode: str
) -> None:
    _, human = await cast.acting()
    window = await windows.open(live)
    client = await cast.plain_client(redirect_uri=party.callback)
    await window.authorize(client, response_mode=mode)
    await window.sign_in(human)
    party.posted.clear()
    await window.submit("approve")
    await window.page.wait_for_url(party.callback)
    (fields,) = party.posted
    assert fields.keys() == ({"code", "state", "iss"} if mode == "form_post" else {"response"})
    assert await window.title() == "Welcome back"
    await window.page.goto("about:blank")
    await window.authorize(client, response_mode=mode)
    await window.page.wait_for_url(party.callback)
    assert len(party.posted) == 2, "at once, where no page of ours is needed"
    assert window.problems == []


async def test_without_scripts_there_is_a_button(
    windows: Windows, live: Live, cast: Cast, party: Party
) -> None:
    window = await windows.open(live, java_script_enabled=False)
    client = await cast.plain_client(redirect_uri=party.callback)
    party.posted.clear()
    await window.authorize(client, response_mode="form_post", prompt="none")
    assert await window.title() == "Going back to the service"
    assert party.posted == []
    await window.page.get_by_role("button", name="Continue").click()
    await window.page.wait_for_url(party.callback)
    (fields,) = party.posted
    assert fields["error"] == "login_required"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_wcag_the_page_while_it_waits(
    windows: Windows, live: Live, cast: Cast, party: Party, language: str
) -> None:
    looks: dict[str, Any] = {"locale": language, "viewport": {"width": 320, "height": 640}}
    window = await windows.open(live, **looks)
    await window.page.add_init_script("HTMLFormElement.prototype.submit = () => {}")
    client = await cast.plain_client(redirect_uri=party.callback)
    request = {"response_mode": "form_post", "prompt": "none", "ui_locales": language}
    await window.authorize(client, **request)
    found = await Axe().run(window.page, options=RULES)
    assert found.response["violations"] == []
    assert await window.page.locator("html").get_attribute("lang") == language
