"""A device signs its person in at the running service (RFC 8628)."""

import asyncio
from typing import Any

import pytest

from examples.demo.browser import one_time_code
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, PlainClient
from tests.support.live_service import Live
from tests.support.live_sign_in import basic, plain_token
from tests.support.live_visitor import Visitor
from tests.support.wallet import unverified_payload

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A client with a screen and nothing else."""

    def __init__(self, live: Live, http: Http, client: PlainClient) -> None:
        self.live, self.http, self.client = live, http, client
        self.told: dict[str, Any] = {}

    async def begin(self, scope: str = "openid mandate offline_access") -> dict[str, Any]:
        where = f"{self.live.path}/device_authorization"
        answer = await self.http.form(where, {"scope": scope}, basic(self.client))
        self.told = answer.expect(200).json
        return self.told

    async def poll(self) -> Answer:
        form = {"grant_type": GRANT, "device_code": self.told["device_code"]}
        return await plain_token(self.http, self.live.path, self.client, form)


@pytest.fixture
async def device(live: Live, http: Http, cast: Cast) -> Device:
    client = await cast.plain_client(grant_types=(GRANT, "refresh_token"), redirect_uris=())
    return Device(live, http, client)


def answer(visitor: Visitor, told: dict[str, Any], human: Any, action: str = "approve") -> str:
    """The person's way through the pages; where it ends."""
    visitor.open(told["verification_uri_complete"])
    visitor.submit()
    visitor.submit(action="approve")
    where = visitor.address
    while visitor.form is not None and "step" in visitor.form.fields:
        step = visitor.form.fields["step"]
        given = {
            "sign-in": {"username": human.username, "password": human.password},
            "code": {"otp": one_time_code(human.secret)},
            "consent": {"action": action},
        }[step]
        where = visitor.submit(**given)
    return where


async def test_a_device_gets_its_tokens(
    live: Live, http: Http, cast: Cast, visitor: Visitor, device: Device
) -> None:
    _, human = await cast.acting()
    told = await device.begin()
    assert told["verification_uri"] == f"{live.issuer}/device"
    assert (await device.poll()).expect(400).error == "authorization_pending"
    assert answer(visitor, told, human).endswith("/device/connected")
    tokens = (await device.poll()).expect(200).json
    claims = unverified_payload(tokens["id_token"])
    assert claims["mandate"]["role"] == "director"
    assert claims["acr"].endswith("loa2")
    assert (await device.poll()).expect(400).error == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    (await plain_token(http, live.path, device.client, form)).expect(200)


async def test_a_device_that_asks_too_often_is_slowed_down(device: Device) -> None:
    await device.begin()
    assert (await device.poll()).expect(400).error == "authorization_pending"
    assert (await device.poll()).expect(400).error == "slow_down"


async def test_a_refusal_reaches_the_device(cast: Cast, visitor: Visitor, device: Device) -> None:
    _, human = await cast.acting()
    told = await device.begin()
    assert answer(visitor, told, human, "deny").endswith("/device/declined")
    assert (await device.poll()).expect(400).error == "access_denied"


async def test_of_many_polls_at_once_one_gets_tokens(
    cast: Cast, visitor: Visitor, device: Device
) -> None:
    _, human = await cast.acting()
    answer(visitor, await device.begin(), human)
    answers = await asyncio.gather(*(device.poll() for _ in range(8)))
    assert sorted(one.status for one in answers) == [200] + [400] * 7


async def test_the_end_of_the_authority_reaches_a_device_that_has_not_asked_yet(
    cast: Cast, visitor: Visitor, device: Device
) -> None:
    _, human = await cast.acting()
    answer(visitor, await device.begin(), human)
    await cast.base.revocation.close_person(human.person_id, "operator:t", "test")
    assert (await device.poll()).expect(400).error == "invalid_grant"
