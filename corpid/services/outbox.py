"""The port of the outbox: what must be told to others, and who is telling it now."""

from typing import Protocol

from corpid.services.records import OutboxMessage


class Outbox(Protocol):
    """Messages to others: taken by one process at a time, each recipient by itself."""

    async def next_recipient(self, topic: str, after: str) -> tuple[str, int] | None:
        """The first recipient behind ``after`` for whom something waits, and since when it is due.

        Recipients come in the order of their names, each in one look-up however much waits.
        """

    async def claim(
        self, topic: str, recipient: str, now_ms: int, until_ms: int, limit: int
    ) -> list[OutboxMessage]:
        """Take messages that are due: until ``until_ms`` nobody else does."""

    async def delivered(self, message_id: bytes, now_ms: int) -> None:
        """Note that it was; it is kept until the purge."""

    async def postpone(self, message_id: bytes, due_at: int) -> None:
        """Let it be claimed again from then on."""

    async def drop(self, message_id: bytes) -> None:
        """Give a message up."""

    async def drop_older(self, topic: str, recipient: str, before_ms: int, limit: int) -> int:
        """Give up what was written before an instant and is not delivered; how many."""
