"""Exactly one organisation per authorization: choosing it, hinting at it, not being able to."""

import pytest

from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, authorize, sign_in
from tests.support.live_visitor import Visitor, answer_in


async def test_of_several_organisations_the_chosen_one_is_acted_for(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    first, human = await cast.acting()
    second = await cast.organisation()
    await cast.mandate(second, human, "file_returns")
    client = await cast.client()
    done = await sign_in(http, client, visitor, human, organisation=second.number)
    assert visitor.steps == ["sign-in", "code", "organisation", "consent"]
    told = (await client.userinfo(http, done.access_token)).expect(200).json
    assert told["sub_attributes"]["entity_reg_number"] == second.number
    assert told["mandate"]["powers"] == ["file_returns"]
    assert told["mandate"]["limit"] == {"amount": "50000.00", "currency": "HKD"}

    # The choice belongs to the authorization and not to the session: silently, nobody knows.
    _, where = await authorize(http, client, visitor, prompt="none", state="s")
    answer = answer_in(where)
    assert answer["error"] == "account_selection_required"
    assert (answer["iss"], answer["state"]) == (live.issuer, "s")

    # The next sign-in, with the session, may act for the other one, and asks for its consent.
    other = await sign_in(http, client, visitor, human, organisation=first.number)
    assert visitor.steps == ["organisation", "consent"]
    assert other.claims["sub"] != done.claims["sub"]
    assert other.claims["act"]["sub"] == done.claims["act"]["sub"]


async def test_login_hint_brn_names_the_organisation(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    client = await cast.client()
    hint = f"brn:{second.number}"
    done = await sign_in(http, client, visitor, human, organisation=second.number, login_hint=hint)
    told = (await client.userinfo(http, done.access_token)).expect(200).json
    assert told["sub_attributes"]["entity_reg_number"] == second.number
    silent = await sign_in(http, client, visitor, None, login_hint=hint, prompt="none")
    assert silent.claims["sub"] == done.claims["sub"]


@pytest.mark.parametrize("hint", ["brn:99999998", "brn:not a number", "brn:", "BRN:1"])
async def test_a_login_hint_for_another_business_gives_the_choice(
    http: Http, cast: Cast, visitor: Visitor, hint: str
) -> None:
    _, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    client = await cast.client()
    _, answer = await answered(http, client, visitor, human, login_hint=hint)
    assert "code" in answer
    assert "organisation" in visitor.steps


async def test_prompt_select_account_asks_again(http: Http, cast: Cast, visitor: Visitor) -> None:
    first, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    client = await cast.client()
    await sign_in(http, client, visitor, human, organisation=first.number)
    hint = f"brn:{first.number}"
    _, answer = await answered(
        http, client, visitor, human, organisation=second.number,
        login_hint=hint, prompt="select_account",
    )  # fmt: skip
    assert "code" in answer
    assert "organisation" in visitor.steps


async def test_an_id_token_hint_of_this_person_and_organisation_goes_on_silently(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    first, human = await cast.acting()
    second = await cast.organisation()
    await cast.director(second, human)
    client = await cast.client()
    done = await sign_in(http, client, visitor, human, organisation=second.number)
    silent = await sign_in(
        http, client, visitor, None, id_token_hint=done.tokens["id_token"], prompt="none"
    )
    assert silent.claims["sub"] == done.claims["sub"]
    assert first.number != second.number


async def test_an_id_token_hint_of_a_colleague_is_not_this_person(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    colleague = await cast.human()
    await cast.director(organisation, colleague)
    client = await cast.client()
    with Visitor(live.issuer) as other_browser:
        hers = await sign_in(http, client, other_browser, colleague)
    mine = await sign_in(http, client, visitor, human)
    assert mine.claims["sub"] == hers.claims["sub"]
    _, where = await authorize(
        http, client, visitor, id_token_hint=hers.tokens["id_token"], prompt="none"
    )
    assert answer_in(where)["error"] in {"login_required", "interaction_required"}
