"""The clock of the product: epoch milliseconds from an injected epoch-seconds clock."""

from collections.abc import Callable

Clock = Callable[[], float]


def milliseconds(clock: Clock) -> int:
    """Now, in epoch milliseconds."""
    return int(clock() * 1000)
