"""Backchannel authentication at the running service (CIBA Core 1.0): poll and ping."""

import asyncio
import json
from typing import Any

import pytest

from corpid.services.client_backchannel import BackchannelAuthentication
from corpid.services.client_metadata import CIBA
from examples.demo.browser import one_time_code
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, Human
from tests.support.live_visitor import Visitor
from tests.support.logout_receiver import receiver
from tests.support.wallet import unverified_payload

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


class Bank:
    """A client that asks, while its customer is elsewhere."""

    def __init__(self, http: Http, client: FapiClient) -> None:
        self.http, self.client = http, client
        self.auth_req_id = ""

    async def ask(self, **form: str) -> Answer:
        where = f"{self.client.path}/backchannel-authentication"
        given = {"scope": "openid mandate", "binding_message": "W4SCT", **form}
        answer = await self.http.form(where, {**given, **self.client.authentication()})
        if answer.status == 200:
            self.auth_req_id = answer.json["auth_req_id"]
        return answer

    async def poll(self) -> Answer:
        form = {"grant_type": CIBA, "auth_req_id": self.auth_req_id}
        return (await self.client.send_token_request(self.http, form)).answer


@pytest.fixture
async def bank(http: Http, cast: Cast) -> Bank:
    return Bank(http, await cast.client(grant_types=(CIBA, "refresh_token"), redirect_uris=()))


def answer(visitor: Visitor, human: Human, action: str = "approve") -> str:
    """The person's way through the pages; where it ends."""
    where = visitor.open(f"{visitor.home}/requests")
    while "/requests/" not in where:
        assert visitor.form is not None, f"nothing waits: {visitor.title}"
        if "request" in visitor.form.fields:
            where = visitor.submit()
            continue
        given: dict[str, Any] = {
            "sign-in": {"username": human.username, "password": human.password},
            "code": {"otp": one_time_code(human.secret)},
            "consent": {"action": action},
        }[visitor.form.fields["step"]]
        where = visitor.submit(**given)
    return where


async def test_a_person_approves_and_the_client_polls(
    cast: Cast, visitor: Visitor, bank: Bank
) -> None:
    organisation, human = await cast.acting()
    hint = f"{human.username} brn:{organisation.number}"
    told = (await bank.ask(login_hint=hint)).expect(200).json
    assert told["interval"] == 5
    assert (await bank.poll()).expect(400).error == "authorization_pending"
    assert answer(visitor, human).endswith("/requests/approved")
    tokens = (await bank.poll()).expect(200).json
    claims = unverified_payload(tokens["id_token"])
    assert claims["urn:openid:params:jwt:claim:auth_req_id"] == bank.auth_req_id
    assert claims["mandate"]["role"] == "director"
    assert tokens["token_type"] == "DPoP"
    active = await bank.client.introspect(bank.http, tokens["access_token"])
    assert active["active"] is True
    assert (await bank.poll()).expect(400).error == "invalid_grant"


async def test_a_business_without_a_person_may_be_meant(
    cast: Cast, visitor: Visitor, bank: Bank
) -> None:
    organisation, human = await cast.acting()
    (await bank.ask(login_hint=f"brn:{organisation.number}")).expect(200)
    assert answer(visitor, human).endswith("/requests/approved")
    assert (await bank.poll()).expect(200).json["scope"] == "openid mandate"


async def test_ciba_7_1_the_id_token_of_the_first_time_says_who_is_meant_the_second_time(
    cast: Cast, visitor: Visitor, bank: Bank
) -> None:
    _, human = await cast.acting()
    (await bank.ask(login_hint=human.username)).expect(200)
    answer(visitor, human)
    first = (await bank.poll()).expect(200).json["id_token"]
    (await bank.ask(id_token_hint=first)).expect(200)
    assert answer(visitor, human).endswith("/requests/approved")
    second = (await bank.poll()).expect(200).json["id_token"]
    before, now = unverified_payload(first), unverified_payload(second)
    assert (now["sub"], now["act"]) == (before["sub"], before["act"])
    changed = first[:-8] + ("AAAAAAAA" if not first.endswith("AAAAAAAA") else "BBBBBBBB")
    assert (await bank.ask(id_token_hint=changed)).expect(400).error == "invalid_request"
    both = await bank.ask(id_token_hint=first, login_hint=human.username)
    assert both.expect(400).error == "invalid_request"


async def test_a_refusal_reaches_the_client(cast: Cast, visitor: Visitor, bank: Bank) -> None:
    _, human = await cast.acting()
    (await bank.ask(login_hint=human.username)).expect(200)
    assert answer(visitor, human, "deny").endswith("/requests/refused")
    assert (await bank.poll()).expect(400).error == "access_denied"


async def test_an_unknown_person_and_two_hints(bank: Bank) -> None:
    assert (await bank.ask(login_hint="nobody.here")).expect(400).error == "unknown_user_id"
    twice = await bank.ask(login_hint="nobody.here", id_token_hint="e30.e30.e30")
    assert twice.expect(400).error == "invalid_request"


async def test_of_many_polls_at_once_one_gets_tokens(
    cast: Cast, visitor: Visitor, bank: Bank
) -> None:
    _, human = await cast.acting()
    (await bank.ask(login_hint=human.username)).expect(200)
    answer(visitor, human)
    answers = await asyncio.gather(*(bank.poll() for _ in range(8)))
    assert sorted(one.status for one in answers) == [200] + [400] * 7


async def test_ciba_10_2_a_ping_client_is_told(http: Http, cast: Cast, visitor: Visitor) -> None:
    async with receiver(status=204) as there:
        address = f"http://127.0.0.1:{there.port}/ciba"
        client = await cast.client(
            grant_types=(CIBA, "refresh_token"),
            redirect_uris=(),
            backchannel=BackchannelAuthentication("ping", address),
        )
        bank = Bank(http, client)
        _, human = await cast.acting()
        missing = await bank.ask(login_hint=human.username)
        assert missing.expect(400).error == "invalid_request"
        asked = await bank.ask(login_hint=human.username, client_notification_token=TOKEN)
        asked.expect(200)
        await asyncio.to_thread(answer, visitor, human)
        async with asyncio.timeout(20):
            await there.came.wait()
        head, body = there.requests[0]
        assert f"Authorization: Bearer {TOKEN}" in head
        assert json.loads(body) == {"auth_req_id": bank.auth_req_id}
        (await bank.poll()).expect(200)


async def test_the_end_of_the_authority_reaches_a_client_that_has_not_asked_yet(
    cast: Cast, visitor: Visitor, bank: Bank
) -> None:
    _, human = await cast.acting()
    (await bank.ask(login_hint=human.username)).expect(200)
    answer(visitor, human)
    await cast.base.revocation.close_person(human.person_id, "operator:t", "test")
    assert (await bank.poll()).expect(400).error == "invalid_grant"
