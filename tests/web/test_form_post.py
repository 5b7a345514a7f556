"""The page of Form Post Response Mode: posts by itself, or by its button; nothing else may run."""

import base64
import hashlib
import re

import pytest

from corpid.domain.languages import LANGUAGES
from corpid.web.rendering import Renderer
from tests.support.browser import ISSUER, REDIRECT, Browser, Page
from tests.support.pages_world import PagesWorld


async def _consented(world: PagesWorld, **changes: str) -> Browser:
    browser = await world.sign_in(**changes)
    seen = browser.page.form_with("seen").fields
    return await browser.submit(**{**seen, "action": "approve"})


def _guarded(browser: Browser) -> Page:
    response = browser.response
    assert response.status_code == 200
    headers = response.headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    return Page(response.text)


async def test_form_post_2_after_consent_the_answer_is_a_form(world: PagesWorld) -> None:
    browser = await _consented(world, response_mode="form_post")
    (form,) = _guarded(browser).forms
    assert (form.action, form.method) == (REDIRECT, "post")
    assert form.fields.keys() == {"code", "state", "iss"}
    assert form.buttons == [("", "")], "a button without a name adds nothing to the answer"


async def test_form_post_2_at_once_where_no_page_is_needed(world: PagesWorld) -> None:
    browser = await _consented(world, response_mode="form_post")
    await browser.get(world.request(response_mode="form_post", prompt="none"))
    (form,) = _guarded(browser).forms
    assert form.fields["state"] == "af0ifjsldkj"


async def test_form_post_2_a_refusal_is_posted_too(world: PagesWorld) -> None:
    browser = await world.sign_in(response_mode="form_post")
    seen = browser.page.form_with("seen").fields
    await browser.submit(**{**seen, "action": "deny"})
    (form,) = _guarded(browser).forms
    assert form.fields["error"] == "access_denied"


async def test_jarm_form_post_jwt_has_one_field(world: PagesWorld) -> None:
    browser = await _consented(world, response_mode="form_post.jwt")
    (form,) = _guarded(browser).forms
    assert form.fields.keys() == {"response"}


async def test_jarm_after_the_pages_the_query_has_one_parameter(world: PagesWorld) -> None:
    browser = await _consented(world, response_mode="jwt")
    assert browser.answer.keys() == {"response"}


async def test_only_our_one_script_may_run_and_only_to_https(world: PagesWorld) -> None:
    browser = await _consented(world, response_mode="form_post")
    policy = browser.response.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", browser.response.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'self'; script-src 'sha256-{digest}'; img-src 'self'; "
        "base-uri 'none'; form-action https:; frame-ancestors 'none'"
    )


async def test_the_policy_names_a_loopback_target_by_its_origin() -> None:
    page = Renderer(ISSUER).form_post_page("http://127.0.0.1:9/cb", {"code": "c"}, "en")
    assert "form-action http://127.0.0.1:9;" in page.content_security_policy


async def test_what_the_client_gave_is_escaped(world: PagesWorld) -> None:
    state = '"><script>alert(1)</script>'
    browser = await _consented(world, response_mode="form_post", state=state)
    assert state not in browser.response.text
    (form,) = _guarded(browser).forms
    assert form.fields["state"] == state


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_in_the_persons_language_and_names_where_it_leads(
    world: PagesWorld, language: str
) -> None:
    browser = await world.browser(language).get(
        world.request(response_mode="form_post", prompt="none")
    )
    page = _guarded(browser)
    assert page.language == language
    assert "rp.sample-bank.example" in page.text
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert page.forms[0].fields["error"] == "login_required"
