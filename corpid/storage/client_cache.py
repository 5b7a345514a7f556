"""Parsed clients, remembered per process and trusted only under the change counter they had."""

import asyncio
from typing import Final

from oidc.records import Client

MAX_CLIENTS: Final = 1024


class ClientCache:
    """Client id to (value of the change counter ``clients``, client).

    An entry is good for exactly one value of the counter, and whoever changes a client raises
    the counter in the same transaction; so a comparison on each use replaces any lifetime.
    """

    __slots__ = ("_entries", "_limit", "_turn", "_version")

    def __init__(self, limit: int = MAX_CLIENTS) -> None:
        self._entries: dict[str, tuple[int, Client]] = {}
        self._limit = limit
        self._turn: object | None = None
        self._version: int | None = None

    def turn(self) -> object:
        """What stands for this turn of the event loop."""
        if self._turn is None:
            self._turn = object()
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._turn

    def version(self) -> int | None:
        """The counter's value, where it was read in this turn already."""
        return self._version

    def saw(self, version: int, turn: object) -> None:
        """Remember the counter's value for the rest of this turn, in which its reading began.

        What is answered within a turn had arrived before it began, and whoever raised the counter
        is told so in a later one: no request comes too late to see the change. A value that took
        longer than a turn to arrive, as PostgreSQL's does, is as good for its own request only.
        """
        if turn is self._turn:
            self._version = version

    def _end_turn(self) -> None:
        self._turn = self._version = None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, client_id: str, version: int) -> Client | None:
        """The client as it was under that value of the counter."""
        entry = self._entries.get(client_id)
        return entry[1] if entry is not None and entry[0] == version else None

    def put(self, client: Client, version: int) -> None:
        """Remember a client that was read from committed state together with the counter."""
        entries = self._entries
        entries.pop(client.client_id, None)
        if len(entries) >= self._limit:
            del entries[next(iter(entries))]  # the one that was read longest ago
        entries[client.client_id] = (version, client)
