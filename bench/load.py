"""HTTP/1.1 load: keep-alive connections that send ready-made requests and look at every answer.

A unit of work is a generator: it yields the bytes of a request, is sent the response, and ends
when the unit is done. One connection works on one unit at a time. An answer that the unit does
not expect raises `Unexpected`, which ends the whole run: a figure with errors in it is no figure.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, cast

GRACE = 30.0
"""Seconds that units in flight may take beyond the window before the run is given up."""


class Unexpected(Exception):
    """An answer, or the lack of one, that a unit did not expect."""


class Response(NamedTuple):
    """An HTTP response; `head` is everything before the blank line."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        return None


Unit = Generator[bytes, Response, None]


def expect(request: bytes, response: Response, status: int, contains: bytes = b"") -> None:
    """Raises Unexpected unless the response has that status and contains that text."""
    if response.status == status and contains in response.body:
        return
    line = request.split(b"\r\n", 1)[0].decode("latin-1")[:120]
    said = (response.header("location") or response.body.decode("utf-8", "replace"))[:400]
    raise Unexpected(f"{line}: {response.status} instead of {status}: {said}")


def single(request: bytes, status: int = 200, contains: bytes = b"") -> Unit:
    """A unit of one request."""
    expect(request, (yield request), status, contains)


@dataclass(slots=True)
class Sample:
    """What one run showed. `latencies` are seconds, sorted; `cpu` seconds of the server.

    `others` is the share of the server's core that other programs used meanwhile.
    """

    units: int
    seconds: float
    latencies: list[float] = field(repr=False)
    cpu: float
    generator_cpu: float
    others: float = 0.0

    @property
    def rps(self) -> float:
        """Units per second."""
        return self.units / self.seconds

    @property
    def cpu_us(self) -> float:
        """The server's CPU per unit, microseconds."""
        return self.cpu / self.units * 1e6

    @property
    def busy(self) -> float:
        """How much of its core the generator used: near 1, it is the limit, not the server."""
        return self.generator_cpu / self.seconds

    def percentile(self, share: float) -> float:
        """A latency in milliseconds."""
        at = min(len(self.latencies) - 1, int(len(self.latencies) * share))
        return self.latencies[at] * 1000


class _Run:
    """What all connections of a run share."""

    def __init__(self, units: Iterator[Unit], connections: int) -> None:
        self.units = units
        self.left = connections
        self.until = 0.0
        self.latencies: list[float] = []
        self.last = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finished(self) -> None:
        self.left -= 1
        if self.left == 0 and not self.over.done():
            self.over.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.over.done():
            self.over.set_exception(error)


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._need = 0  # bytes of the response that is awaited, 0 while its head is incomplete
        self._body_at = 0
        self._unit: Unit | None = None
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Start the next unit, or rest."""
        run = self._run
        now = time.perf_counter()
        unit = next(run.units, None) if now < run.until else None
        self._unit = unit
        if unit is None:
            run.finished()
            return
        self._started = now
        try:
            self.transport.write(next(unit))
        except Exception as error:
            run.fail(error)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        try:
            if not self._need and not self._read_head(buffer):
                return
            if len(buffer) < self._need:
                return
            head, body = buffer[: self._body_at - 4], buffer[self._body_at : self._need]
            self._buffer = buffer[self._need :]
            self._need = 0
            self._answered(Response(int(head[9:12]), head, body))
        except Exception as error:
            self._run.fail(error)

    def _read_head(self, buffer: bytes) -> bool:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lower = buffer[:end].lower()
        at = lower.find(b"\r\ncontent-length:")
        if at >= 0:
            stop = lower.find(b"\r\n", at + 2)
            length = int(lower[at + 17 : stop if stop >= 0 else end])
        elif lower[9:12] in (b"204", b"304"):
            length = 0
        else:
            raise Unexpected(f"a response without content-length: {buffer[:200]!r}")
        self._body_at = end + 4
        self._need = end + 4 + length
        return True

    def _answered(self, response: Response) -> None:
        if self._unit is None:
            raise Unexpected("a response that nobody asked for")
        try:
            request = self._unit.send(response)
        except StopIteration:
            run = self._run
            run.last = time.perf_counter()
            run.latencies.append(run.last - self._started)
            self.begin()
        else:
            self.transport.write(request)

    def connection_lost(self, error: Exception | None) -> None:
        if self._unit is not None:
            self._run.fail(error or Unexpected("the server closed the connection"))


async def drive(
    address: tuple[str, int],
    units: Iterable[Unit],
    *,
    connections: int,
    seconds: float,
    limit: int | None = None,
    cpu: Callable[[], float] = lambda: 0.0,
) -> Sample:
    """Work through units for at most `seconds` and at most `limit` units.

    `cpu` tells the CPU seconds that the server has used so far.

    Raises Unexpected, ConnectionError, TimeoutError.
    """
    run = _Run(islice(units, limit), connections)
    loop = asyncio.get_running_loop()
    opened: list[_Connection] = []
    try:
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(run), *address)
            opened.append(connection)
        used, own, begun = cpu(), time.process_time(), time.perf_counter()
        run.until = begun + seconds
        for connection in opened:
            connection.begin()
        async with asyncio.timeout(seconds + GRACE):
            await run.over
        used, own = cpu() - used, time.process_time() - own
    finally:
        for connection in opened:
            connection.transport.abort()
    if not run.latencies:
        raise Unexpected("not one unit was finished")
    elapsed = run.last - begun
    return Sample(len(run.latencies), elapsed, sorted(run.latencies), used, own)


async def fetch(address: tuple[str, int], request: bytes) -> Response:
    """One request outside every measurement."""
    answers: list[Response] = []

    def unit() -> Unit:
        answers.append((yield request))

    await drive(address, [unit()], connections=1, seconds=GRACE)
    return answers[0]


async def collect(address: tuple[str, int], request: bytes, count: int) -> list[bytes]:
    """The bodies of `count` answers to the same request, outside every measurement."""
    bodies: list[bytes] = []

    def unit() -> Unit:
        response = yield request
        expect(request, response, 200)
        bodies.append(response.body)

    await drive(address, (unit() for _ in range(count)), connections=min(16, count), seconds=GRACE)
    return bodies
