"""Native applications (RFC 8252): schemes of their own, loopback, and consent each time."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.browser import Browser
from tests.support.pages_world import PASSWORD, PagesWorld

OWN_SCHEME = "com.sample-bank.app:/callback"
LOOPBACK = "http://127.0.0.1/callback"


@pytest.fixture
async def app(world: PagesWorld) -> PagesWorld:
    await world.add_client(
        "app",
        client_name="Sample Bank App",
        redirect_uris=[OWN_SCHEME, LOOPBACK, "https://app.sample-bank.example/callback"],
        token_endpoint_auth_method="none",
    )
    return world


async def signed_in(world: PagesWorld, redirect_uri: str) -> Browser:
    browser = await world.browser().get(world.request("app", redirect_uri=redirect_uri))
    await browser.submit(username="chan", password=PASSWORD)
    return await browser.submit(otp=world.otp())


def answered(browser: Browser) -> dict[str, str]:
    query = urlsplit(browser.response.headers["location"]).query
    return {name: one for name, (one,) in parse_qs(query).items()}


@pytest.mark.parametrize("redirect_uri", [OWN_SCHEME, "http://127.0.0.1:51004/callback"])
async def test_rfc8252_7_the_code_goes_to_the_application(
    app: PagesWorld, redirect_uri: str
) -> None:
    browser = await signed_in(app, redirect_uri)
    assert "form-action 'self' " in browser.response.headers["content-security-policy"]
    await browser.submit(action="approve")
    location = browser.response.headers["location"]
    assert location.startswith(f"{redirect_uri}?code=cid_ac_")


async def test_the_policy_of_the_page_names_the_scheme(app: PagesWorld) -> None:
    browser = await signed_in(app, OWN_SCHEME)
    policy = browser.response.headers["content-security-policy"]
    assert "form-action 'self' com.sample-bank.app:;" in policy


@pytest.mark.parametrize("redirect_uri", [OWN_SCHEME, "http://127.0.0.1:51004/callback"])
async def test_rfc8252_8_6_an_application_that_may_be_another_is_agreed_to_each_time(
    app: PagesWorld, redirect_uri: str
) -> None:
    browser = await signed_in(app, redirect_uri)
    assert "This counts for this one time" in browser.page.text
    assert "remembered" not in browser.page.text
    await browser.submit(action="approve")
    await browser.get(app.request("app", redirect_uri=redirect_uri))
    assert browser.page.form_with("action").fields["step"] == "consent"
    await browser.get(app.request("app", redirect_uri=redirect_uri, prompt="none"))
    assert answered(browser)["error"] == "consent_required"


async def test_rfc8252_7_2_a_claimed_https_address_is_agreed_to_once(app: PagesWorld) -> None:
    claimed = "https://app.sample-bank.example/callback"
    browser = await signed_in(app, claimed)
    await browser.submit(action="approve")
    await browser.get(app.request("app", redirect_uri=claimed, prompt="none"))
    assert "code" in answered(browser)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "com.sample-bank.app:/callback/",
        "com.sample-bank.app://callback",
        "com.sample-bank.other:/callback",
        "COM.sample-bank.app:/callback",
    ],
)
async def test_rfc9700_4_1_3_a_scheme_of_ones_own_is_compared_as_a_string(
    app: PagesWorld, redirect_uri: str
) -> None:
    browser = await app.browser().get(app.request("app", redirect_uri=redirect_uri))
    assert browser.response.status_code == 400
    assert "location" not in browser.response.headers
