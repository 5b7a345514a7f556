"""/account/offers: a representative fetches a credential into their own wallet."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from corpid.domain.errors import NotAllowed
from corpid.domain.issuance import Reason
from corpid.domain.languages import LANGUAGES, Names
from corpid.domain.mandate import HolderKind
from corpid.domain.organisation import Branch
from corpid.domain.person import Assurance
from corpid.services.credential_catalogue import TYPES
from corpid.services.offer_desk import MOST_OPEN, TOO_WEAK, OfferDesk
from corpid.services.offer_state import OfferState
from corpid.services.records import BY_CODE, BY_SIGN_IN, Offer
from corpid.services.representatives import Representatives
from corpid.web.qr import qr_code
from corpid.web.translations import CATALOGUES
from oidc.provider.grants.pre_authorized_code import MAX_WRONG_TRIES
from tests.support.browser import Browser
from tests.support.pages_world import PagesWorld
from tests.support.portal_world import at_credentials, link

FORMATS = ("dc+sd-jwt", "vc+jwt")


async def at_offers(world: PagesWorld, username: str = "chan", language: str = "en") -> Browser:
    browser = await at_credentials(world, username, language)
    return await browser.get(link(browser, "to-offers"))


async def made(world: PagesWorld, username: str = "chan", **chosen: str) -> Browser:
    """A browser at the page that comes after an offer was made."""
    browser = await at_offers(world, username)
    return await browser.submit(**{"credential": "representative", **chosen})


async def offers(world: PagesWorld, username: str = "chan") -> list[Offer]:
    found: list[Offer] = await world.store.read.credential_views.offers_to(
        f"per-{username}", "org-12345678", 10
    )
    return found


def values(browser: Browser, name: str) -> list[str]:
    """What can be chosen."""
    form = browser.page.form_with(name)
    return [one["value"] for one in form.inputs if one["name"] == name]


async def test_a_director_may_choose_what_the_rules_allow(world: PagesWorld) -> None:
    browser = await at_offers(world)
    assert values(browser, "credential") == [
        "company-certificate",
        "company-identity",
        "representative",
    ]
    assert values(browser, "format") == list(FORMATS), "no mdoc without its certificate"
    assert values(browser, "grant") == [BY_CODE, BY_SIGN_IN]
    refused = browser.page.text[browser.page.text.index("What you cannot have, and why") :]
    assert "The register knows no branch of this business." in refused
    assert "It states a mandate. You act for this business by the register" in refused


async def test_each_branch_is_a_choice(world: PagesWorld) -> None:
    for code in ("000", "001", "002"):
        branch = Branch("org-12345678", code, Names(en=f"Sample Branch {code}"), "2 Sample Street")
        await world.write(lambda uow, b=branch: uow.organisations.add_branch(b, 1))
    browser = await at_offers(world)
    assert values(browser, "credential")[:2] == ["branch/001", "branch/002"]
    await browser.submit(credential="branch/002")
    (offer,) = await offers(world)
    assert offer.credentials == ("branch/002",)
    await browser.get(link(browser, "offer"))
    assert "Branch (branch 002)" in browser.page.text


async def test_a_joint_mandate_gives_only_what_says_so(world: PagesWorld) -> None:
    await world.add_mandate("12345678", "per-nobody", HolderKind.PERSON, joint=True)
    browser = await at_offers(world, "nobody")
    assert values(browser, "credential") == ["mandate", "representative"]
    assert browser.page.text.count("only together with others") == 3
    await browser.submit(credential="representative", grant=BY_SIGN_IN)
    assert browser.response.status_code == 400
    assert "cannot be fetched in that way" in browser.page.text
    await browser.submit(credential="representative", grant=BY_CODE)
    assert browser.response.status_code == 200
    assert len(await offers(world, "nobody")) == 1


async def test_the_transaction_code_is_shown_once_and_apart(world: PagesWorld) -> None:
    browser = await made(world)
    found = re.search(r'id="transaction-code">(\d{6})<', browser.page.html)
    assert found is not None
    code = found[1]
    assert "<svg" not in browser.page.html
    assert "openid-credential-offer" not in browser.page.html
    assert browser.response.headers["cache-control"] == "no-store"
    page = link(browser, "offer")
    (offer,) = await offers(world)
    assert offer.offer_id not in page, "who has the offer's id may fetch it"
    for _ in range(2):
        await browser.get(page)
        assert code not in browser.page.html
        assert offer.offer_id in unquote(browser.page.html)
    assert offer.tx_code is not None
    assert offer.tx_code["description"] == CATALOGUES["en"]["offer.description"]
    assert world.provider.hasher.hash(code) == offer.transaction_code_hash


async def test_a_wallet_is_called_by_code_and_by_link(world: PagesWorld) -> None:
    browser = await made(world)
    await browser.get(link(browser, "offer"))
    (offer,) = await offers(world)
    reference = world.service.foundation.offers.reference(offer.offer_id)
    assert reference.startswith("openid-credential-offer://?credential_offer_uri=https%3A%2F%2F")
    assert link(browser, "link-1") == reference
    assert 'id="link-2"' not in browser.page.html
    assert qr_code(reference) in browser.page.html
    assert "It waits for your wallet until" in browser.page.text
    assert not re.search(r"<svg[^>]* (?:style|onload)=|<style", browser.page.html)


async def test_whoever_signs_in_from_the_wallet_needs_no_code(world: PagesWorld) -> None:
    browser = await made(world, grant=BY_SIGN_IN, format="vc+jwt")
    assert browser.url.count("/") == 6, "straight to the offer"
    (offer,) = await offers(world)
    assert (offer.grants, offer.tx_code) == ((BY_SIGN_IN,), None)
    assert offer.credentials == ("representative-vc-jwt",)
    assert link(browser, "link-1").startswith("openid-credential-offer://")
    assert link(browser, "link-2").startswith("haip-vci://?credential_offer_uri=")
    assert "sign in when it asks" in browser.page.text


async def test_a_reload_shows_what_became_of_it(world: PagesWorld) -> None:
    browser = await made(world)
    await browser.get(link(browser, "offer"))
    page = browser.url
    (offer,) = await offers(world)
    now_ms = int(world.now * 1000)
    await world.store.write(lambda uow: uow.provider_writes.claim_offer(offer.offer_id, now_ms))
    await browser.get(link(browser, "again"))
    assert browser.url == page
    assert "A wallet has taken it." in browser.page.text
    for gone in ("<svg", "openid-credential-offer", 'value="withdraw"'):
        assert gone not in browser.page.html
    await browser.get(link(browser, "credentials"))
    assert "Everything that was issued" in browser.page.text


async def test_an_offer_lives_ten_minutes(world: PagesWorld) -> None:
    browser = await made(world)
    await browser.get(link(browser, "offer"))
    world.wait(600)
    await browser.get(browser.url)
    assert "Nobody took it until" in browser.page.text
    assert "<svg" not in browser.page.html


async def test_an_offer_that_nobody_took_is_withdrawn(world: PagesWorld) -> None:
    browser = await made(world)
    await browser.get(link(browser, "offer"))
    (offer,) = await offers(world)
    stolen = {"csrf": "x", "action": "withdraw"}
    assert (await browser.post(browser.url, stolen)).response.status_code == 403
    assert await world.service.foundation.offers.document(offer.offer_id) is not None
    await browser.get(browser.url)
    await browser.submit(action="withdraw")
    assert "It was withdrawn" in browser.page.text
    assert await world.service.foundation.offers.document(offer.offer_id) is None
    await browser.get(link(browser, "new"))
    assert "Withdrawn" in browser.page.text


async def test_too_many_wrong_codes_are_told(world: PagesWorld) -> None:
    browser = await made(world)
    await browser.get(link(browser, "offer"))
    (offer,) = await offers(world)
    now_ms = int(world.now * 1000)

    async def wrong(uow: Any) -> None:
        for _ in range(MAX_WRONG_TRIES):
            await uow.provider_writes.count_wrong_transaction_code(
                offer.offer_id, now_ms, MAX_WRONG_TRIES, now_ms
            )

    await world.store.write(wrong)
    await browser.get(browser.url)
    assert "There were too many wrong transaction codes." in browser.page.text


async def test_an_offer_is_its_persons_alone(world: PagesWorld) -> None:
    browser = await made(world)
    page = link(browser, "offer")
    lee = await at_credentials(world, "lee")
    assert (await lee.get(page)).response.status_code == 404
    assert (await browser.get(page + "x")).response.status_code == 404
    assert (await browser.post(page + "x", {"csrf": "x"})).response.status_code == 404
    (offer,) = await offers(world)
    assert (offer.person_id, offer.organisation_id) == ("per-chan", "org-12345678")
    (audited,) = await world.events("offer.created")
    assert b'"actor":"per-chan"' in audited


async def test_only_some_offers_wait_at_a_time(world: PagesWorld) -> None:
    browser = await at_offers(world)
    page = browser.url
    for _ in range(MOST_OPEN):
        await browser.submit(credential="representative")
        assert 'id="transaction-code"' in browser.page.html
        await browser.get(page)
    await browser.submit(credential="representative")
    assert browser.response.status_code == 400
    assert "Five offers wait" in browser.page.text
    world.wait(600)
    await browser.submit(credential="representative")
    assert 'id="transaction-code"' in browser.page.html


async def test_what_is_not_offered_is_not_made(world: PagesWorld) -> None:
    browser = await at_offers(world)
    wrong = (
        {"credential": "mandate"},
        {"credential": "nonsense"},
        {"credential": "representative-vc-jwt"},
        {"credential": "branch"},
        {"credential": "representative/001"},
        {"credential": "representative", "format": "mso_mdoc"},
        {"credential": "representative", "format": "nonsense"},
        {"credential": "representative", "grant": "nonsense"},
        {"credential": ""},
        {"credential": "representative", "grant": ""},
        {"credential": "representative", "format": ""},
    )
    for one in wrong:
        await browser.submit(**one)
        assert browser.response.status_code == 400, one
        assert "<title>Error:" in browser.page.html
    forged = {"csrf": "x", "credential": "representative", "format": FORMATS[0], "grant": BY_CODE}
    assert (await browser.post(browser.url, forged)).response.status_code == 403
    assert await offers(world) == []


async def test_a_credential_that_needs_a_surer_sign_in_is_not_offered(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody signs in when the code is redeemed, so the page's own sign-in has to be enough."""
    kind = TYPES["representative"]
    surer = replace(kind, rule=replace(kind.rule, least_assurance=Assurance.LOA3))
    monkeypatch.setitem(TYPES, "representative", surer)
    browser = await at_offers(world)
    assert "representative" not in values(browser, "credential")
    assert "It needs a surer sign-in than yours." in browser.page.text
    await browser.submit(credential="representative")
    assert browser.response.status_code == 400
    assert await offers(world) == []


async def test_an_operators_offer_is_shown_to_whom_it_was_made(world: PagesWorld) -> None:
    await world.service.foundation.offers.create(
        "org-12345678",
        "per-chan",
        ["representative", "company-identity"],
        actor="operator:test",
        grants=(BY_CODE, BY_SIGN_IN),
    )
    browser = await at_offers(world)
    assert "Business representative, Company identity" in browser.page.text


async def test_haip_4_2_where_it_is_required_wallets_sign_in_by_their_own_scheme(
    world: PagesWorld,
) -> None:
    base = world.service.foundation
    representatives = Representatives(base.store, world.provider.hasher, base.clock)
    desk = OfferDesk(
        base.store,
        representatives,
        base.offers,
        configurations=frozenset(["representative"]),
        haip=True,
    )
    (business,) = await representatives.of("per-chan")
    wanted = (business, Assurance.LOA2, "representative", FORMATS[0])
    with pytest.raises(NotAllowed):
        await desk.make(*wanted, BY_CODE, None, "Sample")
    _, handle = await desk.make(*wanted, BY_SIGN_IN, None, "Sample")
    ((name, link_to_it),) = desk.links(await desk.find(business, handle))
    assert name == "haip"
    assert link_to_it.startswith("haip-vci://?credential_offer_uri=")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_and_reason_has_words(language: str) -> None:
    texts = CATALOGUES[language]  # type: ignore[index]
    for state in OfferState:
        assert {f"offer.{state}", f"offer_state.{state}"} <= set(texts)
    # What else is refused is about a request, or about a person who sees no page.
    shown = {Reason.ACCOUNT_CLOSED, Reason.MANDATE_NEEDED, Reason.JOINT_AUTHORITY, Reason.NO_BRANCH}
    assert {f"refused.{one}" for one in {TOO_WEAK, *shown}} <= set(texts)
