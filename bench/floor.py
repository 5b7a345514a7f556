"""The pure cryptography of a request: P-256 verify and sign on parsed keys, and nothing else."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from bench.jose import ES256
from bench.machine import pinned

_MESSAGE = b"m" * 320  # about what a client assertion's signing input has


@dataclass(frozen=True, slots=True)
class Floor:
    """CPU microseconds of one call."""

    verify_us: float
    sign_us: float

    def of(self, verifies: int, signs: int) -> float | None:
        """The floor of a request with that many calls; None where there are none."""
        return verifies * self.verify_us + signs * self.sign_us or None


class FloorMeter:
    """Measures on the server's core, which is idle meanwhile."""

    def __init__(self, core: int, calls: int = 200) -> None:
        self.core = core
        self._calls = calls
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._public = self._private.public_key()
        self._signature = self._private.sign(_MESSAGE, ES256)
        self.taken: list[Floor] = []

    def measure(self) -> Floor:
        """The median of three batches."""
        private, public, signature = self._private, self._public, self._signature
        with pinned(self.core):
            floor = Floor(
                verify_us=self._median(lambda: public.verify(signature, _MESSAGE, ES256)),
                sign_us=self._median(lambda: private.sign(_MESSAGE, ES256)),
            )
        self.taken.append(floor)
        return floor

    def _median(self, call: Callable[[], object]) -> float:
        batches = []
        for _ in range(3):
            started = time.thread_time()
            for _ in range(self._calls):
                call()
            batches.append((time.thread_time() - started) / self._calls * 1e6)
        return statistics.median(batches)

    def overall(self) -> Floor:
        """The median over the whole run."""
        return Floor(
            statistics.median(one.verify_us for one in self.taken),
            statistics.median(one.sign_us for one in self.taken),
        )
