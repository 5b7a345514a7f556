"""Reaching others' servers: over real TLS to loopback, with a name server of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from corpid.outbound.https import OutboundHttps
from oidc.ports import FetchFailed
from tests.support.https_server import HttpsServer, Names, https_server, outbound_to


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[HttpsServer]:
    async with https_server(tmp_path) as made:
        made.says(b'{"keys":[]}')
        yield made


async def refused(outbound: OutboundHttps, url: str, max_bytes: int = 1000) -> str:
    with pytest.raises(FetchFailed) as failed:
        await outbound.get(url, max_bytes=max_bytes)
    return str(failed.value)


async def test_a_document_is_fetched_with_its_media_type(server: HttpsServer) -> None:
    server.says(b'{"a":1}', kind="Application/JSON; charset=utf-8")
    fetched = await outbound_to(server).get(server.url("/a?b=c#d"), max_bytes=100)
    assert (fetched.body, fetched.media_type, fetched.max_age) == (
        b'{"a":1}',
        "application/json",
        None,
    )
    head = server.heads[0].decode().lower()
    assert head.startswith("get /a?b=c http/1.1\r\n")
    assert f"host: localhost:{server.port}\r\n" in head
    assert "accept-encoding: identity" in head
    assert "cookie" not in head
    assert "authorization" not in head


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), None),
        (("Cache-Control: max-age=600",), 600),
        (("Cache-Control: public, MAX-AGE=600", "Age: 100"), 500),
        (("Cache-Control: max-age=60", "Age: 100"), 0),
        (("Cache-Control: no-store, max-age=600",), 0),
        (("Cache-Control: max-age=600, no-cache",), 0),
        (("Cache-Control: max-age=soon",), None),
    ],
)
async def test_rfc9111_5_2_2_how_long_an_answer_stays_fresh(
    server: HttpsServer, headers: tuple[str, ...], expected: int | None
) -> None:
    server.says(b"{}", *headers)
    assert (await outbound_to(server).get(server.url(), max_bytes=10)).max_age == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https:///path",
        "https://user@localhost/",
        "https://user:word@localhost/",
        "https://@localhost/",
        "https://localhost:port/",
        "https://local host/",
        "https://localhost/\u4e2d",
        "https://localhost/\r\nX: y",
        "https://localhost\\.example/",
        "https://[::1",
        "https://lo_calhost/",
        "https://localhost/" + "a" * 2048,
        "",
    ],
)
async def test_only_plain_https_addresses_are_looked_up(server: HttpsServer, url: str) -> None:
    names = Names()
    await refused(outbound_to(server, resolve=names), url)
    assert names.asked == []


@pytest.mark.parametrize("found", [["127.0.0.1"], ["10.0.0.1", "169.254.169.254"], ["::1"], []])
async def test_a_name_that_leads_inside_is_not_followed_after_resolution(
    server: HttpsServer, found: Sequence[str]
) -> None:
    names = Names(**{"rp.example": found})
    said = await refused(
        outbound_to(server, networks=(), resolve=names), server.url(host="rp.example")
    )
    assert server.heads == []
    unknown = await refused(outbound_to(server, networks=()), server.url(host="unknown.example"))
    assert said == unknown  # our own names are not told


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "0x7f.1", "2130706433", "localhost"])
async def test_loopback_is_not_reached_in_any_spelling(server: HttpsServer, host: str) -> None:
    """By the system's own resolver, which knows them all without a network."""
    said = await refused(OutboundHttps(authorities=server.authorities), server.url(host=host))
    assert said == "the host has no public address"
    assert server.heads == []


async def test_the_connection_goes_to_the_address_that_was_checked(server: HttpsServer) -> None:
    """One look-up only: another answer a moment later (DNS rebinding) has no effect."""
    names = Names()
    await outbound_to(server, resolve=names).get(server.url(), max_bytes=100)
    assert names.asked == ["localhost"]


async def test_the_certificate_must_be_the_hosts(server: HttpsServer) -> None:
    names = Names(**{"rp.example": ["127.0.0.1"]})
    said = await refused(outbound_to(server, resolve=names), server.url(host="rp.example"))
    assert "TLS failed" in said
    assert "TLS failed" in await refused(outbound_to(server, authorities=None), server.url())


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 X", "308 X"])
async def test_a_redirect_is_not_followed(server: HttpsServer, status: str) -> None:
    server.says(b"", f"Location: {server.url('/elsewhere')}", status=status)
    assert status[:3] in await refused(outbound_to(server), server.url())
    assert len(server.heads) == 1


@pytest.mark.parametrize("status", ["201 Created", "204 No Content", "404 X", "500 X"])
async def test_only_200_is_an_answer(server: HttpsServer, status: str) -> None:
    server.says(b"", status=status)
    assert "not 200" in await refused(outbound_to(server), server.url())


async def test_a_body_of_just_the_limit_is_read_and_one_byte_more_is_not(
    server: HttpsServer,
) -> None:
    server.says(b"a" * 1000)
    assert len((await outbound_to(server).get(server.url(), max_bytes=1000)).body) == 1000
    server.says(b"a" * 1001)
    assert "more than 1000 bytes" in await refused(outbound_to(server), server.url())


async def test_chunks_are_bounded_too(server: HttpsServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answer = head + b"3\r\nabc\r\n" + b"0\r\n\r\n"
    assert (await outbound_to(server).get(server.url(), max_bytes=1000)).body == b"abc"
    server.answer = head + b"3e8\r\n" + b"a" * 1000 + b"\r\n1\r\nb\r\n0\r\n\r\n"
    assert "more than 1000 bytes" in await refused(outbound_to(server), server.url())
    server.answer = head + b"1\r\na\r\n" * 999 + b"0\r\n" + b"x: y\r\n" * 50_000
    assert "bytes" in (said := await refused(outbound_to(server), server.url())) or "HTTP" in said


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
    ],
)
async def test_what_is_no_whole_answer_is_refused(server: HttpsServer, answer: bytes) -> None:
    server.answer = answer
    await refused(outbound_to(server), server.url())


async def test_a_compressed_answer_is_refused(server: HttpsServer) -> None:
    server.says(b"x", "Content-Encoding: gzip")
    assert "compressed" in await refused(outbound_to(server), server.url())


async def test_one_deadline_over_everything_however_steadily_bytes_come(
    server: HttpsServer,
) -> None:
    server.slow = 0.02
    said = await refused(outbound_to(server, timeout=0.3), server.url())
    assert said == "no whole answer within 0.3 seconds"


async def test_a_name_server_that_does_not_answer_is_under_the_deadline(
    server: HttpsServer,
) -> None:
    async def silent(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return ()

    assert "within" in await refused(outbound_to(server, resolve=silent, timeout=0.1), server.url())


async def test_no_more_than_so_many_at_once(server: HttpsServer) -> None:
    outbound = outbound_to(server, at_once=2)
    await asyncio.gather(*(outbound.get(server.url(), max_bytes=100) for _ in range(6)))
    assert server.most_present <= 2
    assert len(server.heads) == 6


async def test_a_name_server_that_does_not_answer_takes_no_turn(server: HttpsServer) -> None:
    async def slow(host: str, port: int) -> Sequence[str]:
        if host == "slow.example":
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    outbound = outbound_to(server, resolve=slow, at_once=1)
    stuck = asyncio.ensure_future(outbound.get("https://slow.example/", max_bytes=1))
    await asyncio.sleep(0)
    assert (await outbound.get(server.url(), max_bytes=100)).body == b'{"keys":[]}'
    stuck.cancel()


async def test_a_server_that_does_not_hang_up_does_not_hold_us(server: HttpsServer) -> None:
    server.open_ended = True
    assert (await outbound_to(server).get(server.url(), max_bytes=100)).body == b'{"keys":[]}'


async def test_nobody_listens(server: HttpsServer) -> None:
    names = Names(**{"localhost": ["127.0.0.1"]})
    said = await refused(outbound_to(server, resolve=names), "https://localhost:1/")
    assert said == "the server does not answer"


async def test_the_next_address_is_tried(server: HttpsServer) -> None:
    names = Names(**{"localhost": ["127.0.0.9", "127.0.0.1"]})
    fetched = await outbound_to(server, resolve=names).get(server.url(), max_bytes=100)
    assert fetched.body == b'{"keys":[]}'


async def test_a_post_gives_the_status_whatever_it_is(server: HttpsServer) -> None:
    server.says(b"no", status="400 Bad Request")
    sent = b"logout_token=x"
    form = "application/x-www-form-urlencoded"
    assert await outbound_to(server).post(server.url("/out"), sent, form, max_bytes=100) == 400
    assert server.bodies == [sent]
    head = server.heads[0].decode().lower()
    assert head.startswith("post /out http/1.1\r\n")
    assert f"content-type: {form}\r\n" in head
    with pytest.raises(FetchFailed):
        await outbound_to(server, networks=()).post(server.url(), sent, form, max_bytes=100)
