"""id_token_hint and a demanded subject: the pair of person and organisation is compared."""

from typing import Any

from corpid.services.pairwise import ORGANISATION, PERSON
from keys import jws
from keys.signer import generate
from tests.support.browser import ISSUER
from tests.support.pages_world import NOW, PASSWORD, PagesWorld


async def hint(world: PagesWorld, person: str, number: str, **changes: Any) -> str:
    """An ID token as this service signs it for the client ``shop``."""
    identify = world.service.foundation.pairwise.identifier
    claims = {
        "iss": ISSUER,
        "aud": "shop",
        "sub": identify("shop.example", ORGANISATION, f"org-{number}"),
        "act": {"sub": identify("shop.example", PERSON, f"per-{person}")},
        "iat": NOW - 90_000,
        "exp": NOW - 89_700,
        **changes,
    }
    return await jws.sign(world.provider.signers.signer("tokens", "ES256"), claims, typ="JWT")


async def test_an_expired_hint_of_the_signed_in_pair_gives_a_code(world: PagesWorld) -> None:
    browser = await world.sign_in("lee", login_hint="brn:23456789")
    await browser.submit(action="approve")
    mine = await hint(world, "lee", "23456789")
    await browser.get(world.request(prompt="none", id_token_hint=mine))
    assert "code" in browser.answer


async def test_a_colleague_with_the_same_subject_is_another_person(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    colleague = await hint(world, "lee", "12345678")
    await browser.get(world.request(prompt="none", id_token_hint=colleague))
    assert browser.answer["error"] == "login_required"
    await browser.get(world.request(id_token_hint=colleague))
    assert "expects somebody else" in browser.page.text
    await browser.submit(username="lee", password=PASSWORD)
    world.wait(30)
    await browser.submit(otp=world.otp())
    await browser.submit(action="approve")
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert (grant.actor, grant.subject) == ("per-lee", "org-12345678")


async def test_the_same_person_for_another_business_is_another_pair(world: PagesWorld) -> None:
    browser = await world.sign_in("lee", login_hint="brn:23456789")
    await browser.submit(action="approve")
    other = await hint(world, "lee", "12345678")
    await browser.get(world.request(prompt="none", id_token_hint=other))
    assert browser.answer["error"] == "consent_required"


async def test_a_hint_that_we_did_not_sign_is_refused(world: PagesWorld) -> None:
    genuine = await hint(world, "chan", "12345678")
    forged = await jws.sign(generate("ES256"), jws.parse(genuine).unverified_payload, typ="JWT")
    foreign = await hint(world, "chan", "12345678", aud="kiosk")
    for bad in (forged, foreign, "nonsense", genuine[:-3]):
        browser = await world.browser().get(world.request(id_token_hint=bad))
        assert browser.answer["error"] == "invalid_request"


async def test_a_demanded_subject_leaves_only_its_business(world: PagesWorld) -> None:
    identify = world.service.foundation.pairwise.identifier
    sub = identify("shop.example", ORGANISATION, "org-23456789")
    claims = f'{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}'
    browser = await world.sign_in("lee", claims=claims)
    assert "Sample Lantern Works Limited" in browser.page.text
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_a_demanded_subject_of_a_stranger_gives_nothing(world: PagesWorld) -> None:
    claims = '{"id_token":{"sub":{"value":"stranger"}}}'
    browser = await world.sign_in("chan", claims=claims)
    assert "You cannot act for a business here" in browser.page.text
