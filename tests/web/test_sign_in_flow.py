"""From the authorization request to the code, page by page."""

from datetime import datetime

import pytest

from corpid.domain.mandate import HolderKind
from tests.support.browser import ISSUER, REDIRECT
from tests.support.pages_world import NOW, PASSWORD, PagesWorld


async def test_password_and_code_then_consent_end_with_a_code(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    assert "Sample Kite Trading Limited" in browser.page.text
    await browser.submit(action="approve")
    answer = browser.answer
    assert answer["code"].startswith("cid_ac_")
    assert answer["state"] == "af0ifjsldkj"
    assert answer["iss"] == ISSUER


async def test_the_grant_states_who_acts_for_whom_and_how_they_signed_in(world: PagesWorld) -> None:
    browser = await world.sign_in("chan", scope="openid mandate")
    await browser.submit(action="approve")
    found = await world.store.read.provider_reads.code(
        world.provider.hasher.key(browser.answer["code"])
    )
    assert found is not None
    code, grant = found
    assert (grant.subject, grant.actor) == ("org-12345678", "per-chan")
    assert grant.authority == "rep-chan-12345678"
    assert grant.acr == f"{ISSUER}/acr/loa2"
    assert grant.amr == ("pwd", "otp")
    assert grant.auth_time == NOW
    assert grant.scope == ("openid", "mandate")
    assert grant.nonce == "n-0S6_WzA2Mj"
    assert code.redirect_uri == REDIRECT
    assert code.expires_at == (NOW + 60) * 1000


async def test_a_grant_without_offline_access_ends_with_the_session(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert grant.expires_at == (NOW + 8 * 3600) * 1000


@pytest.mark.parametrize(
    ("valid_until", "end"), [("2026-11-20", "2026-11-20T16:00:00+00:00"), ("2027-12-31", None)]
)
async def test_a_grant_ends_no_later_than_the_mandate_or_the_policy(
    world: PagesWorld, valid_until: str, end: str | None
) -> None:
    await world.add_mandate("23456789", "per-nobody", valid_until=valid_until)
    browser = await world.sign_in("nobody", scope="openid offline_access")
    await browser.submit(action="approve")
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    policy = NOW + world.provider.config.lifetimes.refresh_token
    assert grant.expires_at == (datetime.fromisoformat(end).timestamp() if end else policy) * 1000


async def test_with_session_one_authority_and_consent_no_page_is_needed(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    world.wait(60)
    await browser.get(world.request(state="again"))
    assert browser.answer["state"] == "again"
    assert "code" in browser.answer
    await browser.get(world.request(prompt="none"))
    assert "code" in browser.answer


async def test_loa1_is_enough_where_the_client_says_so(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request("kiosk"))
    await browser.submit(username="ho", password=PASSWORD)
    await browser.submit(action="approve")
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert (grant.acr, grant.amr) == (f"{ISSUER}/acr/loa1", ("pwd",))


async def test_a_loa1_session_is_stepped_up_with_a_code_only(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request("kiosk"))
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(action="approve")
    await browser.get(world.request("shop"))
    assert "otp" in browser.page.form_with("otp").names
    await browser.submit(otp=world.otp())
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_acr_values_ask_for_more_than_the_client_must_have(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request("kiosk", acr_values=f"{ISSUER}/acr/loa2"))
    await browser.submit(username="chan", password=PASSWORD)
    assert browser.page.form_with("otp")


async def test_acr_values_are_a_wish_that_need_not_come_true(world: PagesWorld) -> None:
    wish = f"{ISSUER}/acr/loa4 {ISSUER}/acr/loa2 urn:unknown"
    browser = await world.browser().get(world.request("kiosk", acr_values=wish))
    await browser.submit(username="ho", password=PASSWORD)
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_an_account_without_codes_cannot_reach_loa2(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request("shop"))
    await browser.submit(username="ho", password=PASSWORD)
    assert "A stronger sign-in is needed" in browser.page.text
    await browser.submit(action="cancel")
    assert browser.answer["error"] == "unmet_authentication_requirements"


async def test_somebody_without_authority_is_told_so(world: PagesWorld) -> None:
    browser = await world.sign_in("nobody")
    assert "You cannot act for a business here" in browser.page.text


async def test_an_essential_acr_that_does_not_exist_is_refused(world: PagesWorld) -> None:
    claims = '{"id_token":{"acr":{"essential":true,"values":["urn:nothing"]}}}'
    browser = await world.browser().get(world.request(claims=claims))
    assert browser.answer["error"] == "unmet_authentication_requirements"


async def test_an_essential_acr_is_a_demand(world: PagesWorld) -> None:
    claims = f'{{"id_token":{{"acr":{{"essential":true,"value":"{ISSUER}/acr/loa3"}}}}}}'
    browser = await world.browser().get(world.request("kiosk", claims=claims))
    await browser.submit(username="chan", password=PASSWORD)
    assert "A stronger sign-in is needed" in browser.page.text


# prompt and max_age (OpenID Connect Core 3.1.2.1)


async def test_prompt_login_asks_for_the_password_again(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    world.wait(90)
    await browser.get(world.request(prompt="login"))
    await browser.submit(username="chan", password=PASSWORD)
    await browser.submit(otp=world.otp())
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert grant.auth_time == NOW + 90


async def test_max_age_counts_from_the_sign_in(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    world.wait(100)
    await browser.get(world.request(max_age="101"))
    assert "code" in browser.answer
    await browser.get(world.request(max_age="100"))
    assert browser.page.form_with("password")
    await browser.get(world.request(max_age="100", prompt="none"))
    assert browser.answer["error"] == "login_required"


async def test_max_age_zero_means_sign_in_now(world: PagesWorld) -> None:
    browser = await world.sign_in("chan", max_age="0")
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_prompt_none_without_session_is_login_required(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request(prompt="none"))
    assert browser.answer["error"] == "login_required"
    assert browser.answer["iss"] == ISSUER
    assert browser.answer["state"] == "af0ifjsldkj"


async def test_prompt_none_with_too_weak_a_session_is_login_required(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request("kiosk"))
    await browser.submit(username="chan", password=PASSWORD)
    await browser.get(world.request("shop", prompt="none"))
    assert browser.answer["error"] == "login_required"


async def test_prompt_none_without_consent_is_consent_required(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "consent_required"


async def test_prompt_none_with_several_businesses_is_account_selection_required(
    world: PagesWorld,
) -> None:
    browser = await world.sign_in("lee")
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "account_selection_required"


async def test_prompt_none_without_authority_is_interaction_required(world: PagesWorld) -> None:
    browser = await world.sign_in("nobody")
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "interaction_required"


async def test_prompt_consent_asks_again(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    await browser.get(world.request(prompt="consent"))
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_prompt_select_account_shows_even_a_single_choice(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="approve")
    await browser.get(world.request(prompt="select_account"))
    form = browser.page.form_with("organisation")
    assert form.fields["organisation"] == "12345678"
    await browser.submit(organisation="12345678")
    assert "code" in browser.answer


# Exactly one organisation per authorization


async def test_the_chooser_offers_what_the_person_may_act_for(world: PagesWorld) -> None:
    browser = await world.sign_in("lee")
    form = browser.page.form_with("organisation")
    assert form.names.count("organisation") == 3
    assert "organisation" not in form.fields, "nothing is chosen beforehand"
    await browser.submit(organisation="34567890")
    assert "樣本茶莊" in browser.page.text
    assert "Up to HKD 50,000.00 for each transaction." in browser.page.text
    assert "31 December 2027" in browser.page.text
    await browser.submit(action="approve")
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert grant.subject == "org-34567890"
    assert grant.expires_at <= (NOW + 8 * 3600) * 1000


async def test_an_organisation_that_was_not_offered_is_not_taken(world: PagesWorld) -> None:
    browser = await world.sign_in("lee")
    await browser.submit(organisation="45678901")
    assert browser.response.status_code == 400
    assert "no longer act" in browser.page.text


async def test_an_authority_that_ended_is_not_offered(world: PagesWorld) -> None:
    await world.end_director("lee", "23456789")
    browser = await world.sign_in("lee")
    assert browser.page.form_with("organisation").names.count("organisation") == 2


async def test_login_hint_preselects_the_business(world: PagesWorld) -> None:
    browser = await world.sign_in("lee", login_hint="brn:23456789-000")
    assert "Sample Lantern Works Limited" in browser.page.text
    await browser.submit(action="approve")
    await browser.get(world.request(login_hint="brn:23456789", prompt="none"))
    assert "code" in browser.answer


@pytest.mark.parametrize("hint", ["brn:45678901", "brn:nonsense"])
async def test_login_hint_for_another_business_gives_the_choice(
    world: PagesWorld, hint: str
) -> None:
    browser = await world.sign_in("lee", login_hint=hint)
    assert browser.page.form_with("organisation")


async def test_any_other_login_hint_fills_in_the_username(world: PagesWorld) -> None:
    browser = await world.browser().get(world.request(login_hint="chan"))
    assert browser.page.form_with("username").fields["username"] == "chan"


async def test_an_agent_firm_acts_by_the_mandate_given_to_it(world: PagesWorld) -> None:
    await world.add_director("nobody", "45678901")
    await world.add_mandate("23456789", "org-45678901", HolderKind.ORGANISATION)
    browser = await world.sign_in("nobody", login_hint="brn:23456789")
    assert (
        "authorised Sample Secretaries Limited to: open an account, sign contracts"
        in browser.page.text
    )
    await browser.submit(action="approve")
    assert "code" in browser.answer


async def test_consent_for_one_business_does_not_count_for_another(world: PagesWorld) -> None:
    browser = await world.sign_in("lee", login_hint="brn:23456789")
    await browser.submit(action="approve")
    await browser.get(world.request(login_hint="brn:12345678", prompt="none"))
    assert browser.answer["error"] == "consent_required"


async def test_consent_of_a_colleague_does_not_count(world: PagesWorld) -> None:
    chan = await world.sign_in("chan")
    await chan.submit(action="approve")
    lee = await world.sign_in("lee", login_hint="brn:12345678")
    assert lee.page.form_with("action")
    await lee.get(world.request(login_hint="brn:12345678", prompt="none"))
    assert lee.answer["error"] == "consent_required"


# Consent


async def test_more_scopes_need_a_new_consent_and_fewer_do_not(world: PagesWorld) -> None:
    browser = await world.sign_in("chan", scope="openid entity.identity")
    await browser.submit(action="approve")
    await browser.get(world.request(scope="openid"))
    assert "code" in browser.answer
    await browser.get(world.request(scope="openid email"))
    assert "your e-mail address" in browser.page.text
    await browser.submit(action="approve")
    await browser.get(world.request(scope="openid email entity.identity", prompt="none"))
    assert "code" in browser.answer


async def test_single_claims_need_a_new_consent_too(world: PagesWorld) -> None:
    browser = await world.sign_in("chan", scope="openid")
    await browser.submit(action="approve")
    claims = '{"userinfo":{"email":null}}'
    await browser.get(world.request(scope="openid", claims=claims))
    assert "your e-mail address" in browser.page.text
    await browser.submit(action="approve")
    await browser.get(world.request(scope="openid", claims=claims, prompt="none"))
    assert "code" in browser.answer


async def test_a_refusal_goes_to_the_client_and_nothing_is_remembered(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await browser.submit(action="deny")
    assert browser.answer["error"] == "access_denied"
    assert browser.answer["iss"] == ISSUER
    await browser.get(world.request(prompt="none"))
    assert browser.answer["error"] == "consent_required"


async def test_consent_counts_only_for_what_was_shown(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    form = browser.page.form_with("action")
    await browser.post(browser.url, {**form.fields, "seen": "x" * 43, "action": "approve"})
    assert browser.response.status_code == 409
    assert "Something has changed" in browser.page.text


async def test_an_authority_that_ends_before_the_yes_gives_no_code(world: PagesWorld) -> None:
    browser = await world.sign_in("chan")
    await world.end_director("chan", "12345678")
    await browser.submit(action="approve")
    assert "You cannot act for a business here" in browser.page.text
