"""A client's request to a person (CIBA), and the person's way to it."""

from typing import Any

from oidc.provider.grants.ciba import GRANT_TYPE as CIBA
from oidc.records import PolledRequest
from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, SCOPE, PagesWorld

CODE = "cid_ba_sample"


async def asked(world: PagesWorld, code: str = CODE, **changes: Any) -> PolledRequest:
    """A request of the shop, as the endpoint keeps it."""
    now_ms = int(world.now * 1000)
    given: dict[str, Any] = {
        "code_hash": world.provider.hasher.hash(code),
        "grant_type": CIBA,
        "client_id": "shop",
        "user_code_hash": None,
        "subject": None,
        "actor": "per-chan",
        "parameters": {"scope": SCOPE, "binding_message": "W4SCT", "login_hint": "chan"},
        "sealed": None,
        "interval": 5000,
        "next_poll_at": now_ms,
        "created_at": now_ms,
        "expires_at": now_ms + 600_000,
    }
    row = PolledRequest(**{**given, **changes})
    await world.write(lambda uow: uow.provider_writes.add_polled_request(row))
    return row


async def account(
    world: PagesWorld, browser: Browser | None = None, username: str = "chan"
) -> Browser:
    """A browser that went to its requests and signed in."""
    browser = await (browser or world.browser()).get("/requests")
    await browser.submit(username=username, password=PASSWORD)
    return await browser.submit(otp=world.otp())


async def look(browser: Browser) -> Browser:
    form = browser.page.form_with("request")
    return await browser.post("/requests", form.fields)
