"""A representative fetches a credential with a wallet, sees it, and revokes it, in a browser."""

from urllib.parse import parse_qs, urlsplit

import pytest

from corpid.relying_party import Policy, RelyingParty
from tests.flows.test_issuance import until_revoked
from tests.support.browsing import Window
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.wallet import PRE_AUTHORIZED_CODE, Wallet, credential_of


@pytest.mark.parametrize("live", ["postgresql-path"], indirect=True)
async def test_from_the_offer_to_the_revocation(window: Window, live: Live, cast: Cast) -> None:
    organisation, human = await cast.acting()
    page = window.page
    await page.goto(f"{live.issuer}/account/credentials")
    await window.sign_in(human)
    await page.click("#to-offers")
    await page.check("input[value=representative]")
    await page.click("#make button")
    code = await page.inner_text("#transaction-code")
    await page.click("#offer")
    assert "Waiting" in await page.inner_text("#state")
    drawn = await page.locator(".qr svg").bounding_box()
    assert drawn is not None
    assert drawn["width"] == drawn["height"] > 200

    http, wallet = Http(live.port), Wallet(live.issuer)
    link = await page.get_attribute("#link-1", "href") or ""
    reference = parse_qs(urlsplit(link).query)["credential_offer_uri"][0]
    offer = (await http.get(urlsplit(reference).path)).expect(200).json
    (kind,) = offer["credential_configuration_ids"]
    pre_authorized = offer["grants"][PRE_AUTHORIZED_CODE]["pre-authorized_code"]
    credential = credential_of(await wallet.credential(http, pre_authorized, code, kind))
    await http.close()

    await page.click("#again")
    assert "A wallet has taken it." in await page.inner_text("#state")
    await page.click("#credentials")
    assert organisation.number in await page.inner_text("main")
    (entry,) = await page.locator("#credentials li").all()
    assert "Valid" in await entry.inner_text()
    await entry.locator("a").click()
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    await party.verify_credential(credential, audience=None, nonce=None)

    await page.click("#revoke")
    assert await page.is_checked("#reach-credential")
    await page.check("#reach-wallet")
    await page.fill("#reason", "Sample reason")
    await page.click("button[value=revoke]")
    assert "Revoked" in await window.title()
    assert "Sample reason" in await page.inner_text(".timeline")
    await until_revoked(party, credential)
