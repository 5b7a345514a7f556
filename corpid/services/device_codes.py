"""Typing a device's code (RFC 8628 3.3): found, or guessed wrongly, and then slowed down.

Guesses are counted for the person who is signed in, else for the browser. A stranger's browser
costs nothing, so wrong codes are counted for the network that they come from as well: where there
were too many, whoever comes from there signs in first. So nobody can shut others out, not even
where all come from one address.
"""

from typing import Final

from corpid.services.guessing import Policy, after_try, network_of, short_slot, waits_seconds
from corpid.services.pace import Pace
from corpid.services.polled_interactions import Polled
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Session
from corpid.services.sign_in import TooManyTries
from keys.clock import Clock
from oidc.provider.device_authorization import shown_user_code, typed_user_code
from oidc.secrets import TokenHasher

WINDOW_SECONDS: Final = 600
"""A code lives no longer: what was guessed before says nothing of the codes of now."""
POLICY: Final = Policy(
    free=3, longest_seconds=300, stopped_at=1_000_000, forget_after_ms=WINDOW_SECONDS * 1000
)
FROM_A_NETWORK: Final = Pace(burst=20, seconds=WINDOW_SECONDS // 20)


class WrongUserCode(Exception):
    """No device waits under that code: mistyped, expired, or answered already."""


class SignInFirst(Exception):
    """Too many wrong codes came from this network: only people with an account go on."""


class DeviceCodes:
    """Looks codes up, once the try is counted; the counts are those of all processes."""

    def __init__(self, store: Store, hasher: TokenHasher, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

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
        network = self._slot("network", "" if address is None else network_of(address))
        if session is None:
            guesser = self._slot("browser", browser)
        else:
            guesser = self._slot("person", session.person_id)

        async def count(uow: UnitOfWork) -> TooManyTries | SignInFirst | None:
            # Counted before the look, so that many at once get no more tries than one after
            # another, in whichever process.
            tries = await uow.guesses.tries(guesser)
            from_network = await uow.guesses.tries(network)
            if session is None and FROM_A_NETWORK.waits_seconds(from_network, now_ms):
                return SignInFirst()
            if seconds := waits_seconds(tries, now_ms):
                return TooManyTries(seconds)
            after = after_try(tries, now_ms, POLICY)
            await uow.guesses.keep(guesser, after, after.blocked_until + POLICY.forget_after_ms)
            counted = FROM_A_NETWORK.after(from_network, now_ms)
            await uow.guesses.keep(network, counted, counted.blocked_until)
            return None

        async def forgive(uow: UnitOfWork) -> None:
            await uow.guesses.forget(guesser)
            before = FROM_A_NETWORK.given_back(await uow.guesses.tries(network))
            await uow.guesses.keep(network, before, before.blocked_until)

        refused = await self._store.write(count)
        if refused is not None:
            raise refused
        code = typed_user_code(typed)
        found = None
        if code is not None:
            found = await self._store.read.provider_reads.polled_request_of(self._hasher.hash(code))
        if code is None or found is None or not found.is_open(now_ms):
            raise WrongUserCode
        await self._store.write(forgive)
        return Polled(found, shown_user_code(code), confirmed=False)

    def _slot(self, kind: str, text: str) -> bytes:
        """Browsers and networks are strangers' input: there is a million of each, and no more."""
        return short_slot(self._hasher, b"u" + kind[:1].encode(), "user-code", kind, text)
