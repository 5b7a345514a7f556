"""The load generator: it counts what was answered, and lets no wrong answer pass."""

import asyncio
import contextlib

import pytest

from bench.load import Unexpected, drive, fetch, single
from bench.machine import cpu_seconds, fsync_ms, resident_mb


@contextlib.asynccontextmanager
async def answering(*answers: bytes):
    """A server that answers each request of a connection with the next of these."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for answer in answers:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]
        await asyncio.gather(*serving)


def response(status: int, body: bytes = b"", headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %d Some Reason\r\n%scontent-length: %d\r\n\r\n"
    return head % (status, headers, len(body)) + body


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_counts_units_and_measures_each():
    async with answering(*[response(200, b"yes")] * 10) as address:
        units = [single(REQUEST, contains=b"yes") for _ in range(10)]
        sample = await drive(address, units, connections=2, seconds=10)
    assert sample.units == len(sample.latencies) == 10
    assert sample.rps > 0
    assert sample.percentile(0.5) <= sample.percentile(0.99)


async def test_a_wrong_status_fails_the_run_with_what_was_said():
    async with answering(response(200), response(400, b"invalid_client")) as address:
        units = [single(REQUEST) for _ in range(2)]
        with pytest.raises(Unexpected, match="400 instead of 200: invalid_client"):
            await drive(address, units, connections=1, seconds=10)


async def test_a_body_without_the_expected_text_fails_the_run():
    async with answering(response(200, b'{"active":false}')) as address:
        with pytest.raises(Unexpected):
            await drive(address, [single(REQUEST, contains=b"true")], connections=1, seconds=10)


async def test_a_closed_connection_fails_the_run():
    async with answering(response(200)) as address:
        with pytest.raises(Unexpected, match="closed"):
            await drive(
                address, [single(REQUEST)] * 1 + [single(REQUEST)], connections=1, seconds=9
            )


async def test_a_response_of_unknown_length_fails_the_run():
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as address:
        with pytest.raises(Unexpected, match="content-length"):
            await drive(address, [single(REQUEST)], connections=1, seconds=10)


async def test_the_window_ends_by_time_although_there_is_more_to_do():
    async with answering(*[response(200)] * 3) as address:
        units = (single(REQUEST) for _ in range(3))
        sample = await drive(address, units, connections=1, seconds=0.0001)
        assert 1 <= sample.units <= 3


async def test_headers_are_read_without_regard_to_case():
    async with answering(response(303, headers=b"Location: /there\r\n")) as address:
        found = await fetch(address, REQUEST)
    assert (found.status, found.header("location"), found.body) == (303, "/there", b"")


def test_the_machine_tells_of_this_process(tmp_path):
    import os

    assert cpu_seconds(os.getpid()) > 0
    assert resident_mb(os.getpid()) > 1
    assert fsync_ms(tmp_path, times=3) > 0
