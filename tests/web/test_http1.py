"""HTTP/1.1 on the socket: framing, bounds of size, and what a client gets to see."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from corpid.web.http1 import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED
from tests.support.http1_server import BAD, GET, Server, post, serving, until

CLOSE = b"Connection: close\r\n"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as made:
        yield made


async def test_a_request_and_its_response(server: Server) -> None:
    said = await server.exchange(post(b"/echo?a=b%20c", b"body", b"Connection: close"))
    head, _, body = said.partition(b"\r\n\r\n")
    assert body == b"POST body"
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert set(lines[1:]) == {b"date: today", b"content-length: 9", b"connection: close"}
    (scope,) = server.application.scopes
    assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", "/echo", b"a=b%20c")
    assert (scope["scheme"], scope["http_version"]) == ("http", "1.1")
    assert scope["client"][0] == "127.0.0.1"
    assert (b"host", b"x") in scope["headers"]


async def test_a_connection_carries_one_request_after_the_other(server: Server) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    said = await server.exchange(GET, post(b"/echo", b"two"), last)
    assert said.count(b"HTTP/1.1 200 OK") == 3
    assert b"POST two" in said


async def test_rfc9112_9_3_2_pipelined_requests_are_answered_in_order(server: Server) -> None:
    many = b"".join(post(b"/echo", b"number %d" % at) for at in range(10))
    said = await server.exchange(many + post(b"/echo", b"last", b"Connection: close"))
    assert [said.index(b"number %d" % at) for at in range(10)] == sorted(
        said.index(b"number %d" % at) for at in range(10)
    )
    assert said.endswith(b"POST last")


async def test_too_many_requests_at_once_end_the_connection(server: Server) -> None:
    said = await server.exchange(GET * (MAX_PIPELINED + 5))
    assert said.count(b"200 OK") == MAX_PIPELINED + 1
    assert b"400 Bad Request" in said


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_request_may_come_in_small_pieces(server: Server, size: int) -> None:
    whole = post(b"/echo", b"piece by piece", b"Connection: close")
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert (await server.exchange(*pieces)).endswith(b"POST piece by piece")


async def test_a_chunked_body_is_joined_and_its_trailers_are_left_alone(server: Server) -> None:
    request = (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\none\r\n4\r\n two\r\n0\r\nHost: evil\r\n\r\n"
    )
    assert (await server.exchange(request)).endswith(b"POST one two")
    (scope,) = server.application.scopes
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"x"]


async def test_a_body_larger_than_is_kept_comes_in_parts(server: Server) -> None:
    body = b"x" * 3_000_000
    said = await server.exchange(post(b"/echo", body, b"Connection: close"))
    assert said.endswith(b"POST " + body)


async def test_a_response_of_unknown_length_is_chunked(server: Server) -> None:
    said = await server.exchange(
        GET.replace(b"/echo", b"/stream").replace(b"\r\n\r\n", b"\r\n" + CLOSE + b"\r\n")
    )
    assert b"transfer-encoding: chunked" in said
    assert said.endswith(b"\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n")


async def test_http_1_0_gets_no_chunks_and_no_second_request(server: Server) -> None:
    said = await server.exchange(b"GET /stream HTTP/1.0\r\n\r\n")
    assert b"chunked" not in said
    assert said.endswith(b"\r\n\r\none two")


async def test_rfc9110_9_3_2_head_has_the_head_alone(server: Server) -> None:
    said = await server.exchange(b"HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 5" in said
    assert said.endswith(b"\r\n\r\n")


async def test_rfc9110_8_6_no_content_has_no_length(server: Server) -> None:
    said = await server.exchange(b"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 204 No Content")
    assert b"content-length" not in said


async def test_rfc9110_10_1_1_leave_to_send_the_body(server: Server) -> None:
    whole = post(b"/echo", b"after leave", b"Expect: 100-continue", b"Connection: close")
    head, body = whole[:-11], whole[-11:]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.read()).endswith(b"POST after leave")
    writer.close()


async def test_no_leave_is_given_for_a_body_that_nobody_wants(server: Server) -> None:
    said = await server.exchange(
        b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 413 ")


async def test_an_early_answer_is_seen_and_the_connection_goes_on(server: Server) -> None:
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    said = await server.exchange(post(b"/refuse", b"x" * 300_000), last)
    assert b"too large" in said
    assert said.endswith(b"GET ")


async def test_what_nobody_reads_is_not_read_for_ever(server: Server) -> None:
    received = 0
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n")
    while received < 30_000_000 and not writer.is_closing():
        writer.write(b"x" * 100_000)
        received += 100_000
        with contextlib.suppress(ConnectionError):
            await writer.drain()
    assert received < 30_000_000


@pytest.mark.parametrize("name", BAD)
async def test_rfc9112_what_is_malformed_is_a_bad_request(server: Server, name: str) -> None:
    said = await server.exchange(BAD[name])
    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\ndate: today\r\n"), said
    assert b"connection: close" in said


async def test_a_bad_request_after_good_ones_does_not_touch_their_answers(server: Server) -> None:
    said = await server.exchange(GET + post(b"/echo", b"good") + BAD["no host"])
    assert said.count(b"200 OK") == 2
    assert said.index(b"POST good") < said.index(b"400 Bad Request")


async def test_too_many_headers(server: Server) -> None:
    lines = b"".join(b"A%d: b\r\n" % at for at in range(MAX_HEADERS))
    said = await server.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
    assert said.startswith(b"HTTP/1.1 431 ")


async def test_a_head_without_end(server: Server) -> None:
    said = await server.exchange(b"GET /?" + b"x" * (MAX_HEAD_BYTES + 300_000))
    assert said.startswith(b"HTTP/1.1 431 ")


async def test_trailers_without_end(server: Server) -> None:
    said = await server.exchange(
        b"POST /wait HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: ",
        *[b"x" * 50_000] * 8,
    )
    assert said.startswith(b"HTTP/1.1 431 ")


async def test_an_unknown_version(server: Server) -> None:
    said = await server.exchange(b"GET / HTTP/2.0\r\nHost: x\r\n\r\n")
    assert said.startswith((b"HTTP/1.1 505 ", b"HTTP/1.1 400 "))


async def test_rfc9110_7_8_an_offer_of_another_protocol_is_declined(server: Server) -> None:
    said = await server.exchange(
        b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\nwhat follows"
    )
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.count(b"HTTP/1.1") == 1


async def test_an_absolute_target(server: Server) -> None:
    last = b"GET http://other.example/echo?q=1#f HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert (await server.exchange(last)).startswith(b"HTTP/1.1 200 OK")
    (scope,) = server.application.scopes
    assert (scope["path"], scope["query_string"]) == ("/echo", b"q=1")


@pytest.mark.parametrize("path", [b"/nothing", b"/raises", b"/split"])
async def test_an_application_that_fails_is_a_500_and_tells_nothing(
    server: Server, path: bytes
) -> None:
    said = await server.exchange(GET.replace(b"/echo", path))
    assert said.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"set-cookie" not in said
    assert said.endswith(b"\r\n\r\n")


async def test_a_response_that_ends_early_does_not_look_whole(server: Server) -> None:
    try:
        said = await server.exchange(GET.replace(b"/echo", b"/short"))
    except ConnectionResetError:
        return
    assert len(said.partition(b"\r\n\r\n")[2]) < 50


async def test_a_client_that_goes_away_is_noticed(server: Server) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(GET.replace(b"/echo", b"/wait-for-the-end"))
    await until(lambda: bool(server.application.scopes))
    writer.close()
    await until(lambda: server.application.events == ["gone"])
    assert not server.state.connections


async def test_a_client_that_goes_away_in_its_body_is_noticed(server: Server) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    await until(lambda: bool(server.application.scopes))
    writer.close()
    await until(lambda: server.application.events == ["disconnect"])


async def test_a_stop_waits_for_the_response_under_way(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(GET.replace(b"/echo", b"/wait"))
    await until(lambda: bool(server.application.scopes))
    (connection,) = server.state.connections
    connection.shutdown()
    assert len(server.state.tasks) == 1  # so that the server can end it
    server.application.go_on.set()
    said = await reader.read()
    assert said.endswith(b"waited")
    assert b"connection: close" in said
    writer.close()
    await until(lambda: not server.state.connections and not server.state.tasks)


async def test_a_stop_closes_what_rests(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await until(lambda: bool(server.state.connections))
    for connection in list(server.state.connections):
        connection.shutdown()
    assert await reader.read() == b""
    writer.close()
