"""How much clients that nobody registered may make the service do, whichever way they come."""

from collections.abc import Awaitable, Callable
from typing import Final

from corpid.services.pace import Pace, take
from corpid.services.ports import Store
from keys.clock import Clock
from oidc.errors import TooManyRequests
from oidc.secrets import TokenHasher

_HOUR_MS: Final = 3_600_000
_SLOT_BYTES: Final = 16


async def check_bounds(
    count_since: Callable[[int], Awaitable[int]], per_hour: int, most: int, now_ms: int
) -> None:
    """Whether one more client may come; ``count_since`` tells how many did after an instant.

    Raises:
        TooManyRequests: there were as many as may be, within an hour or in all.
    """
    if await count_since(now_ms - _HOUR_MS) >= per_hour:
        raise TooManyRequests(
            "too many clients registered within an hour: try later",
            headers={"Retry-After": "3600"},
        )
    if await count_since(0) >= most:
        raise TooManyRequests(
            "no more clients can register themselves: ask the operator",
            headers={"Retry-After": "86400"},
        )


class Turns:
    """What a client may do again and again, at a pace; counted for all processes."""

    def __init__(self, store: Store, hasher: TokenHasher, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

    async def take(self, what: str, whose: str, pace: Pace) -> None:
        """Use up one time.

        Raises:
            TooManyRequests: there is none left for now.
        """
        slot = self._hasher.hash(f"registration\x00{what}\x00{whose}")[:_SLOT_BYTES]
        now_ms = int(self._clock() * 1000)
        seconds = await self._store.write(lambda uow: take(uow, slot, pace, now_ms))
        if seconds:
            raise TooManyRequests(
                f"{what}: too often, try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
