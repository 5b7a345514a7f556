"""Writing much beside others: how much goes into one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

HELD_SECONDS: Final = 0.012
"""SQLite: aim for one transaction, during which nobody else can write; the bound is 20 ms."""


@dataclass(slots=True)
class Pace:
    """How many items of one kind go into one transaction: as many as fit into the time."""

    size: int
    least: int
    most: int

    def learn(self, items: int, seconds: float) -> None:
        """Come nearer to the size that takes ``HELD_SECONDS``: down fast, up slowly."""
        fitting = items * HELD_SECONDS / seconds
        up = max(self.size * 1.2, self.size + 1)
        self.size = int(min(max(fitting, self.size / 2, self.least), up, self.most))

    def batches(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """``items`` in batches of the size that fits at the time."""
        start = 0
        while start < len(items):
            size = self.size
            yield items[start : start + size]
            start += size
