"""Credentials in the world of pages, and people at the pages about them."""

from collections.abc import AsyncIterator
from typing import Any

from corpid.domain.credential import Credential, CredentialState
from corpid.services.records import BY_SIGN_IN, CredentialRow
from corpid.wiring.foundation import Foundation
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld

DAY = 24 * 3600 * 1000


async def at_credentials(
    world: PagesWorld, username: str = "chan", language: str = "en"
) -> Browser:
    """A browser that has signed in to see credentials."""
    browser = await world.browser(language).get("/account/credentials")
    await browser.submit(username=username, password=PASSWORD)
    world.wait(30)  # each code counts once
    return await browser.submit(otp=world.otp())


async def issued(
    base: Foundation, name: str, grant_id: str | None = None, **whose: Any
) -> Credential:
    """The record of a credential that was issued a day ago and accepted; ``whose`` are its
    business, its person, what it rests on, and whatever else is wanted.
    """
    now_ms = int(base.clock() * 1000)
    given: dict[str, Any] = {
        "credential_id": name,
        "credential_type": "representative",
        "type_version": "1",
        "credential_format": "dc+sd-jwt",
        "mandate_id": None,
        "representation_id": None,
        "holder_thumbprint": f"thumbprint-of-{name}-and-more",
        "entry": await base.allocator.reserve(),
        "state": CredentialState.ACCEPTED,
        "payload_digest": b"d" * 32,
        "issued_at": now_ms - DAY,
        "expires_at": now_ms + 29 * DAY,
        "changed_at": now_ms - DAY,
    }
    credential = Credential(**{**given, **whose})
    row = CredentialRow(credential, grant_id or f"grant-{name}", "kid-1")
    await base.store.write(lambda uow: uow.credentials.add(row))
    return credential


async def held(
    world: PagesWorld,
    name: str,
    username: str = "chan",
    number: str = "12345678",
    **changes: Any,
) -> Credential:
    """That of a director."""
    whose = {
        "organisation_id": f"org-{number}",
        "person_id": f"per-{username}",
        "representation_id": f"rep-{username}-{number}",
    }
    return await issued(world.service.foundation, name, **{**whose, **changes})


async def state(world: PagesWorld, name: str) -> CredentialState:
    """What a credential is now."""
    found = await world.store.read.credentials.by_id(name)
    assert found is not None
    return CredentialState(found.state)


def links(browser: Browser, deep: int = 4) -> list[str]:
    """Where the links of a page lead that are about one credential or offer, or one business."""
    found = [one["href"].partition("?")[0] for one in browser.page.links if one["href"][0] == "/"]
    return [one for one in found if one.startswith("/account/") and one.count("/") >= deep]


def link(browser: Browser, name: str) -> str:
    """Where the link of that id leads."""
    (found,) = [one["href"] for one in browser.page.links if one.get("id") == name]
    return found


async def every_portal_page(world: PagesWorld, language: str) -> AsyncIterator[tuple[str, Browser]]:
    """Goes through the pages about credentials, those with errors included."""
    await held(world, "first")
    await held(world, "other", "lee", state=CredentialState.REVOKED)
    browser = await at_credentials(world, language=language)
    here = browser.url
    yield "credentials", browser
    await browser.get(f"{here}?state=suspended")
    yield "no credentials", browser
    await browser.get(f"{here}/first/suspend")
    yield "question before an act", browser
    await browser.submit(reason="x" * 201, action="suspend")
    yield "question with an error", browser
    await browser.get(f"{here}/first/revoke")
    yield "question before a revocation", browser
    await browser.get(f"{here}/first/suspend")
    await browser.submit(reason="Sample reason", action="suspend")
    yield "credential", browser
    await browser.get(f"{here}/first/suspend")
    yield "changed", browser
    await browser.get(f"{here}/nonsense")
    yield "unknown", browser
    await browser.get(here)
    await browser.get(link(browser, "to-offers"))
    yield "offers", browser
    await browser.submit(credential="")
    yield "offers with an error", browser
    await browser.submit(credential="representative")
    yield "offer made", browser
    await browser.get(link(browser, "offer"))
    yield "offer", browser
    await browser.submit(action="withdraw")
    yield "withdrawn offer", browser
    await browser.get(link(browser, "new"))
    await browser.submit(credential="representative", grant=BY_SIGN_IN)
    yield "offer by signing in", browser
    yield "businesses", await at_credentials(world, "lee", language)
    weak = await world.browser(language).get("/account/credentials")
    yield "weak", await weak.submit(username="ho", password=PASSWORD)
