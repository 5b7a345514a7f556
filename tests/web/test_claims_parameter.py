"""The claims parameter (OpenID Connect Core 5.5), claims_locales (5.2) and demanded assurance."""

from typing import Any

import orjson
import pytest

from corpid.services.pairwise import ORGANISATION, REPRESENTATIVE
from oidc.records import Client, Grant
from tests.support.browser import ISSUER, Browser
from tests.support.pages_world import PASSWORD, PagesWorld


def claims(**places: Any) -> str:
    return orjson.dumps(places).decode()


async def granted(world: PagesWorld, browser: Browser) -> tuple[Grant, Client]:
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    client = await world.provider.store.read.client(grant.client_id)
    assert client is not None
    return grant, client


async def agreed(world: PagesWorld, username: str = "chan", **changes: Any) -> tuple[Grant, Client]:
    browser = await world.sign_in(username, **changes)
    await browser.submit(action="approve")
    return await granted(world, browser)


def sub_of(world: PagesWorld, number: str, client_id: str = "shop") -> str:
    identify = world.service.foundation.pairwise.identifier
    return identify(f"{client_id}.example", ORGANISATION, f"org-{number}")


# 5.5.1: a demanded subject


@pytest.mark.parametrize("place", ["id_token", "userinfo"])
@pytest.mark.parametrize("form", ["value", "values"])
async def test_core_5_5_1_a_demanded_sub_is_honoured(
    world: PagesWorld, place: str, form: str
) -> None:
    sub = sub_of(world, "23456789")
    wanted = {form: sub if form == "value" else ["stranger", sub]}
    grant, _ = await agreed(world, "lee", claims=claims(**{place: {"sub": wanted}}))
    assert grant.subject == "org-23456789"


@pytest.mark.parametrize("wanted", [{"value": "stranger"}, {"values": []}, {"value": 7}])
async def test_core_5_5_1_or_the_request_fails(world: PagesWorld, wanted: Any) -> None:
    browser = await world.sign_in("lee")
    await browser.submit(organisation="12345678")
    await browser.submit(action="approve")
    text = claims(id_token={"sub": wanted})
    await browser.get(world.request(claims=text, prompt="none", login_hint="brn:12345678"))
    assert browser.answer["error"] == "interaction_required"
    await browser.get(world.request(claims=text, login_hint="brn:12345678"))
    assert "You cannot act for a business here" in browser.page.text
    await browser.submit(action="cancel")
    assert browser.answer["error"] == "access_denied"


async def test_core_5_5_1_two_demands_must_agree(world: PagesWorld) -> None:
    one, other = sub_of(world, "12345678"), sub_of(world, "23456789")
    text = claims(id_token={"sub": {"value": one}}, userinfo={"sub": {"value": other}})
    browser = await world.sign_in("lee", claims=text)
    assert "You cannot act for a business here" in browser.page.text


async def test_core_5_5_1_a_demanded_pair_of_person_and_business(world: PagesWorld) -> None:
    await world.add_client("legacy", subject="representative")
    identify = world.service.foundation.pairwise.identifier
    sub = identify("legacy.example", REPRESENTATIVE, "per-lee\x00org-12345678")
    text = claims(id_token={"sub": {"value": sub}})
    grant, client = await agreed(world, "lee", client_id="legacy", claims=text)
    assert (await world.provider.claims.id_token(grant, client))["sub"] == sub
    colleague = await world.browser().get(world.request(client_id="legacy", claims=text))
    world.wait(60)
    await colleague.submit(username="chan", password=PASSWORD)
    await colleague.submit(otp=world.otp())
    assert "You cannot act for a business here" in colleague.page.text


# 5.5: single claims, where they were asked for, and no others


async def test_core_5_5_a_claim_comes_where_it_was_asked_for(world: PagesWorld) -> None:
    await world.add_client("reader", scope="openid email profile")
    text = claims(id_token={"email": None}, userinfo={"name": {"essential": True}})
    grant, client = await agreed(world, client_id="reader", scope="openid", claims=text)
    port = world.provider.claims
    told, said = await port.id_token(grant, client), await port.userinfo(grant, client)
    assert "name" not in told
    assert "updated_at" not in said  # the scope profile would bring it, nobody asked for it
    assert said["name"] == "Chan Sample"
    assert said["name#zh-Hant"] == "陳樣本"


async def test_core_5_5_a_claim_beside_its_scope_takes_nothing_away(world: PagesWorld) -> None:
    await world.add_client("reader", scope="openid profile")
    text = claims(userinfo={"name": None})
    grant, client = await agreed(world, client_id="reader", scope="openid profile", claims=text)
    said = await world.provider.claims.userinfo(grant, client)
    assert {"name", "updated_at"} <= set(said)


async def test_core_5_5_1_an_essential_claim_that_is_not_known_is_left_out(
    world: PagesWorld,
) -> None:
    await world.add_client("reader", scope="openid email")
    text = claims(userinfo={"email": {"essential": True}, "shoe_size": {"essential": True}})
    grant, client = await agreed(world, client_id="reader", scope="openid", claims=text)
    said = await world.provider.claims.userinfo(grant, client)
    assert set(said) == {"sub", "sub_type", "act"}


async def test_core_5_5_a_claim_of_an_unregistered_scope_is_not_given(world: PagesWorld) -> None:
    await world.add_client("reader", scope="openid")
    text = claims(userinfo={"name": {"essential": True}})
    grant, client = await agreed(world, client_id="reader", scope="openid", claims=text)
    assert "name" not in await world.provider.claims.userinfo(grant, client)


async def test_core_5_2_a_claim_with_a_language_tag(world: PagesWorld) -> None:
    await world.add_client("reader", scope="openid profile")
    text = claims(userinfo={"name#zh-Hant": None})
    grant, client = await agreed(world, client_id="reader", scope="openid", claims=text)
    assert (await world.provider.claims.userinfo(grant, client))["name#zh-Hant"] == "陳樣本"


# 5.2: claims_locales


@pytest.mark.parametrize(
    ("locales", "business", "person"),
    [
        (None, "Sample Kite Trading Limited", "Chan Sample"),
        ("zh-HK", "樣本風箏貿易有限公司", "陳樣本"),
        ("fr zh-Hant en", "樣本風箏貿易有限公司", "陳樣本"),
        ("fr", "Sample Kite Trading Limited", "Chan Sample"),
        ("en zh-Hant", "Sample Kite Trading Limited", "Chan Sample"),
    ],
)
async def test_core_5_2_claims_locales_choose_the_language_of_names(
    world: PagesWorld, locales: str | None, business: str, person: str
) -> None:
    grant, client = await agreed(world, claims_locales=locales)
    said = await world.provider.claims.userinfo(grant, client)
    assert said["sub_attributes"]["entity_name"] == business
    assert said["act"]["sub_attributes"]["name"] == person
    assert said["sub_attributes"]["entity_name#zh-Hant"] == "樣本風箏貿易有限公司"


# 5.5.1.1: acr as an essential claim


async def test_core_5_5_1_1_an_acr_of_several_that_can_be_reached_is_enough(
    world: PagesWorld,
) -> None:
    wanted = {"essential": True, "values": [f"{ISSUER}/acr/loa3", f"{ISSUER}/acr/loa2"]}
    browser = await world.browser().get(
        world.request("kiosk", claims=claims(id_token={"acr": wanted}))
    )
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    await browser.submit(action="approve")
    grant, _ = await granted(world, browser)
    assert grant.acr == f"{ISSUER}/acr/loa2"


async def test_an_acr_that_nobody_can_reach_is_unmet_and_not_denied(world: PagesWorld) -> None:
    wanted = {"essential": True, "value": f"{ISSUER}/acr/loa3"}
    text = claims(id_token={"acr": wanted})
    browser = await world.browser().get(world.request("kiosk", claims=text))
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(action="cancel")
    assert browser.answer["error"] == "unmet_authentication_requirements"
    await browser.get(world.request("kiosk", claims=text, prompt="none"))
    assert browser.answer["error"] == "unmet_authentication_requirements"


async def test_an_acr_that_is_only_wished_for_does_not_stop_anybody(world: PagesWorld) -> None:
    strong = f"{ISSUER}/acr/loa3"
    wishes = (
        {"claims": claims(id_token={"acr": {"value": strong}})},
        {"acr_values": f"urn:strong {strong}"},  # a value that does not exist here
        {"acr_values": "1 2"},
    )
    for asked in wishes:
        browser = await world.browser().get(world.request("kiosk", **asked))
        await browser.submit(username="ho", password=PASSWORD)
        assert "Share with Sample Kiosk?" in browser.page.text


async def test_rfc9470_5_of_acr_values_one_must_be_reached(world: PagesWorld) -> None:
    values = f"{ISSUER}/acr/loa3 {ISSUER}/acr/loa2"
    browser = await world.browser().get(world.request("kiosk", acr_values=values))
    await browser.submit(username="chan", password=PASSWORD)
    assert "Enter your one-time code" in browser.page.text
    other = await world.browser().get(world.request("kiosk", acr_values=values))
    await other.submit(username="ho", password=PASSWORD)
    await other.submit(action="cancel")
    assert other.answer["error"] == "unmet_authentication_requirements"


async def test_registration_2_default_acr_values_count_where_the_request_says_nothing(
    world: PagesWorld,
) -> None:
    await world.add_client("careful", min_acr="loa1", default_acr_values=[f"{ISSUER}/acr/loa2"])
    browser = await world.browser().get(world.request("careful"))
    await browser.submit(username="chan", password=PASSWORD)
    assert "Enter your one-time code" in browser.page.text


async def test_registration_2_default_max_age_asks_for_a_fresh_sign_in(world: PagesWorld) -> None:
    await world.add_client("careful", default_max_age=60)
    browser = await world.sign_in("chan", client_id="careful")
    await browser.submit(action="approve")
    world.wait(61)
    await browser.get(world.request("careful", prompt="none"))
    assert browser.answer["error"] == "login_required"
    await browser.get(world.request("careful", prompt="none", max_age="600"))
    assert "code" in browser.answer
