"""Counts of failed tries, each under the keyed hash of who or what is guessed."""

from typing import Final

from sqlalchemy import select

from corpid.services.records import Tries
from corpid.storage.constructs import adding_once, adding_or_replacing, given, removing, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_guess = table("guess")

_ONE: Final = select(_guess.c.failures, _guess.c.blocked_until).where(given(_guess.c.slot))
# Inside a write the count is read to be changed: of many tries at once each must see the one
# before.
_TRIES: Final = Statement(_ONE), Statement(_ONE.with_for_update())
_BEGIN: Final = adding_once(_guess)
_KEEP: Final = adding_or_replacing(_guess)
_FORGET: Final = removing(_guess, given(_guess.c.slot))


class SqlGuesses(Repository):
    """``services.ports.Guesses``."""

    __slots__ = ()

    async def tries(self, slot: bytes) -> Tries:
        """The count. Inside a write the row is made, because only a row can be held on to."""
        if self._in.locking:
            await self._in.writes.execute(
                _BEGIN, slot=slot, failures=0, blocked_until=0, expires_at=0
            )
        row = await self._in.reads.one(_TRIES[self._in.locking], slot=slot)
        return Tries(0, 0) if row is None else Tries(*row)

    async def keep(self, slot: bytes, tries: Tries, expires_at: int) -> None:
        """Write the count."""
        await self._in.writes.execute(
            _KEEP,
            slot=slot,
            failures=tries.failures,
            blocked_until=tries.blocked_until,
            expires_at=expires_at,
        )

    async def forget(self, slot: bytes) -> None:
        """Begin anew."""
        await self._in.writes.execute(_FORGET, slot=slot)
