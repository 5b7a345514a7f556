"""How often something may be done: so many times at once, then once in each while.

Kept as one instant a slot, in the same table as failed tries, so that it holds for all processes
and over restarts: until then the times that were used up reach into the future.
"""

from dataclasses import dataclass

from corpid.services.ports import UnitOfWork
from corpid.services.records import Tries


@dataclass(frozen=True, slots=True)
class Pace:
    """``burst`` times at once, then once in each ``seconds``."""

    burst: int
    seconds: int

    def waits_seconds(self, used: Tries, now_ms: int) -> int:
        """Seconds (rounded up) until the next time; 0 when it may be now."""
        allowed = self.burst * self._ms
        return max(0, -(-(used.blocked_until + self._ms - now_ms - allowed) // 1000))

    def after(self, used: Tries, now_ms: int) -> Tries:
        """With one more time used up."""
        return Tries(0, max(used.blocked_until, now_ms) + self._ms)

    def given_back(self, used: Tries) -> Tries:
        """With one time less."""
        return Tries(0, max(0, used.blocked_until - self._ms))

    @property
    def _ms(self) -> int:
        return self.seconds * 1000


async def take(uow: UnitOfWork, slot: bytes, pace: Pace, now_ms: int) -> int:
    """Use up one time, inside a write; else the seconds until one may be used up again."""
    used = await uow.guesses.tries(slot)
    seconds = pace.waits_seconds(used, now_ms)
    if not seconds:
        after = pace.after(used, now_ms)
        await uow.guesses.keep(slot, after, after.blocked_until)
    return seconds
