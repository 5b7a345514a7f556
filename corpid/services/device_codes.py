"""Typing a device's code (RFC 8628 3.3): found, or guessed wrongly, and then slowed down.

Guesses are counted for the person who is signed in, else for the browser. A stranger's browser
costs nothing, so wrong codes are counted for the network that they come from as well: where there
were too many, whoever comes from there signs in first. So nobody can shut others out, not even
where all come from one address.
"""

from typing import Final

from cachetools import TTLCache

from corpid.services.guessing import NO_TRIES, Policy, after_try, network_of, waits_seconds
from corpid.services.polled_interactions import Polled
from corpid.services.ports import Store
from corpid.services.records import Session, Tries
from corpid.services.sign_in import TooManyTries
from keys.clock import Clock
from oidc.provider.device_authorization import shown_user_code, typed_user_code
from oidc.secrets import TokenHasher

POLICY: Final = Policy(free=3, longest_seconds=300, stopped_at=1_000_000)
WRONG_FROM_A_NETWORK: Final = 20
WINDOW_SECONDS: Final = 600
_KEPT: Final = 10_000


class WrongUserCode(Exception):
    """No device waits under that code: mistyped, expired, or answered already."""


class SignInFirst(Exception):
    """Too many wrong codes came from this network: only people with an account go on."""


class DeviceCodes:
    """Looks codes up. The counts are in this process and bounded: a code lives ten minutes."""

    def __init__(self, store: Store, hasher: TokenHasher, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._guards: TTLCache[str, Tries] = TTLCache(_KEPT, WINDOW_SECONDS, timer=clock)
        self._wrong: TTLCache[str, int] = TTLCache(_KEPT, WINDOW_SECONDS, timer=clock)

    async def enter(
        self, typed: str, *, session: Session | None, browser: str, address: str | None
    ) -> Polled:
        """The request of the device that shows this code.

        ``address`` is None where it tells nobody apart: then all have one count.

        Raises:
            WrongUserCode: there is none.
            TooManyTries: too many wrong codes of this person or browser; nothing was looked up.
            SignInFirst: too many from this network; nothing was looked up.
        """
        now_ms = int(self._clock() * 1000)
        network = "" if address is None else network_of(address)
        if session is None and self._wrong.get(network, 0) >= WRONG_FROM_A_NETWORK:
            raise SignInFirst
        key = f"browser:{browser}" if session is None else f"person:{session.person_id}"
        guard = self._guards.get(key, NO_TRIES)
        seconds = waits_seconds(guard, now_ms)
        if seconds:
            raise TooManyTries(seconds)
        # Counted before the look, so that many at once get no more tries than one after another.
        self._guards[key] = after_try(guard, now_ms, POLICY)
        self._wrong[network] = self._wrong.get(network, 0) + 1
        code = typed_user_code(typed)
        found = None
        if code is not None:
            found = await self._store.read.provider_reads.polled_request_of(self._hasher.hash(code))
        if code is None or found is None or not found.is_open(now_ms):
            raise WrongUserCode
        self._guards.pop(key, None)
        self._wrong[network] = max(0, self._wrong.get(network, 0) - 1)
        return Polled(found, shown_user_code(code), confirmed=False)
