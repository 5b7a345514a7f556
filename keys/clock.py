"""Time and randomness as arguments."""

import os
import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns the present instant in epoch seconds."""

Random = Callable[[int], bytes]
"""Returns that many unpredictable bytes; ``system_random`` outside tests."""


system_random: Random = os.urandom
"""The kernel's, as ``secrets`` has it, without the two calls in between."""


def system_clock() -> float:
    """Return the host's time in epoch seconds."""
    return time.time()
