"""What services ask of a person in their account (CIBA Core 1.0): listed, looked at, answered."""

import json
from typing import Any

import pytest

from corpid.services.backchannel import TOPIC, BackchannelUsers
from keys import base64url
from oidc.errors import UnknownUserId
from oidc.provider.backchannel import HintedUser
from oidc.records import PolledRequest
from tests.support.asking import CODE, account, asked, look
from tests.support.browser import Browser
from tests.support.pages_world import MASTER, PASSWORD, SCOPE, PagesWorld


async def state(world: PagesWorld, code: str = CODE) -> PolledRequest:
    found = await world.store.read.provider_reads.polled_request(world.provider.hasher.hash(code))
    assert found is not None
    record: PolledRequest = found[0]
    return record


async def test_from_the_list_to_the_answer(world: PagesWorld) -> None:
    await asked(world)
    browser = await account(world)
    assert browser.url.endswith("/requests")
    assert "Sample Harbour Bank" in browser.page.text
    assert "W4SCT" in browser.page.text
    await look(browser)
    assert browser.page.form_with("action").fields["step"] == "consent"
    assert "W4SCT" in browser.page.text, "the binding message stands beside the consent"
    assert "Sample Kite Trading Limited" in browser.page.text
    await browser.submit(action="approve")
    assert browser.url.endswith("/requests/approved")
    assert (await state(world)).grant_id is not None
    await browser.get("/requests")
    assert "Nothing waits for your answer" in browser.page.text


async def test_a_refusal(world: PagesWorld) -> None:
    await asked(world)
    browser = await look(await account(world))
    await browser.submit(action="deny")
    assert browser.url.endswith("/requests/refused")
    assert (await state(world)).refused_at is not None


async def test_nobody_sees_what_is_meant_for_others(world: PagesWorld) -> None:
    row = await asked(world)
    browser = await account(world, username="lee")
    assert "Nothing waits for your answer" in browser.page.text
    form = {"request": base64url.encode(row.code_hash), "csrf": "guessed"}
    await browser.post("/requests", form)
    assert browser.response.status_code == 403
    form["csrf"] = world.assembly.interactions.session_csrf(await session_of(world, browser))
    await browser.post("/requests", form)
    assert browser.url.endswith("/requests"), "not in this person's list"


async def session_of(world: PagesWorld, browser: Browser) -> Any:
    found = await world.assembly.sessions.current(dict(browser.client.cookies))
    assert found is not None
    return found


async def test_a_business_is_asked_where_no_person_is_named(world: PagesWorld) -> None:
    parameters = {"scope": SCOPE, "login_hint": "brn:23456789"}
    await asked(world, actor=None, subject="org-23456789", parameters=parameters)
    assert "Nothing waits" in (await account(world, username="chan")).page.text
    browser = await look(await account(world, username="lee"))
    assert "Sample Lantern Works Limited" in browser.page.text, "and no other is offered"
    await browser.submit(action="approve")
    assert (await state(world)).grant_id is not None


async def test_consent_is_asked_each_time(world: PagesWorld) -> None:
    for number in range(2):
        await asked(world, f"cid_ba_{number}")
        world.wait(60)
        browser = await look(await account(world))
        assert browser.page.form_with("action").fields["step"] == "consent"
        await browser.submit(action="approve")


async def test_without_a_sign_in_there_is_no_list(world: PagesWorld) -> None:
    await asked(world)
    browser = await world.browser().get("/requests")
    assert browser.url.endswith("/sign-in?to=requests")
    await browser.submit(username="chan", password=PASSWORD)
    assert "W4SCT" not in browser.page.text, "the password alone is not enough for who has codes"


async def test_an_expired_request_is_not_listed_and_not_answered(world: PagesWorld) -> None:
    await asked(world)
    browser = await look(await account(world))
    world.wait(601)
    await browser.submit(action="approve")
    assert browser.response.status_code == 410
    assert (await state(world)).grant_id is None


async def test_another_person_in_the_same_browser_cannot_answer(world: PagesWorld) -> None:
    await asked(world)
    browser = await look(await account(world))
    address = browser.url
    await browser.submit(interaction=browser.page.form_with("interaction").fields["interaction"])
    assert browser.url == address
    await browser.submit(username="lee", password=PASSWORD)
    await browser.submit(otp=world.otp())
    await browser.submit(organisation="12345678")
    await browser.submit(action="approve")
    assert browser.response.status_code == 400
    assert (await state(world)).grant_id is None


@pytest.mark.parametrize("action", ["approve", "deny"])
async def test_a_client_that_wants_a_ping_gets_one_written(world: PagesWorld, action: str) -> None:
    sealed = world.provider.backchannel.seal(world.provider.hasher.hash(CODE), b"told")
    await asked(world, sealed=sealed)
    browser = await look(await account(world))
    await browser.submit(action=action)
    assert await world.store.read.outbox.next_recipient(TOPIC, "") is not None
    (message,) = await world.write(
        lambda uow: uow.outbox.claim(TOPIC, "shop", int(world.now * 1000) + 1, 2**52, 5)
    )
    assert b"told" not in message.body
    assert json.loads(message.body)["sealed"] == base64url.encode(sealed)


async def test_a_client_that_polls_gets_none(world: PagesWorld) -> None:
    await asked(world)
    browser = await look(await account(world))
    await browser.submit(action="approve")
    assert await world.store.read.outbox.next_recipient(TOPIC, "") is None


# Whom a hint means.


@pytest.mark.parametrize(
    ("hint", "meant"),
    [
        ("chan", HintedUser(None, "per-chan", "chan")),
        (" Chan ", HintedUser(None, "per-chan", "Chan")),
        ("brn:12345678", HintedUser("org-12345678", None, "brn:12345678")),
        ("chan brn:12345678", HintedUser("org-12345678", "per-chan", "brn:12345678")),
        ("brn:12345678 chan", HintedUser("org-12345678", "per-chan", "brn:12345678")),
    ],
)
async def test_a_hint_is_a_user_name_a_business_or_both(
    world: PagesWorld, hint: str, meant: HintedUser
) -> None:
    assert await BackchannelUsers(world.store, MASTER).identify(hint) == meant


@pytest.mark.parametrize(
    "hint", ["chen", "brn:99999999", "brn:", "brn:x", "chan lee", "brn:12345678 brn:23456789", " "]
)
async def test_other_hints_mean_nobody(world: PagesWorld, hint: str) -> None:
    with pytest.raises(UnknownUserId):
        await BackchannelUsers(world.store, MASTER).identify(hint)
