"""How far the bulk issuance of one file has come, and the port to where that is kept."""

from dataclasses import dataclass
from typing import Final, Protocol

KEPT_MS: Final = 30 * 24 * 3600 * 1000
"""How long after its last progress a batch is known, and so continued or not done again."""


@dataclass(frozen=True, slots=True)
class IssuanceBatch:
    """A file that is, or was, issued from. ``batch_id`` stands for its content.

    Lines up to ``done_line`` are done; ``chunk_from`` is the first line of the last transaction,
    ``turn`` how many there were. Times in epoch ms.
    """

    batch_id: str
    actor: str
    started_at: int
    turn: int = 0
    chunk_from: int = 0
    done_line: int = 0
    issued: int = 0
    refused: int = 0
    finished_at: int | None = None


class IssuanceBatches(Protocol):
    """Where batches are kept."""

    async def by_id(self, batch_id: str) -> IssuanceBatch | None:
        """A batch that is still known."""

    async def add(self, batch: IssuanceBatch) -> bool:
        """Add it; False when it is known already."""

    async def advance(self, batch: IssuanceBatch, turn: int, now_ms: int) -> bool:
        """Write how far it has come, if that was ``turn`` until now; False when it was not."""
