"""One status list of a hundred million entries: `python -m bench.long_list 0.01`.

It is built and compressed in a process that does nothing else, so its memory is the list's.
"""

import math
import random
import resource
import sys
import time
from collections.abc import Iterator

from oidc.formats.status_list import StatusList

ENTRIES = 100_000_000
RATES = (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of entries that are not valid."""


def _build(rate: float) -> None:
    """Build and compress a list, and print what it took."""
    chosen = random.Random(7)
    count = int(ENTRIES * rate)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    made = StatusList.from_indices(ENTRIES, 1, _indices(chosen, count))
    built = time.process_time()
    packed = made.compress()
    done = time.process_time()
    smallest = made.compress(smallest=True)
    searched = time.process_time()
    drawing = _drawing(count)
    ones = sum(one.bit_count() for one in memoryview(made.data))
    share = ones / ENTRIES
    floor = ENTRIES * -(share * math.log2(share) + (1 - share) * math.log2(1 - share)) / 8
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{ENTRIES:,} entries, {share:.2%} not valid, seconds of CPU: built in "
        f"{built - began - drawing:.2f}, compressed in {done - built:.2f} to {len(packed):,} "
        f"bytes, {len(packed) / floor:.2f} times the entropy; the smallest in "
        f"{searched - done:.2f} to {len(smallest):,}, {len(smallest) / floor:.2f} times; "
        f"{peak / 1024:.0f} MB ({(peak - before) / 1024:.0f} MB more than at the start)",
        flush=True,
    )


def _indices(chosen: random.Random, count: int) -> Iterator[int]:
    draw = chosen.random
    return (int(draw() * ENTRIES) for _ in range(count))


def _drawing(count: int) -> float:
    """Seconds of CPU that drawing the sample takes, which a service does not do."""
    began = time.process_time()
    for _ in _indices(random.Random(8), count):
        pass
    return time.process_time() - began


if __name__ == "__main__":
    _build(float(sys.argv[1]))
