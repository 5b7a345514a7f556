"""Running rows: interleaved rounds, each beside its own measurement of the cryptography."""

import contextlib
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.floor import Floor, FloorMeter
from bench.load import Sample, drive
from bench.machine import core_seconds, cpu_seconds
from bench.rows import Row, Target

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured. `warm` units come before; `most` bounds the units of one round."""

    rounds: int = 3
    seconds: float = 2.5
    warm: int = 600
    most: int = 40_000


@dataclass(slots=True)
class Measured:
    """A row of one server, which runs on `core`, with the samples of all rounds."""

    target: Target
    row: Row
    core: int
    samples: list[Sample] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)
    rate: float = 0.0
    issued: int = 0

    @property
    def cpu_us(self) -> float:
        """The server's CPU per unit."""
        return statistics.median(sample.cpu_us for sample in self.samples)

    @property
    def crypto_us(self) -> float | None:
        """The pure cryptography per unit, None where there is none."""
        floors = [floor.of(self.row.verifies, self.row.signs) for floor in self.floors]
        known = [one for one in floors if one is not None]
        return statistics.median(known) if known else None

    @property
    def ratio(self) -> float | None:
        """CPU over cryptography: the median of the rounds."""
        each = []
        for sample, floor in zip(self.samples, self.floors, strict=True):
            crypto = floor.of(self.row.verifies, self.row.signs)
            if crypto is None:
                return None
            each.append(sample.cpu_us / crypto)
        return statistics.median(each)

    def median(self, of: Callable[[Sample], float]) -> float:
        """The median of something over the rounds."""
        return statistics.median(of(sample) for sample in self.samples)


async def run_rows(
    pairs: Sequence[tuple[Target, Row]], effort: Effort, meter: FloorMeter, say: Say
) -> list[Measured]:
    """Warm every row up, then measure all of them in interleaved rounds.

    Raises Unexpected when any answer was not as it should be.
    """
    measured = [Measured(target, row, meter.core) for target, row in pairs]
    for one in measured:
        say(f"warming up {one.target.name} {one.row.name}")
        warm = await _once(one, effort.warm, effort.seconds * 2)
        one.rate = warm.rps
    for number in range(effort.rounds):
        for one in measured:
            say(f"round {number + 1} of {effort.rounds}: {one.target.name} {one.row.name}")
            # A reserve, so that the window ends by time even if this round is a faster one.
            count = min(effort.most, int(one.rate * effort.seconds * 1.5) + one.row.connections)
            before = meter.measure()
            sample = await _once(one, count, effort.seconds)
            after = meter.measure()
            one.samples.append(sample)
            one.floors.append(
                Floor(
                    (before.verify_us + after.verify_us) / 2, (before.sign_us + after.sign_us) / 2
                )
            )
            one.rate = max(one.rate, sample.rps)
    return measured


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """The generator's own garbage waits until the window is over."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


async def _once(one: Measured, count: int, seconds: float) -> Sample:
    units = await one.row.prepare(count)
    pid, core = one.target.pid, one.core
    worked, begun = core_seconds(core), time.perf_counter()
    with _without_collections():
        sample = await drive(
            one.target.address,
            units,
            connections=min(one.row.connections, count),
            seconds=seconds,
            cpu=lambda: cpu_seconds(pid),
        )
    elapsed = time.perf_counter() - begun
    sample.others = max(0.0, core_seconds(core) - worked - sample.cpu) / elapsed
    one.issued += sample.units * one.row.tokens
    return sample


async def issue_until(one: Measured, wanted: int, batch: int, say: Say, issued_before: int) -> int:
    """Go on with a row until that many tokens were issued in all; how many there are then."""
    issued = issued_before
    while issued < wanted:
        say(f"memory: {issued} of {wanted} tokens")
        before = one.issued
        await _once(one, min(batch, wanted - issued), 60.0)
        issued += one.issued - before
    return issued
