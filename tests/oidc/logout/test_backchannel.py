"""Back-Channel Logout 1.0 at the running service, on both databases, with real relying parties."""

from typing import Any

import pytest

from corpid.domain.mandate import Side
from corpid.relying_party import RelyingParty, errors
from oidc.provider.endpoints import JWKS
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.logout_receiver import Receiver, receiver, verified


async def checked(
    live: Live, http: Http, client: FapiClient, rp: Receiver, number: int = 1
) -> dict[str, Any]:
    jwks = (await http.get(live.path + JWKS)).json
    return verified(await rp.token(number), jwks, live.issuer, client.client_id)


def sign_out(visitor: Visitor) -> None:
    visitor.open(f"{visitor.home}/sign-out")
    visitor.submit()


async def test_backchannel_2_4_sign_out_sends_every_client_of_the_session_its_own_token(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    async with receiver() as bank, receiver() as shop:
        one = await cast.client(backchannel_logout_uri=bank.uri)
        other = await cast.client(backchannel_logout_uri=shop.uri)
        silent = await cast.client()
        first = await sign_in(http, one, visitor, human)
        second = await sign_in(http, other, visitor, human)
        await sign_in(http, silent, visitor, human)
        sign_out(visitor)
        mine = await checked(live, http, one, bank)
        theirs = await checked(live, http, other, shop)
    assert mine["sid"] == first.claims["sid"]
    assert theirs["sid"] == second.claims["sid"]
    assert mine["sid"] != theirs["sid"]
    assert mine["jti"] != theirs["jti"]
    # The subject is the organisation: by it alone every colleague would be signed out.
    assert "sub" not in mine
    head, _ = bank.requests[0]
    assert head.startswith("POST /backchannel-logout HTTP/1.1\r\n")
    assert "application/x-www-form-urlencoded" in head
    assert (len(bank.requests), len(shop.requests)) == (1, 1)


async def test_backchannel_2_4_sub_is_there_where_it_names_one_person(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    async with receiver() as rp:
        client = await cast.client(subject="representative", backchannel_logout_uri=rp.uri)
        tokens = await sign_in(http, client, visitor, human)
        sign_out(visitor)
        claims = await checked(live, http, client, rp)
    assert (claims["sub"], claims["sid"]) == (tokens.claims["sub"], tokens.claims["sid"])


async def test_our_own_library_obeys_the_token_once(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    async with receiver() as rp:
        client = await cast.client(backchannel_logout_uri=rp.uri)
        tokens = await sign_in(http, client, visitor, human)
        sign_out(visitor)
        token = await rp.token()
    party = RelyingParty(live.issuer, client_id=client.client_id)
    found = await party.verify_logout_token(token)
    assert found.session_id == tokens.claims["sid"]
    with pytest.raises(errors.LogoutInvalid):
        await party.verify_logout_token(token)


async def test_backchannel_2_7_sign_out_ends_the_tokens_but_offline_access(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    online = await sign_in(http, client, visitor, human, scope="openid mandate")
    offline = await sign_in(http, client, visitor, human)
    assert "refresh_token" in offline.tokens
    assert "refresh_token" not in online.tokens
    sign_out(visitor)
    for tokens in (online, offline):
        answer = await client.userinfo(http, tokens.access_token)
        assert answer.status == 401
    form = {"grant_type": "refresh_token", "refresh_token": offline.tokens["refresh_token"]}
    assert "access_token" in await client.token(http, form)


async def test_a_mandate_that_ends_signs_its_holder_out_and_no_colleague(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, director = await cast.acting()
    clerk = await cast.human()
    mandate = await cast.mandate(organisation, clerk)
    async with receiver() as rp:
        client = await cast.client(backchannel_logout_uri=rp.uri)
        tokens = await sign_in(http, client, visitor, clerk)
        with Visitor(live.issuer) as colleague:
            theirs = await sign_in(http, client, colleague, director)
        report = await cast.base.revocation.end_mandate(
            mandate.mandate_id, ACTOR, Side.GRANTOR, "left"
        )
        assert report.logouts == 1
        claims = await checked(live, http, client, rp)
    assert claims["sid"] == tokens.claims["sid"]
    assert claims["sid"] != theirs.claims["sid"]
    assert len(rp.requests) == 1


async def test_a_closed_account_and_a_suspended_organisation_are_told(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    async with receiver() as rp:
        client = await cast.client(backchannel_logout_uri=rp.uri)
        await sign_in(http, client, visitor, human)
        revocation = cast.base.revocation
        report = await revocation.suspend_organisation(
            organisation.organisation_id, ACTOR, "a doubt"
        )
        assert report.logouts == 1
        await checked(live, http, client, rp)
        await revocation.resume_organisation(organisation.organisation_id, ACTOR, "no doubt")
        again = await sign_in(http, client, visitor, human)
        assert (await revocation.close_person(human.person_id, ACTOR, "asked")).logouts == 1
        claims = await checked(live, http, client, rp, 2)
    assert claims["sid"] == again.claims["sid"]


async def test_a_disabled_client_is_told_nothing_more(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    async with receiver() as rp, receiver() as other_rp:
        client = await cast.client(backchannel_logout_uri=rp.uri)
        other = await cast.client(backchannel_logout_uri=other_rp.uri)
        await sign_in(http, client, visitor, human)
        await sign_in(http, other, visitor, human)
        await cast.base.revocation.disable_client(client.client_id, ACTOR)
        sign_out(visitor)
        await checked(live, http, other, other_rp)
    assert rp.requests == []


async def test_signing_in_again_keeps_the_session_and_tells_nobody(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    human = await cast.human(totp=False)
    await cast.director(await cast.organisation(), human)
    async with receiver() as rp:
        client = await cast.client(min_acr="loa1", backchannel_logout_uri=rp.uri)
        before = await sign_in(http, client, visitor, human)
        cookies = dict(visitor.cookies)
        after = await sign_in(http, client, visitor, human, max_age="0")
        assert after.claims["sid"] == before.claims["sid"]
        assert after.claims["auth_time"] >= before.claims["auth_time"]
        # Fixation: whoever knew the cookie of before the sign-in has nothing.
        assert visitor.cookies != cookies
        sign_out(visitor)
        await checked(live, http, client, rp)
    assert len(rp.requests) == 1


async def test_discovery_says_that_logout_tokens_have_a_session(live: Live, http: Http) -> None:
    path = f"{live.path}/.well-known/openid-configuration"
    document = (await http.get(path)).json
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
