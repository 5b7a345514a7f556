"""The demo's account of itself: what happened, how long it took, and whether it was expected."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Unexpected(Exception):
    """Something came out otherwise than the demo says it must."""


class Account:
    """Numbers the steps and keeps their times."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._started = time.perf_counter()
        self._steps = 0
        self.refusals = 0

    def chapter(self, title: str) -> None:
        """Begin a new part."""
        self._console.print(f"\n[bold]{title}[/bold]")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step, timed; an exception is told before it goes on."""
        self._steps += 1
        began = time.perf_counter()
        try:
            yield
        except BaseException:
            self._console.print(f" [red]{self._steps:2}. {title}: FAILED[/red]")
            raise
        took = (time.perf_counter() - began) * 1000
        self._console.print(f" {self._steps:2}. {title} [dim]{took:.0f} ms[/dim]")

    def say(self, text: str) -> None:
        """A detail of the step before."""
        self._console.print(f"     {text}", markup=False)

    def refused(self, what: str, got: str | None, expected: str) -> None:
        """A refusal that must come, by its error code.

        Raises:
            Unexpected: it did not come, or with another code.
        """
        if got != expected:
            raise Unexpected(f"{what}: expected the error {expected!r}, got {got!r}")
        self.refusals += 1
        self.say(f"refused, as it must be: {what} -> {expected}")

    def expect(self, what: str, holds: bool) -> None:
        """Something that must hold.

        Raises:
            Unexpected: it does not.
        """
        if not holds:
            raise Unexpected(what)

    def close(self) -> None:
        """The last line."""
        seconds = time.perf_counter() - self._started
        self._console.print(
            f"\n[bold green]Done:[/bold green] {self._steps} steps, {self.refusals} expected "
            f"refusals, {seconds:.1f} s."
        )
