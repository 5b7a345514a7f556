"""What services ask of a person in their account (CIBA Core 1.0): listed, looked at, answered."""

import json
from typing import Any

import pytest

from corpid.services.backchannel import TOPIC
from keys import base64url
from oidc.errors import InvalidRequest, UnknownUserId
from oidc.provider.backchannel import HintedUser
from oidc.records import PolledRequest
from tests.support.asking import CODE, account, asked, look
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, SCOPE, PagesWorld
from tests.web.test_hints import hint


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
    assert await world.provider.backchannel.identify(hint) == meant


@pytest.mark.parametrize(
    "hint", ["chen", "brn:99999999", "brn:", "brn:x", "chan lee", "brn:12345678 brn:23456789", " "]
)
async def test_other_hints_mean_nobody(world: PagesWorld, hint: str) -> None:
    with pytest.raises(UnknownUserId):
        await world.provider.backchannel.identify(hint)


async def signed_in(world: PagesWorld, username: str, number: str) -> None:
    """That person has signed in at the shop, for that business."""
    browser = await world.sign_in(username, login_hint=f"brn:{number}")
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def told(world: PagesWorld, id_token: str, client_id: str = "shop") -> HintedUser:
    client = await world.store.read.provider_reads.client(client_id)
    assert client is not None
    return await world.provider.backchannel.identify_by_id_token(id_token, client)


async def test_an_expired_id_token_means_the_person_and_the_business(world: PagesWorld) -> None:
    await signed_in(world, "lee", "23456789")
    token = await hint(world, "lee", "23456789", auth_time=int(world.now))
    assert await told(world, token) == HintedUser("org-23456789", "per-lee", None)


async def test_a_colleague_and_another_business_are_another_pair(world: PagesWorld) -> None:
    """Both signed in at the same second, so that only what the token says tells them apart."""
    await signed_in(world, "chan", "12345678")
    await signed_in(world, "lee", "12345678")
    now = int(world.now)
    chan = await told(world, await hint(world, "chan", "12345678", auth_time=now))
    lee = await told(world, await hint(world, "lee", "12345678", auth_time=now))
    assert (chan.actor, lee.actor) == ("per-chan", "per-lee")
    with pytest.raises(UnknownUserId):
        await told(world, await hint(world, "lee", "23456789", auth_time=now))


async def test_an_id_token_that_no_sign_in_on_record_belongs_to_means_nobody(
    world: PagesWorld,
) -> None:
    await signed_in(world, "chan", "12345678")
    for changes in ({"auth_time": int(world.now) - 1}, {}, {"auth_time": "now"}):
        with pytest.raises(UnknownUserId):
            await told(world, await hint(world, "chan", "12345678", **changes))


async def test_an_id_token_of_another_client_or_signer_is_refused(world: PagesWorld) -> None:
    await signed_in(world, "chan", "12345678")
    token = await hint(world, "chan", "12345678", auth_time=int(world.now))
    for bad in (token[:-4] + "AAAA", "nonsense"):
        with pytest.raises(InvalidRequest):
            await told(world, bad)
    with pytest.raises(InvalidRequest):
        await told(world, token, "kiosk")


async def test_a_person_who_left_is_nobody(world: PagesWorld) -> None:
    await signed_in(world, "chan", "12345678")
    token = await hint(world, "chan", "12345678", auth_time=int(world.now))
    await world.service.foundation.revocation.close_person("per-chan", "operator:t", "left")
    with pytest.raises(UnknownUserId):
        await told(world, token)


async def test_who_answers_must_be_the_pair_of_the_hint(world: PagesWorld) -> None:
    """The token is kept with the request, so that the business is compared as well."""
    await signed_in(world, "lee", "23456789")
    token = await hint(world, "lee", "23456789", auth_time=int(world.now))
    kept = {"scope": SCOPE, "binding_message": "W4SCT", "id_token_hint": token}
    await asked(world, actor="per-lee", subject="org-23456789", parameters=kept)
    world.wait(30)
    browser = await look(await account(world, username="lee"))
    assert browser.page.form_with("action").fields["step"] == "consent"
    assert "Sample Lantern Works Limited" in browser.page.text
    await browser.submit(action="approve")
    found = await state(world)
    assert found.grant_id is not None
