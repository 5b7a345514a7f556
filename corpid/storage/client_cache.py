"""Parsed clients, remembered per process and trusted only under the change counter they had."""

from typing import Final

from oidc.records import Client

MAX_CLIENTS: Final = 1024


class ClientCache:
    """Client id to (value of the change counter ``clients``, client).

    An entry is good for exactly one value of the counter, and whoever changes a client raises
    the counter in the same transaction; so a comparison on each use replaces any lifetime.
    """

    __slots__ = ("_entries", "_limit")

    def __init__(self, limit: int = MAX_CLIENTS) -> None:
        self._entries: dict[str, tuple[int, Client]] = {}
        self._limit = limit

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
