"""HTTP/1.1 on the socket: bounds of time, and any bytes at all."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpid.web import http1
from corpid.web.http1 import Connection
from tests.support.http1_server import BAD, GET, Application, Server, post


class Clock:
    """A loop whose time the test sets; its timers are run by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.timer: Any = None
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_later", lambda _delay, call: self.take(call))
        monkeypatch.setattr(loop, "call_at", lambda _at, call: self.take(call))

    def take(self, call: Any) -> "Clock":
        self.timer = call
        return self

    def cancel(self) -> None:
        self.timer = None

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.timer()


class Wire(asyncio.Transport):
    """A transport that keeps what is written and remembers how it ended."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.written = b""
        self.ended = ""
        self.paused = False
        self.connection = connection
        connection.connection_made(self)

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


def wire() -> Wire:
    return Wire(Server(Application()).connection())


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = wire()
    clock.after(74)
    assert made.ended == ""
    clock.after(2)
    assert (made.ended, made.written) == ("closed", b"")


async def test_a_head_that_comes_too_slowly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = wire()
    for letter in GET[:19]:
        made.connection.data_received(bytes([letter]))
        clock.after(1)
    assert made.written == b""
    clock.after(http1.HEAD_SECONDS)
    assert made.written.startswith(b"HTTP/1.1 408 Request Timeout")
    assert made.ended == "closed"


async def test_a_body_that_is_not_whole_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = wire()
    made.connection.data_received(post(b"/echo", b"x" * 10)[:-5])
    await settled()
    clock.after(http1.BODY_SECONDS - 1)
    made.connection.data_received(b"x")
    assert made.written == b""
    clock.after(2)
    await settled()
    assert made.written.startswith(b"HTTP/1.1 408 ")
    assert made.ended == "closed"


async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    made = wire()
    made.connection.pause_writing()
    clock.after(http1.WRITE_SECONDS - 1)
    assert made.ended == ""
    clock.after(2)
    assert made.ended == "aborted"


async def test_a_request_that_is_being_answered_has_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    server = Server(Application())
    made = Wire(server.connection())
    made.connection.data_received(GET.replace(b"/echo", b"/wait"))
    await settled()
    clock.after(3600)
    assert made.ended == ""
    server.application.go_on.set()
    await settled()
    assert made.written.endswith(b"waited")
    clock.after(76)
    assert made.ended == "closed"


async def test_a_writer_waits_for_its_reader() -> None:
    server = Server(Application())
    made = Wire(server.connection())
    made.connection.pause_writing()
    made.connection.data_received(GET.replace(b"/echo", b"/large"))
    await settled()
    assert server.application.events == []
    made.connection.resume_writing()
    await settled()
    assert server.application.events == ["sent"]


async def test_a_body_is_not_read_faster_than_it_is_taken() -> None:
    server = Server(Application())
    made = Wire(server.connection())
    made.connection.data_received(post(b"/wait", b"")[:-2].replace(b": 0", b": 500000") + b"\r\n")
    await settled()
    made.connection.data_received(b"x" * 70_000)
    made.connection.data_received(b"x" * 70_000)
    assert made.paused
    server.application.go_on.set()
    await settled()
    assert not made.paused  # answered: the rest is read and thrown away


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.binary(max_size=60)
        | st.sampled_from([GET, *BAD.values(), post(b"/echo", b"abc"), b"\r\n", b"0\r\n\r\n"]),
        max_size=6,
    )
)
def test_any_bytes_get_an_answer_or_none_but_never_an_exception(parts: list[bytes]) -> None:
    async def run() -> None:
        server = Server(Application())
        made = Wire(server.connection())
        for part in parts:
            made.connection.data_received(part)
            await settled()
        made.connection.connection_lost(None)
        await settled()
        assert not server.state.connections
        assert not server.state.tasks

    asyncio.run(run())
