"""What a relying party asks for by name (RFC 9396): who can grant it, and in which words."""

from typing import Any

import orjson
import pytest

from corpid.domain.mandate import HolderKind
from corpid.services.consent import REMEMBERED_DETAILS
from oidc.records import Grant
from tests.support.browser import Browser
from tests.support.pages_world import PagesWorld

OPEN_ACCOUNT = {"type": "hk_corp_mandate", "powers": ["open_account"]}
PAYMENT = {
    "type": "hk_corp_mandate",
    "powers": ["sign_contract"],
    "services": ["loans"],
    "limit": {"amount": "50000.00", "currency": "HKD"},
}
SHARING = {
    "type": "hk_corp_data_sharing",
    "facts": ["entity_name", "registered_address"],
    "purpose": "account_opening",
    "until": "2027-01-31",
}
CREDENTIAL = {"type": "openid_credential", "credential_configuration_id": "company-identity"}
TYPES = ["hk_corp_mandate", "hk_corp_data_sharing", "openid_credential"]


@pytest.fixture
async def bank(world: PagesWorld) -> PagesWorld:
    await world.add_client("bank", authorization_details_types=TYPES)
    return world


def asking(*details: Any, **changes: Any) -> dict[str, Any]:
    return {
        "client_id": "bank",
        "authorization_details": orjson.dumps(details).decode(),
        **changes,
    }


async def grant_of(world: PagesWorld, browser: Browser) -> Grant:
    code = world.provider.hasher.key(browser.answer["code"])
    _, grant = await world.store.read.provider_reads.code(code)
    assert isinstance(grant, Grant)
    return grant


async def test_the_mandate_that_covers_it_is_taken_and_not_the_strongest(bank: PagesWorld) -> None:
    """Lee directs one business and has mandates from two: only a mandate names the power."""
    await bank.add_mandate("23456789", "per-lee")
    browser = await bank.sign_in("lee", **asking(OPEN_ACCOUNT, login_hint="brn:23456789"))
    assert "you can do this for the business, alone: open an account" in browser.page.text
    await browser.submit(action="approve")
    grant = await grant_of(bank, browser)
    assert grant.authority == "man-23456789-per-lee"
    assert grant.authorization_details == ({**OPEN_ACCOUNT, "representation_type": "SOLE"},)


async def test_only_businesses_whose_authority_covers_it_can_be_chosen(bank: PagesWorld) -> None:
    browser = await bank.sign_in("lee", **asking(OPEN_ACCOUNT))
    await browser.submit(action="approve")  # no chooser: one of three is left
    assert (await grant_of(bank, browser)).subject == "org-34567890"


async def test_a_role_in_the_register_is_enough_where_the_client_says_so(bank: PagesWorld) -> None:
    browser = await bank.sign_in("chan", **asking({**OPEN_ACCOUNT, "register_suffices": True}))
    await browser.submit(action="approve")
    assert (await grant_of(bank, browser)).authority == "rep-chan-12345678"


async def test_the_registers_own_power_is_covered_by_a_role(bank: PagesWorld) -> None:
    detail = {"type": "hk_corp_mandate", "powers": ["represent_organisation"]}
    browser = await bank.sign_in("chan", **asking(detail))
    await browser.submit(action="approve")
    assert "code" in browser.answer


@pytest.mark.parametrize(
    "detail",
    [
        OPEN_ACCOUNT,  # a director by the register, for whom the client did not ask
        {**OPEN_ACCOUNT, "powers": ["open_account", "make_payment"]},
        {**PAYMENT, "limit": {"amount": "50000.01", "currency": "HKD"}},
        {**PAYMENT, "limit": {"amount": "10.00", "currency": "USD"}},
    ],
)
async def test_what_no_authority_covers_is_said_and_refused(bank: PagesWorld, detail: Any) -> None:
    if detail != OPEN_ACCOUNT:
        await bank.add_mandate("12345678", "per-chan")
    browser = await bank.sign_in("chan", **asking(detail))
    assert "Your authority does not cover this" in browser.page.text
    assert "alone:" in browser.page.text
    await browser.submit(action="cancel")
    assert browser.answer["error"] == "access_denied"


async def test_a_mandate_within_the_limit_covers_it(bank: PagesWorld) -> None:
    await bank.add_mandate("12345678", "per-chan")
    browser = await bank.sign_in("chan", **asking(PAYMENT))
    assert "up to HKD 50,000.00 for each transaction" in browser.page.text
    assert "for loans" in browser.page.text
    await browser.submit(action="approve")
    assert (await grant_of(bank, browser)).authority == "man-12345678-per-chan"


async def test_a_joint_mandate_does_not_cover_what_one_person_must_have(bank: PagesWorld) -> None:
    await bank.add_mandate("45678901", "per-nobody", HolderKind.PERSON, joint=True)
    browser = await bank.sign_in("nobody", **asking(OPEN_ACCOUNT))
    assert "You cannot act for a business here" in browser.page.text


async def test_silently_what_is_not_covered_is_interaction_required(bank: PagesWorld) -> None:
    browser = await bank.sign_in("chan", client_id="bank")
    await browser.submit(action="approve")
    await browser.get(bank.request(**asking(OPEN_ACCOUNT, prompt="none")))
    assert browser.answer["error"] == "interaction_required"


@pytest.mark.parametrize(
    "detail",
    [
        {"type": "hk_corp_mandate"},
        {**OPEN_ACCOUNT, "powers": []},
        {**OPEN_ACCOUNT, "powers": "open_account"},
        {**OPEN_ACCOUNT, "powers": ["open_account", "open_account"]},
        {**OPEN_ACCOUNT, "powers": ["Open Account"]},
        {**OPEN_ACCOUNT, "power": "x"},
        {**OPEN_ACCOUNT, "mandate_id": "x"},
        {**OPEN_ACCOUNT, "representation_type": "JOINT"},
        {**OPEN_ACCOUNT, "register_suffices": "yes"},
        {**OPEN_ACCOUNT, "services": [""]},
        {**OPEN_ACCOUNT, "limit": "50000.00"},
        {**OPEN_ACCOUNT, "limit": {"amount": 5, "currency": "HKD"}},
        {**OPEN_ACCOUNT, "limit": {"amount": "5", "currency": "HK"}},
        {**OPEN_ACCOUNT, "limit": {"amount": "5", "currency": "HKD", "per": "day"}},
        {**SHARING, "facts": ["shoe_size"]},
        {**SHARING, "facts": []},
        {**SHARING, "purpose": "selling it"},
        {**SHARING, "purpose": ["account_opening"]},
        {**SHARING, "until": "2026-01-01"},
        {**SHARING, "until": "2099-01-01"},
        {**SHARING, "until": "20270131"},
        {**SHARING, "until": 5},
        {**SHARING, "more": 1},
        {"type": "hk_corp_data_sharing", "facts": ["entity_name"]},
        {**CREDENTIAL, "credential_configuration_id": "passport"},
        {**CREDENTIAL, "credential_configuration_id": ["company-identity"]},
        {**CREDENTIAL, "claims": []},
        {**CREDENTIAL, "claims": [{"path": [1.5]}]},
        {"type": "openid_credential"},
    ],
)
async def test_rfc9396_5_a_malformed_detail_of_ours_is_refused(
    bank: PagesWorld, detail: Any
) -> None:
    browser = await bank.browser().get(bank.request(**asking(detail)))
    assert browser.answer["error"] == "invalid_authorization_details"


async def test_openid4vci_5_1_1_unknown_members_of_a_credential_are_ignored(
    bank: PagesWorld,
) -> None:
    asked = {**CREDENTIAL, "claims": [{"path": ["legal_person_name"]}], "more": 1}
    browser = await bank.sign_in("chan", **asking(asked))
    assert "it may fetch the credential “Company identity” into a wallet" in browser.page.text
    await browser.submit(action="approve")
    (kept,) = (await grant_of(bank, browser)).authorization_details
    assert kept["credential_identifiers"] == ["company-identity/1"]
    assert "more" not in kept


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Purpose: opening an account. Until the end of 31 January 2027."),
        ("zh-Hant", "用途：開立帳戶。有效至 2027年1月31日 完結。"),
        ("zh-Hans", "用途：开立账户。有效期至 2027年1月31日。"),
    ],
)
async def test_sharing_is_asked_for_in_the_readers_language(
    bank: PagesWorld, language: str, words: str
) -> None:
    browser = await bank.sign_in("chan", **asking(SHARING, ui_locales=language))
    assert words in browser.page.text


async def test_shared_facts_are_told_at_userinfo_until_the_day(bank: PagesWorld) -> None:
    browser = await bank.sign_in("chan", **asking(SHARING, scope="openid offline_access"))
    await browser.submit(action="approve")
    grant = await grant_of(bank, browser)
    client = await bank.provider.store.read.client("bank")
    assert client is not None
    told = await bank.provider.claims.userinfo(grant, client)
    assert told["shared_data"] == [
        {
            "purpose": "account_opening",
            "until": "2027-01-31",
            "facts": {
                "entity_name": "Sample Kite Trading Limited",
                "registered_address": "1 Sample Street, Hong Kong",
            },
        }
    ]
    assert "sub_attributes" not in told
    assert bank.provider.claims.authorization_details(grant, client, "") == [SHARING]
    bank.wait(80 * 86_400)
    assert "shared_data" not in await bank.provider.claims.userinfo(grant, client)
    assert bank.provider.claims.authorization_details(grant, client, "") == []


async def test_consent_is_for_exactly_these_details(bank: PagesWorld) -> None:
    await bank.add_mandate("12345678", "per-chan")
    browser = await bank.sign_in("chan", **asking(OPEN_ACCOUNT))
    await browser.submit(action="approve")
    await browser.get(bank.request(**asking(OPEN_ACCOUNT, prompt="none")))
    assert "code" in browser.answer
    more = {**OPEN_ACCOUNT, "powers": ["open_account", "sign_contract"]}
    await browser.get(bank.request(**asking(more, prompt="none")))
    assert browser.answer["error"] == "consent_required"


async def test_a_consent_remembers_a_bounded_number_of_details(bank: PagesWorld) -> None:
    await bank.add_mandate("12345678", "per-chan")
    browser = await bank.sign_in("chan", client_id="bank")
    await browser.submit(action="approve")
    for amount in range(1, REMEMBERED_DETAILS + 5):
        bank.wait(1)
        limit = {"amount": f"{amount}.00", "currency": "HKD"}
        await browser.get(bank.request(**asking({**OPEN_ACCOUNT, "limit": limit})))
        await browser.submit(action="approve")
    consent = await bank.store.read.sign_ins.consent("per-chan", "org-12345678", "bank")
    details = [one for one in orjson.loads(consent.claims) if one.startswith("detail:")]
    assert len(details) == REMEMBERED_DETAILS + 1


async def test_each_reader_knows_the_mandate_by_its_own_name(bank: PagesWorld) -> None:
    await bank.add_mandate("12345678", "per-chan")
    browser = await bank.sign_in("chan", **asking(OPEN_ACCOUNT))
    await browser.submit(action="approve")
    grant = await grant_of(bank, browser)
    client = await bank.provider.store.read.client("bank")
    assert client is not None
    claims = bank.provider.claims
    (mine,) = claims.authorization_details(grant, client, "")
    (elsewhere,) = claims.authorization_details(grant, client, "https://api.example")
    assert mine["mandate_id"] == (await claims.id_token(grant, client))["mandate"]["mandate_id"]
    assert mine["mandate_id"] != elsewhere["mandate_id"]
