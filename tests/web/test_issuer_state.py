"""An authorization request that goes on with a credential offer (OpenID4VCI 1.0, 5.1.3)."""

from collections.abc import Sequence
from typing import Any

import pytest

from oidc.records import Grant
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld

SCOPE = "credential.company_identity"


@pytest.fixture
async def wallet(world: PagesWorld) -> PagesWorld:
    await world.add_client("wallet", client_name="Sample Wallet", scope=f"{SCOPE} openid")
    return world


async def state_of(
    world: PagesWorld,
    number: str = "23456789",
    types: Sequence[str] = ("company-identity",),
    **options: Any,
) -> str:
    """An offer to Lee, who may act for three businesses."""
    made = await world.assembly.base.offers.create(
        f"org-{number}",
        "per-lee",
        types,
        actor="operator:test",
        grants=("authorization_code",),
        **options,
    )
    return str(made.document["grants"]["authorization_code"]["issuer_state"])


def asking(issuer_state: str) -> dict[str, str]:
    return {"client_id": "wallet", "scope": SCOPE, "issuer_state": issuer_state}


async def grant_of(world: PagesWorld, browser: Browser) -> Grant:
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert isinstance(grant, Grant)
    return grant


async def test_the_offers_business_is_taken_without_asking_which(wallet: PagesWorld) -> None:
    browser = await wallet.sign_in("lee", **asking(await state_of(wallet)))
    await browser.submit(action="approve")
    grant = await grant_of(wallet, browser)
    assert (grant.subject, grant.actor) == ("org-23456789", "per-lee")
    assert len(await wallet.events("offer.used")) == 1


async def test_the_authority_that_the_offer_rests_on_is_taken_not_the_strongest(
    wallet: PagesWorld,
) -> None:
    await wallet.add_mandate("23456789", "per-lee")
    scope = "credential.mandate"
    await wallet.add_client("purse", client_name="Sample Purse", scope=f"{scope} openid")
    state = await state_of(wallet, types=["mandate"])
    asked = {"client_id": "purse", "scope": scope, "issuer_state": state}
    browser = await wallet.sign_in("lee", **asked)
    await browser.submit(action="approve")
    grant = await grant_of(wallet, browser)
    assert grant.authority == "man-23456789-per-lee", "Lee directs that business too"


async def test_an_offer_is_redeemed_once(wallet: PagesWorld) -> None:
    state = await state_of(wallet)
    browser = await wallet.sign_in("lee", **asking(state))
    waiting = await wallet.sign_in("lee", **asking(state))
    await browser.submit(action="approve")
    assert "code" in browser.answer
    await waiting.submit(action="approve")
    assert waiting.answer["error"] in ("invalid_request", "access_denied")
    again = await wallet.browser().get(wallet.request(**asking(state)))
    assert again.answer["error"] == "invalid_request"


async def test_an_offer_that_is_over_is_refused(wallet: PagesWorld) -> None:
    state = await state_of(wallet, lifetime=60)
    wallet.wait(61)
    browser = await wallet.browser().get(wallet.request(**asking(state)))
    assert browser.answer["error"] == "invalid_request"


async def test_who_the_offer_was_not_made_to_signs_in_in_vain(wallet: PagesWorld) -> None:
    asked = wallet.request(**asking(await state_of(wallet, "12345678")))
    browser = await wallet.browser().get(asked)
    await browser.submit(username="chan", password=PASSWORD)
    assert "expects somebody else" in browser.page.text
    await browser.submit(username="lee", password=PASSWORD)
    await browser.submit(otp=wallet.otp())
    await browser.submit(action="approve")
    assert (await grant_of(wallet, browser)).actor == "per-lee"


async def test_an_authority_that_has_ended_gives_nothing(wallet: PagesWorld) -> None:
    state = await state_of(wallet)
    await wallet.end_director("lee", "23456789")
    browser = await wallet.sign_in("lee", **asking(state))
    assert browser.response.status_code == 200
    assert "approve" not in browser.page.text
    assert await wallet.events("offer.used") == []


async def test_a_state_from_elsewhere_says_nothing(wallet: PagesWorld) -> None:
    browser = await wallet.sign_in("chan", **asking("tracked-by-somebody-else"))
    await browser.submit(action="approve")
    assert (await grant_of(wallet, browser)).subject == "org-12345678"
