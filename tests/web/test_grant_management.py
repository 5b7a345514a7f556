"""Grant Management on the pages: what the person reads and agrees to, and who may."""

from typing import Any

import orjson
import pytest

from oidc.records import Grant
from tests.support.browser import Browser
from tests.support.pages_world import PagesWorld

EXTENDED = "If you agree, that is extended"
REPLACED = "If you agree, that ends"


async def granted(world: PagesWorld, browser: Browser) -> Grant:
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert isinstance(grant, Grant)
    return grant


async def began(world: PagesWorld, username: str = "chan", **changes: Any) -> tuple[Browser, Grant]:
    """A browser, and the grant that was given in it."""
    await world.add_client("manager", grant_management=True)
    browser = await world.sign_in(username, client_id="manager", **{"scope": "openid", **changes})
    await browser.submit(action="approve")
    return browser, await granted(world, browser)


def changing(world: PagesWorld, action: str, grant: Grant, **changes: str) -> str:
    return world.request(
        "manager",
        **{
            "scope": "openid",
            "grant_management_action": action,
            "grant_id": grant.handle,
            **changes,
        },
    )


async def test_what_is_new_needs_consent_and_the_page_says_that_it_extends(
    world: PagesWorld,
) -> None:
    browser, before = await began(world, scope="openid user.name")
    await browser.get(changing(world, "merge", before, scope="mandate"))
    assert EXTENDED in browser.page.text
    assert REPLACED not in browser.page.text
    still = await world.store.read.provider_reads.managed_grant(before.handle)
    assert still == before, "nothing happens before the person has agreed"
    await browser.submit(action="approve")
    after = await granted(world, browser)
    assert after.scope == ("openid", "user.name", "mandate")
    assert after.handle == before.handle
    ended = await world.store.read.provider_reads.managed_grant(before.handle)
    assert ended == after


async def test_a_replacement_says_that_the_earlier_one_ends(world: PagesWorld) -> None:
    browser, before = await began(world, scope="openid user.name")
    await browser.get(changing(world, "replace", before, scope="openid mandate"))
    assert REPLACED in browser.page.text
    await browser.submit(action="approve")
    assert (await granted(world, browser)).scope == ("openid", "mandate")


async def test_an_ordinary_request_speaks_of_no_earlier_one(world: PagesWorld) -> None:
    await world.add_client("manager", grant_management=True)
    browser = await world.sign_in(client_id="manager", grant_management_action="create")
    assert EXTENDED not in browser.page.text
    assert REPLACED not in browser.page.text


@pytest.mark.parametrize(
    ("language", "extended", "replaced"),
    [
        ("zh-Hant", "該授權將會擴大", "該授權將會終止"),
        ("zh-Hans", "该授权将会扩大", "该授权将会终止"),
    ],
)
async def test_in_chinese_too(
    world: PagesWorld, language: str, extended: str, replaced: str
) -> None:
    browser, before = await began(world)
    for action, words in (("merge", extended), ("replace", replaced)):
        url = changing(world, action, before, scope="openid mandate", ui_locales=language)
        await browser.get(url)
        assert words in browser.page.text


async def test_what_was_agreed_to_before_needs_no_page(world: PagesWorld) -> None:
    detail = {
        "type": "hk_corp_data_sharing",
        "facts": ["entity_name"],
        "purpose": "contract",
        "until": "2026-12-31",
    }
    types = ["hk_corp_data_sharing"]
    await world.add_client("detailed", grant_management=True, authorization_details_types=types)
    browser = await world.sign_in(
        client_id="detailed", authorization_details=orjson.dumps([detail]).decode()
    )
    await browser.submit(action="approve")
    before = await granted(world, browser)
    merging = {"grant_management_action": "merge", "grant_id": before.handle}
    await browser.get(world.request("detailed", **merging))
    after = await granted(world, browser)
    assert after.authorization_details == before.authorization_details


async def test_a_refusal_leaves_the_grant_as_it_is(world: PagesWorld) -> None:
    browser, before = await began(world)
    await browser.get(changing(world, "replace", before, scope="openid mandate"))
    await browser.submit(action="deny")
    assert browser.answer["error"] == "access_denied"
    assert await world.store.read.provider_reads.managed_grant(before.handle) == before


@pytest.mark.parametrize("action", ["merge", "replace"])
async def test_another_person_is_asked_to_let_the_first_one_sign_in(
    world: PagesWorld, action: str
) -> None:
    _, before = await began(world)
    stranger = await world.sign_in("lee", client_id="manager", scope="openid")
    await stranger.get(changing(world, action, before, prompt="none"))
    assert stranger.answer["error"] == "login_required"
    await stranger.get(changing(world, action, before))
    assert "expects somebody else" in stranger.page.text


async def test_only_the_same_organisation_may_be_chosen(world: PagesWorld) -> None:
    await world.add_client("manager", grant_management=True)
    browser = await world.sign_in("lee", client_id="manager", scope="openid")
    await browser.submit(organisation="12345678")
    await browser.submit(action="approve")
    before = await granted(world, browser)
    # No choice is offered although there are two; the other one by name is not to be had.
    await browser.get(changing(world, "merge", before, scope="openid mandate"))
    assert EXTENDED in browser.page.text
    await browser.submit(action="approve")
    assert (await granted(world, browser)).subject == before.subject
    hinted = changing(world, "merge", before, login_hint="brn:23456789", prompt="none")
    await browser.get(hinted)
    assert (await granted(world, browser)).subject == before.subject


async def test_a_page_that_was_overtaken_counts_no_more(world: PagesWorld) -> None:
    browser, before = await began(world)
    await browser.get(changing(world, "merge", before, scope="openid mandate"))
    shown = browser.response, browser.url
    await browser.get(changing(world, "replace", before, scope="openid user.name"))
    await browser.submit(action="approve")
    now = await granted(world, browser)
    browser.response, browser.url = shown
    await browser.submit(action="approve")
    assert "Something has changed since this page was shown" in browser.page.text
    assert await world.store.read.provider_reads.managed_grant(before.handle) == now
