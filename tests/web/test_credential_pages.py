"""/account/credentials: what was issued for a business, who sees it, and stopping one of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpid.domain.credential import CredentialState, EntryStatus, Standing
from corpid.domain.languages import LANGUAGES, Names
from corpid.domain.mandate import Limit, Side
from corpid.services.credential_records import WALLET
from corpid.services.ports import UnitOfWork
from corpid.services.records import BY_WALLET
from corpid.web.translations import CATALOGUES
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld, pages_world, populate
from tests.support.portal_world import DAY, at_credentials, held, link, links, state

SUSPENDED, REVOKED = CredentialState.SUSPENDED, CredentialState.REVOKED
OPERATOR = "operator:test"
MANDATE = "man-12345678-per-nobody"


async def test_a_person_who_is_not_signed_in_is_asked_first(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await world.browser().get("/account/credentials")
    assert browser.url.endswith("/sign-in?to=credentials")
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.page.form_with("otp")
    await browser.submit(otp=world.otp())
    assert "Sample Kite Trading Limited" in browser.page.text
    assert "Business representative" in browser.page.text


async def test_without_a_one_time_code_nothing_is_seen(world: PagesWorld) -> None:
    await held(world, "c1", "ho")
    browser = await world.browser().get("/account/credentials")
    await browser.submit(username="ho", password=PASSWORD)
    assert browser.response.status_code == 403
    assert "A stronger sign-in is needed" in browser.page.text
    chan = await at_credentials(world)
    assert (await browser.get(chan.url)).response.status_code == 403


async def test_of_several_businesses_one_is_chosen(world: PagesWorld) -> None:
    await held(world, "c1", "lee")
    browser = await at_credentials(world, "lee")
    assert "for which business?" in browser.page.text
    found = links(browser, 3)
    assert len(found) == 3
    assert not [one for one in found if "12345678" in one or "org-" in one]
    await browser.get(found[0])
    assert "Sample Kite Trading Limited" in browser.page.text
    assert links(browser)


async def test_who_acts_for_nobody_is_told_so(world: PagesWorld) -> None:
    browser = await at_credentials(world, "nobody")
    assert "No business is known" in browser.page.text


async def test_a_director_sees_all_of_the_business_and_nothing_else(world: PagesWorld) -> None:
    await held(world, "mine")
    await held(world, "lees", "lee")
    await held(world, "elsewhere", "lee", "23456789")
    browser = await at_credentials(world)
    seen = {one.rpartition("/")[2] for one in links(browser)} & {"mine", "lees", "elsewhere"}
    assert seen == {"mine", "lees"}
    assert "Held by Lee Sample" in browser.page.text
    elsewhere = browser.url + "/elsewhere"
    assert (await browser.get(elsewhere)).response.status_code == 404
    for act in ("suspend", "resume", "revoke"):
        assert (await browser.get(f"{elsewhere}/{act}")).response.status_code == 404
        assert (await browser.post(f"{elsewhere}/{act}", {})).response.status_code == 404
    assert await state(world, "elsewhere") is CredentialState.ACCEPTED


async def test_addresses_are_of_one_person_each(world: PagesWorld) -> None:
    await held(world, "c1")
    chan = await at_credentials(world)
    lee = await at_credentials(world, "lee")
    assert (await lee.get(chan.url)).response.status_code == 404
    assert (await lee.get(f"{chan.url}/c1")).response.status_code == 404
    assert (await lee.get("/account/credentials/nonsense")).response.status_code == 404


async def test_the_holder_of_a_mandate_sees_and_stops_their_own(world: PagesWorld) -> None:
    await world.add_mandate("12345678", "per-nobody")
    await held(world, "own", "nobody", mandate_id=MANDATE, representation_id=None)
    await held(world, "directors")
    browser = await at_credentials(world, "nobody")
    here = browser.url
    assert "What was issued to you" in browser.page.text
    assert "/directors" not in browser.page.html
    assert (await browser.get(f"{here}/directors")).response.status_code == 404
    await browser.get(f"{here}/own/suspend")
    await browser.submit(reason="Telephone missing", action="suspend")
    assert await state(world, "own") is SUSPENDED
    await browser.get(f"{here}/own/resume")
    await browser.submit(reason="", action="resume")
    assert await state(world, "own") is CredentialState.ACCEPTED


async def test_what_a_director_suspended_its_holder_does_not_resume(world: PagesWorld) -> None:
    await world.add_mandate("12345678", "per-nobody")
    await held(world, "theirs", "nobody", mandate_id=MANDATE, representation_id=None)
    director = await at_credentials(world)
    await director.get(f"{director.url}/theirs/suspend")
    await director.submit(reason="On leave", action="suspend")
    holder = await at_credentials(world, "nobody")
    page = await holder.get(f"{holder.url}/theirs")
    assert "by Chan Sample" in page.page.text
    assert "Reason: On leave" in page.page.text
    assert [one.get("id") for one in page.page.links if one.get("class") == "button second"] == [
        "revoke"
    ]
    assert (await holder.get(f"{page.url}/resume")).response.status_code == 409
    forged = {"csrf": await csrf_of(holder, f"{page.url.removesuffix('/resume')}/revoke")}
    target = f"{holder.url.removesuffix('/revoke')}/resume"
    assert (await holder.post(target, forged)).response.status_code == 409
    assert await state(world, "theirs") is SUSPENDED


async def csrf_of(browser: Browser, path: str) -> str:
    await browser.get(path)
    return browser.page.form_with("csrf").fields["csrf"]


async def test_a_mandate_to_represent_the_business_is_for_all_its_credentials(
    world: PagesWorld,
) -> None:
    await held(world, "directors")
    await world.add_mandate("12345678", "per-nobody")
    given = await world.store.read.authority.mandate(MANDATE)
    for name, services, seen in (("whole", (), True), ("confined", ("tax",), False)):
        terms = replace(
            given.terms,
            powers=("represent_organisation",),
            services=services,
            limit=Limit("5.00", "HKD"),
        )
        more = replace(given, mandate_id=name, holder_id=f"per-{name}", terms=terms)
        await world.add_person(name, Names(en="Sample Clerk"))
        await world.write(lambda uow, m=more: uow.authority.add_mandate(m, Side.GRANTOR, "sample"))
        browser = await at_credentials(world, name)
        assert ("/directors" in browser.page.html) is seen
        found = await browser.get(f"{browser.url}/directors")
        assert found.response.status_code == (200 if seen else 404)


async def test_the_list_is_filtered_by_state_and_type(world: PagesWorld) -> None:
    now_ms = int(world.now * 1000)
    await held(world, "valid")
    await held(world, "gone", state=REVOKED)
    await held(world, "over", expires_at=now_ms - 1, credential_type="company-identity")
    browser = await at_credentials(world)
    here = browser.url
    expected = {
        "state=valid": {"valid"},
        "state=revoked": {"gone"},
        "state=expired": {"over"},
        "state=suspended": set(),
        "type=company-identity": {"over"},
        "state=valid&type=company-identity": set(),
        "state=nonsense&type=nonsense&after=nonsense": {"valid", "gone", "over"},
    }
    for query, names in expected.items():
        await browser.get(f"{here}?{query}")
        assert browser.response.status_code == 200
        shown = {one.rpartition("/")[2] for one in links(browser)}
        assert shown & {"valid", "gone", "over"} == names, query
    await browser.get(f"{here}?state=valid&type=mandate")
    assert "There is no such credential." in browser.page.text
    address = browser.url
    await browser.get(next(one for one in browser.page.links if one.get("lang"))["href"])
    assert browser.url == address, "the choice of language keeps the filter"


async def test_the_list_goes_on_by_key(world: PagesWorld) -> None:
    now_ms = int(world.now * 1000)
    for number in range(23):
        await held(world, f"c{number:02}", issued_at=now_ms - DAY + number // 2)
    browser = await at_credentials(world)
    first = [one.rpartition("/")[2] for one in links(browser) if "/c" in one[-4:]]
    assert first == [f"c{number:02}" for number in reversed(range(3, 23))]
    await browser.get(link(browser, "older"))
    rest = [one.rpartition("/")[2] for one in links(browser) if "/c" in one[-4:]]
    assert rest == ["c02", "c01", "c00"]
    assert 'id="older"' not in browser.page.html
    await browser.get(link(browser, "newest"))
    assert "/c22" in browser.page.html


async def test_a_credential_is_suspended_resumed_and_revoked(world: PagesWorld) -> None:
    credential = await held(world, "c1")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/c1")
    assert "thumbprint-o…" in browser.page.text
    assert "thumbprint-of-c1" not in browser.page.text
    page = browser.url
    status = world.store.read.status_lists.status_of
    for act, entry in (
        ("suspend", EntryStatus.SUSPENDED),
        ("resume", EntryStatus.VALID),
        ("revoke", EntryStatus.INVALID),
    ):
        world.wait(60)
        await browser.get(link(browser, act))
        assert browser.url == f"{page}/{act}"
        await browser.submit(reason=f"Sample reason to {act}", action=act)
        assert browser.url == page
        assert await status(credential.entry) is entry
        assert f"Reason: Sample reason to {act}" in browser.page.text
    assert await state(world, "c1") is REVOKED
    words = ["Issued", "Suspended", "Resumed", "Revoked"]
    places = [
        browser.page.text.index(f"\n{word}\n", browser.page.text.index("History")) for word in words
    ]
    assert places == sorted(places)
    assert browser.page.text.count("by you") == 3
    assert (await browser.get(f"{page}/suspend")).response.status_code == 409
    (audited,) = await world.events("revocation.revoke_credential")
    assert b"per-chan" in audited


async def test_a_wallet_that_may_have_no_more_is_told_of(
    tmp_path: Path, database_template: Path
) -> None:
    async with pages_world(tmp_path, database_template, credential_live_max=100) as world:
        await populate(world)
        for number in range(100):
            await held(world, f"c{number}", grant_id="grant-full")
        browser = await at_credentials(world)
        page = f"{browser.url}/c0"
        assert 'id="wallet-full"' in (await browser.get(page)).page.html
        assert "100 valid credentials of this type" in browser.page.text
        tomorrow = int(world.service.foundation.clock() * 1000) + DAY
        for ends_at, full in ((tomorrow, False), (None, True)):
            await world.store.write(lambda uow, at=ends_at: uow.credentials.give_way("c2", at))
            shown = 'id="wallet-full"' in (await browser.get(page)).page.html
            assert shown is full, "what gives way to its renewal does not count"
        revocation = world.service.foundation.revocation
        await revocation.revoke_credential("c1", OPERATOR, "used")
        assert 'id="wallet-full"' not in (await browser.get(page)).page.html


async def test_a_holder_says_how_far_a_revocation_goes(world: PagesWorld) -> None:
    for name in ("kept", "first", "second"):
        await held(world, name, grant_id="grant-kept" if name == "kept" else "grant-lost")
    browser = await at_credentials(world)
    page = f"{browser.url}/first/revoke"
    await browser.get(page)
    assert browser.page.form_with("reach").fields["reach"] == "credential", "unless chosen"
    await browser.submit(reason="x" * 201, reach="wallet", action="revoke")
    assert browser.page.form_with("reach").fields["reach"] == "wallet", "what was chosen stays"
    await browser.submit(reason="Telephone stolen", reach="wallet", action="revoke")
    assert [await state(world, name) for name in ("first", "second")] == [REVOKED] * 2
    assert await state(world, "kept") is CredentialState.ACCEPTED
    assert len(await world.events("revocation.revoke_wallet")) == 1
    await browser.get(f"{page.removesuffix('/first/revoke')}/kept/suspend")
    assert "reach" not in browser.page.form_with("reason").names
    forged = {"csrf": await csrf_of(browser, browser.url), "reason": "", "reach": "wallet"}
    await browser.post(browser.url, forged)
    assert await state(world, "kept") is SUSPENDED, "a suspension is of one"


async def test_a_form_from_elsewhere_changes_nothing(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    page = f"{browser.url}/c1/revoke"
    lee = await at_credentials(world, "lee")
    await lee.get(link_to(lee, "12345678"))
    stolen = await csrf_of(lee, f"{lee.url}/c1/revoke")
    for fields in ({"reason": ""}, {"csrf": ""}, {"csrf": stolen}):
        assert (await browser.post(page, fields)).response.status_code == 403
    assert (await browser.client.post(page, json={})).status_code == 400
    assert await state(world, "c1") is CredentialState.ACCEPTED


def link_to(browser: Browser, number: str) -> str:
    before = browser.page.html.partition(number)[0]
    return before[before.rindex('href="') + 6 :].partition('"')[0]


async def test_what_its_wallet_told_is_in_the_history(world: PagesWorld) -> None:
    await held(world, "c1", state=CredentialState.ISSUED)
    now_ms = int(world.now * 1000)

    async def tell(uow: UnitOfWork) -> None:
        change = uow.credentials.change_state
        await change("c1", CredentialState.ACCEPTED, now_ms, actor=WALLET)
        await change("c1", REVOKED, now_ms, f"{BY_WALLET}credential_deleted", WALLET)

    await world.store.write(tell)
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/c1")
    assert "Stored in the wallet" in browser.page.text
    assert "Revoked: the wallet deleted it or could not store it" in browser.page.text
    assert "operator" not in browser.page.text
    assert BY_WALLET not in browser.page.text


@pytest.mark.parametrize("reason", ["x" * 201, "two\nlines", "\x07"])
async def test_a_reason_is_one_short_line(world: PagesWorld, reason: str) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/c1/suspend")
    await browser.submit(reason=reason, action="suspend")
    assert browser.response.status_code == 400
    assert "<title>Error:" in browser.page.html
    assert await state(world, "c1") is CredentialState.ACCEPTED


async def test_a_reason_is_shown_as_text(world: PagesWorld) -> None:
    await held(world, "c1")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/c1/suspend")
    await browser.submit(reason="<b>{bold}</b>", action="suspend")
    assert "&lt;b&gt;{bold}&lt;/b&gt;" in browser.page.html


async def test_what_an_operator_wrote_down_is_for_operators(world: PagesWorld) -> None:
    await held(world, "c1")
    acts = world.service.foundation.revocation
    await acts.suspend_organisation("org-12345678", OPERATOR, "inquiry into another business")
    await acts.resume_organisation("org-12345678", OPERATOR, "closed")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/c1")
    assert browser.page.text.count("by the operator of this service") == 2
    assert "inquiry" not in browser.page.text
    assert OPERATOR not in browser.page.text


async def test_what_an_operator_suspended_a_director_does_not_resume(world: PagesWorld) -> None:
    await held(world, "c1")
    acts = world.service.foundation.revocation
    await acts.suspend_credential("c1", OPERATOR, "inquiry")
    director = await at_credentials(world)
    page = f"{director.url}/c1"
    assert 'id="held-by-operator"' in (await director.get(page)).page.html
    assert (await director.get(f"{page}/resume")).response.status_code == 409
    assert await state(world, "c1") is SUSPENDED
    await acts.resume_credential("c1", OPERATOR, "closed")
    assert 'id="held-by-operator"' not in (await director.get(page)).page.html


async def test_what_is_suspended_with_its_mandate_comes_back_with_it(world: PagesWorld) -> None:
    await world.add_mandate("12345678", "per-nobody")
    await held(world, "theirs", "nobody", mandate_id=MANDATE, representation_id=None)
    acts = world.service.foundation.revocation
    await acts.suspend_mandate(MANDATE, OPERATOR, "absent")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/theirs")
    assert 'id="with-authority"' in browser.page.html
    assert 'id="resume"' not in browser.page.html


async def test_an_authority_that_ended_lets_nobody_act(world: PagesWorld) -> None:
    """The form was shown before; the decision is made in the transaction of the act."""
    await held(world, "lees", "lee")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/lees/revoke")
    await world.end_director("chan", "12345678")
    await browser.submit(reason="", action="revoke")
    assert browser.response.status_code == 404
    assert await state(world, "lees") is CredentialState.ACCEPTED


async def test_an_authority_that_ends_at_the_same_moment_lets_nobody_act(
    world: PagesWorld,
) -> None:
    await held(world, "lees", "lee")
    browser = await at_credentials(world)
    await browser.get(f"{browser.url}/lees/revoke")
    standing = world.store.write

    async def write(work: Any) -> Any:
        world.store.write = standing
        await world.end_director("chan", "12345678")
        return await standing(work)

    world.store.write = write
    await browser.submit(reason="", action="revoke")
    assert browser.response.status_code == 409
    assert await state(world, "lees") is CredentialState.ACCEPTED


async def test_the_account_page_leads_here(world: PagesWorld) -> None:
    browser = await at_credentials(world)
    await browser.get("/account")
    await browser.get(link(browser, "credentials"))
    assert "Sample Kite Trading Limited" in browser.page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_word(language: str) -> None:
    texts = CATALOGUES[language]  # type: ignore[index]
    assert {f"standing.{one}" for one in ("all", *Standing)} <= set(texts)
