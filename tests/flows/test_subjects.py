"""Who is who to whom: colleagues at one client, representatives, sectors."""

from corpid.domain.mandate import Side
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import authorize, sign_in
from tests.support.live_visitor import Visitor, answer_in


async def test_two_colleagues_at_one_client_share_sub_and_nothing_else(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, one = await cast.acting()
    two = await cast.human()
    mandate = await cast.mandate(organisation, two)
    client = await cast.client()
    mine = await sign_in(http, client, visitor, one)
    with Visitor(live.issuer) as other_browser:
        hers = await sign_in(http, client, other_browser, two)
        assert "consent" in other_browser.steps, "a colleague's consent does not count"
    assert mine.claims["sub"] == hers.claims["sub"]
    assert mine.claims["act"]["sub"] != hers.claims["act"]["sub"]
    assert mine.claims["sid"] != hers.claims["sid"]
    assert mine.claims["mandate"]["mandate_id"] != hers.claims["mandate"]["mandate_id"]

    # Her authority ends; mine, of the same sub at the same client, goes on.
    await cast.base.revocation.end_mandate(mandate.mandate_id, ACTOR, Side.GRANTOR, "test")
    ended = await client.send_token_request(
        http, {"grant_type": "refresh_token", "refresh_token": hers.tokens["refresh_token"]}
    )
    assert ended.answer.expect(400).error == "invalid_grant"
    tokens = await client.token(
        http, {"grant_type": "refresh_token", "refresh_token": mine.tokens["refresh_token"]}
    )
    told = (await client.userinfo(http, tokens["access_token"])).expect(200).json
    assert told["act"]["sub"] == mine.claims["act"]["sub"]


async def test_in_one_browser_the_next_person_is_another_session(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, one = await cast.acting()
    two = await cast.human()
    await cast.director(organisation, two)
    client = await cast.client()
    mine = await sign_in(http, client, visitor, one)
    hers = await sign_in(http, client, visitor, two, prompt="login")
    assert visitor.steps[0] == "sign-in"
    assert hers.claims["act"]["sub"] != mine.claims["act"]["sub"]
    assert hers.claims["sid"] != mine.claims["sid"]
    # The session before is over, as if that person had signed out (docs/flows/logout.md).
    (await client.userinfo(http, mine.access_token)).expect(401)
    told = (await client.userinfo(http, hers.access_token)).expect(200).json
    assert told["act"]["sub"] == hers.claims["act"]["sub"]
    silent = await sign_in(http, client, visitor, None, prompt="none")
    assert silent.claims["act"]["sub"] == hers.claims["act"]["sub"]


async def test_subject_representative_keeps_colleagues_apart(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, one = await cast.acting()
    two, other = await cast.human(), await cast.organisation()
    await cast.director(organisation, two)
    await cast.director(other, one)
    client = await cast.client(subject="representative")
    mine = await sign_in(http, client, visitor, one, organisation=organisation.number)
    with Visitor(live.issuer) as browser:
        hers = await sign_in(http, client, browser, two)
    elsewhere = await sign_in(http, client, visitor, one, organisation=other.number)
    subjects = {mine.claims["sub"], hers.claims["sub"], elsewhere.claims["sub"]}
    assert len(subjects) == 3
    assert mine.claims["sub_type"] == "representative"
    told = (await client.userinfo(http, mine.access_token)).expect(200).json
    assert told["sub"] == mine.claims["sub"]
    introspected = await client.introspect(http, mine.access_token)
    assert introspected["sub"] == mine.claims["sub"], "one token, one subject"


async def test_sectors_share_neither_subject_nor_mandate_nor_status_entry(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    await cast.mandate(organisation, human)
    bank, portal = await cast.client(), await cast.client()
    sister = await cast.client(sector=f"{bank.client_id}.example")
    at_bank = (await sign_in(http, bank, visitor, human)).claims
    at_portal = (await sign_in(http, portal, visitor, human)).claims
    at_sister = (await sign_in(http, sister, visitor, human)).claims
    for name in ("sub", "sid"):
        assert at_bank[name] != at_portal[name]
    assert at_bank["act"]["sub"] != at_portal["act"]["sub"]
    assert at_bank["mandate"]["mandate_id"] != at_portal["mandate"]["mandate_id"]
    entries = [claims["mandate"]["status"]["status_list"] for claims in (at_bank, at_portal)]
    assert entries[0] != entries[1]
    same = {"type", "powers", "limit", "valid_from", "valid_until", "representation_type"}
    assert {n: at_bank["mandate"][n] for n in same} == {n: at_portal["mandate"][n] for n in same}
    # One sector, two clients: the same subjects, the same mandate, the same entry.
    assert at_bank["sub"] == at_sister["sub"]
    assert at_bank["mandate"] == at_sister["mandate"]


async def test_another_clients_code_and_refresh_token_are_useless(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    bank, thief = await cast.client(), await cast.client()
    done = await sign_in(http, bank, visitor, human)
    fields = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    refused = await thief.send_token_request(http, fields)
    assert refused.answer.expect(400).error == "invalid_grant"
    assert await thief.introspect(http, done.access_token) == {"active": False}
    verifier, where = await authorize(http, bank, visitor, prompt="none")
    code = answer_in(where)["code"]
    refused = await thief.send_token_request(http, bank.redemption(code, verifier))
    assert refused.answer.expect(400).error == "invalid_grant"
    await bank.token(http, bank.redemption(code, verifier))
