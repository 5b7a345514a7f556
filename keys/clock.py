"""Time and randomness as arguments."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns the present instant in epoch seconds."""

Random = Callable[[int], bytes]
"""Returns that many unpredictable bytes; ``secrets.token_bytes`` outside tests."""


def system_clock() -> float:
    """Return the host's time in epoch seconds."""
    return time.time()
