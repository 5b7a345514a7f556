"""A client that nobody registered: its document's host and what the person is told, to the tokens.

Its host is a server of the test's (``TableOutbound``).
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from corpid.services.client_registration import ClientRegistrations, RegistrationRules
from corpid.services.registration_policy import RegistrationPolicy
from oidc.provider.token import TokenEndpoint
from oidc.provider.userinfo import UserInfoEndpoint
from tests.support.asgi import call, post_form
from tests.support.browser import REDIRECT, Browser
from tests.support.outbound import TableOutbound
from tests.support.pages_world import PagesWorld, pages_world, populate
from tests.support.provider_world import VERIFIER, challenge

APP = "https://app.sample-harbour.example/client.json"
SCOPE = "openid entity.identity"
NAME = "Sample <b>Harbour</b> App"


@pytest.fixture
async def outbound() -> TableOutbound:
    table = TableOutbound()
    document = {
        "client_id": APP,
        "client_name": NAME,
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "logo_uri": "https://app.sample-harbour.example/logo.png",
    }
    table.says(APP, json.dumps(document).encode(), max_age=600)
    return table


@pytest.fixture
async def world(
    tmp_path: Path, database_template: Path, outbound: TableOutbound
) -> AsyncIterator[PagesWorld]:
    settings: dict[str, Any] = {
        "client_document_hosts": ("app.sample-harbour.example",),
        "registration_profiles": ("oidc",),
    }
    async with pages_world(tmp_path, database_template, outbound, **settings) as made:
        await populate(made)
        yield made


async def sign_in(world: PagesWorld, language: str = "en", **changes: str) -> Browser:
    request = {"client_id": APP, "scope": SCOPE, "code_challenge": challenge(), **changes}
    browser = await world.browser(language).get(world.request(**request))
    await browser.submit(username="chan", password="correct horse battery staple")
    return await browser.submit(otp=world.otp())


async def test_from_the_document_to_the_tokens(world: PagesWorld, outbound: TableOutbound) -> None:
    browser = await sign_in(world)
    seen = browser.page.form_with("seen").fields
    await browser.submit(**{**seen, "action": "approve"})
    form = {
        "grant_type": "authorization_code",
        "code": browser.answer["code"],
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": APP,
    }
    tokens = await post_form(TokenEndpoint(world.provider), form)
    assert tokens.status == 200, tokens.body
    bearer = (b"authorization", f"Bearer {tokens.json['access_token']}".encode())
    userinfo = await call(UserInfoEndpoint(world.provider), headers=[bearer])
    assert userinfo.status == 200
    assert userinfo.json["sub"]
    assert outbound.asked == [APP], "nothing but the document is asked for, and once"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "registered itself"), ("zh-Hant", "自行登記"), ("zh-Hans", "自行登记")],
)
async def test_cimd_8_4_the_consent_page_shows_the_host_and_that_nobody_checked(
    world: PagesWorld, language: str, said: str
) -> None:
    page = (await sign_in(world, language)).page
    assert "registered-itself" in page.ids
    assert said in page.text
    assert "app.sample-harbour.example" in page.text
    assert NAME in page.text, "the name is text, not markup"
    assert "logo.png" not in page.html, "a picture that anybody can choose is not shown"


async def registered(world: PagesWorld, **more: str) -> str:
    """The id of a public client that registered itself by a request."""
    base = world.service.foundation
    policy = RegistrationPolicy(profiles=("oidc",))
    rules = RegistrationRules(open=True, policy=policy)
    outbound = world.provider.outbound
    registrations = ClientRegistrations(
        base.store, outbound, base.hasher, base.clock, base.random, rules
    )
    asked = {"client_name": "Sample App", "redirect_uris": [REDIRECT], **more}
    made = await registrations.register({**asked, "token_endpoint_auth_method": "none"}, None)
    return made.client_id


async def test_who_registered_itself_by_request_is_marked_by_where_its_codes_go(
    world: PagesWorld,
) -> None:
    page = (await sign_in(world, client_id=await registered(world))).page
    assert "registered-itself" in page.ids
    assert "as rp.sample-bank.example" in page.text


async def test_oidc_registration_2_policy_and_terms_are_linked_where_people_decide(
    world: PagesWorld,
) -> None:
    told = {"policy_uri": f"{APP}/privacy", "tos_uri": f"{APP}/terms"}
    page = (await sign_in(world, client_id=await registered(world, **told))).page
    assert "Terms of service of Sample App" in page.text
    for address in told.values():
        assert f'<a href="{address}" rel="noopener noreferrer" target="_blank">' in page.html


async def test_an_operators_client_is_not_marked(world: PagesWorld) -> None:
    page = (await sign_in(world, client_id="shop")).page
    assert page.form_with("seen")
    assert "registered-itself" not in page.ids


async def test_the_document_failing_is_a_page_for_the_person(
    world: PagesWorld, outbound: TableOutbound
) -> None:
    outbound.says(APP, orjson.dumps({"client_id": "https://other.example/"}))
    browser = await world.browser().get(world.request(client_id=APP, scope=SCOPE))
    assert browser.response.status_code == 400
    assert "letter by letter" in browser.page.text
