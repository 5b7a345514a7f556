"""What grants that clients manage need from the host's storage; part of ``oidc.ports``."""

from typing import Protocol

from oidc.records import Grant


class ManagedGrantReads(Protocol):
    """Looking up."""

    async def managed_grant(self, handle: str) -> Grant | None:
        """The grant that a handle stands for now, over or not; None when there is none."""


class ManagedGrantWrites(Protocol):
    """Writing, inside the transaction of whoever asks."""

    async def add_handle(self, grant: Grant) -> None:
        """Let the grant's handle stand for it from now on."""

    async def take_place(self, grant: Grant, old_id: str, now_ms: int, reason: str) -> bool:
        """End the old grant with all that hangs on it; the handle stands for the new one.

        False when the handle stands for the old one no more, or that has ended: the caller rolls
        back. Whoever comes at the same time waits until the write is over.
        """

    async def end_handle(self, handle: str, now_ms: int, reason: str) -> str | None:
        """End whatever the handle stands for, for good; the grant's id, or None: it was over."""
