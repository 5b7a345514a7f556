"""Posts to addresses that relying parties registered: bounded, not followed, never inwards."""

import asyncio
import socket
from typing import Any

import pytest

from corpid.outbound.https import OutboundHttps
from oidc.ports import FetchFailed
from tests.support.logout_receiver import receiver

FORM = "application/x-www-form-urlencoded"
BODY = b"logout_token=a.b-c.d_e"


async def post(url: str, **changes: Any) -> int:
    way = OutboundHttps(**{"plain_loopback": True, "timeout": 2.0, **changes})
    return await way.post(url, BODY, FORM, max_bytes=0)


async def refused(url: str, **changes: Any) -> str:
    with pytest.raises(FetchFailed) as caught:
        await post(url, **changes)
    assert "a.b-c" not in str(caught.value)
    return str(caught.value)


async def test_a_form_is_posted_to_a_loopback_address_by_http_where_that_is_allowed() -> None:
    async with receiver(status=204) as rp:
        assert await post(f"{rp.uri}?tenant=1") == 204
        await refused(rp.uri, plain_loopback=False)
    ((head, body),) = rp.requests
    assert head.startswith("POST /backchannel-logout?tenant=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert body == BODY


async def test_redirects_are_not_followed() -> None:
    async with receiver() as other, receiver(status=307) as rp:
        rp.headers = f"location: {other.uri}\r\n"
        assert await post(rp.uri) == 307
    assert other.requests == []


async def test_the_body_of_an_answer_is_not_waited_for() -> None:
    async with receiver(headers="content-length: 50000000\r\n") as rp:
        assert await post(rp.uri) == 200


async def test_one_that_never_answers_costs_the_timeout_and_the_loop_goes_on() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    async with receiver(hold=3600) as rp:
        beside = asyncio.ensure_future(others())
        assert "0.3 seconds" in await refused(rp.uri, timeout=0.3)
        beside.cancel()
    assert turns > 10


async def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert await refused(f"http://127.0.0.1:{port}/x")


@pytest.mark.parametrize(
    "url",
    [
        "http://rp.example/logout",
        "http://127.0.0.1.example/logout",
        "http://10.0.0.1/logout",
        "ftp://127.0.0.1/logout",
        "http://user@127.0.0.1/logout",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y",
    ],
)
async def test_http_goes_nowhere_but_to_loopback(url: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("not even looked up")

    assert await refused(url, resolve=resolve)


async def test_localhost_that_is_another_machine_is_refused() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.215.14"]

    assert await refused("http://localhost/logout", resolve=resolve)
