"""The change counters as this process sees them: read once in a turn of the event loop."""

import asyncio
from collections.abc import Mapping


class ChangeCounters:
    """Remembers the counters' values until the turn in which they were read is over.

    What is answered within a turn had arrived before it began, and whoever raised a counter is
    told so in a later one: no request comes too late to see the change. Values that took longer
    than a turn to arrive, as PostgreSQL's do, are good for their own request only.
    """

    __slots__ = ("_turn", "_values")

    def __init__(self) -> None:
        self._turn: object | None = None
        self._values: Mapping[str, int] | None = None

    def turn(self) -> object:
        """What stands for this turn of the event loop."""
        if self._turn is None:
            self._turn = object()
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._turn

    def values(self) -> Mapping[str, int] | None:
        """The counters, where they were read in this turn already."""
        return self._values

    def saw(self, values: Mapping[str, int], turn: object) -> None:
        """Remember values whose reading began in that turn."""
        if turn is self._turn:
            self._values = values

    def _end_turn(self) -> None:
        self._turn = self._values = None
