"""Who guesses is slowed down and then stopped, and shuts nobody else out by it.

Tries are counted before they are checked, and forgiven when they were right. There are three
counts, after OWASP's device cookies:

- A browser in which this person has signed in before has a small one of its own. Whoever guesses
  elsewhere does not touch it.
- All other browsers share one for each name, whether anybody has that name or not: a few tries are
  free, then each costs a longer wait, and after twenty in a row such browsers are refused for a
  day.
- They also share one for each network address, whatever the names.

Counts are kept under keyed hashes: what is typed as a name may be a password. Names and addresses
are strangers' input, so their hashes are cut short, which bounds the rows for good.
"""

import hmac
import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, Literal

from corpid.services.pace import Pace
from corpid.services.ports import UnitOfWork
from corpid.services.records import Tries
from corpid.services.sessions import BROWSER, CookieRules
from keys import base64url
from keys.clock import Clock, Random
from oidc.secrets import TokenHasher

Door = Literal["password", "code"]

DAY_SECONDS: Final = 24 * 3600
FORGET_AFTER_MS: Final = DAY_SECONDS * 1000

FROM_AN_ADDRESS: Final = Pace(burst=30, seconds=60)
"""Failures from one address that cost no wait, and the time for each one more."""

SLOT_BITS: Final = 20
"""A million rows for all names that are ever tried, and as many for addresses."""
_MASK: Final = (1 << SLOT_BITS) - 1
_WHOLE_BYTES: Final = 16

_NONCE_BYTES: Final = 16
REMEMBERED_PEOPLE: Final = 5
"""People that one browser is known for; the one who was here longest ago gives way."""
BROWSER_SECONDS: Final = 400 * DAY_SECONDS  # as long as browsers keep a cookie
_BROWSER: Final = re.compile(rf"[\w-]{{22}}(?:\.[\w-]{{22}}){{1,{REMEMBERED_PEOPLE}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Policy:
    """``free`` tries cost no wait; ``stopped_at`` in a row end it for a day.

    They are forgotten ``forget_after_ms`` after the last one's wait.
    """

    free: int
    longest_seconds: int
    stopped_at: int
    forget_after_ms: int = FORGET_AFTER_MS


UNKNOWN_BROWSERS: Final = Policy(free=3, longest_seconds=3600, stopped_at=20)
KNOWN_BROWSER: Final = Policy(free=5, longest_seconds=300, stopped_at=15)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a try comes from: the cookie that remembers the browser, and the network address.

    ``address`` is None where it tells nobody apart (``corpid.web.client_address``). ``label`` is
    what the person may know the browser by.
    """

    browser: str = ""
    address: str | None = None
    label: str = ""


NOBODY: Final = Visitor()


@dataclass(frozen=True, slots=True)
class Counted:
    """A try that was counted, or refused for ``seconds``. ``known`` is about the browser."""

    seconds: int
    slot: bytes
    address_slot: bytes | None
    known: bool
    failures: int = 0

    @property
    def stops(self) -> bool:
        """Whether browsers that are not known are refused for a day from this try on."""
        return not self.known and self.failures == UNKNOWN_BROWSERS.stopped_at


class Guessing:
    """Counts tries. ``hasher`` keys what they are kept under."""

    def __init__(self, hasher: TokenHasher, clock: Clock) -> None:
        self._hasher = hasher
        self._clock = clock

    async def count(
        self, uow: UnitOfWork, door: Door, name: str, person_id: str | None, visitor: Visitor
    ) -> Counted:
        """Count a try as failed, inside a write; nothing is counted where ``seconds`` is not 0.

        ``name`` is what unknown browsers share the count of: a typed user name, or a person's id.
        """
        now_ms = int(self._clock() * 1000)
        nonce = self._nonce(visitor.browser, person_id)
        if nonce is not None:
            slot = self._whole("known", door, nonce, person_id or "")
            tries = await uow.guesses.tries(slot)
            # One that has used up its trust is as good as any other browser.
            if _failures(tries, now_ms, KNOWN_BROWSER) < KNOWN_BROWSER.stopped_at:
                if seconds := waits_seconds(tries, now_ms):
                    return Counted(seconds, slot, None, known=True)
                after = after_try(tries, now_ms, KNOWN_BROWSER)
                await _keep(uow, slot, after)
                return Counted(0, slot, None, known=True, failures=after.failures)
        return await self._count_unknown(uow, self._slot(door, name), visitor, now_ms)

    async def forgive(self, uow: UnitOfWork, counted: Counted) -> None:
        """The counted try was right, inside a write."""
        await uow.guesses.forget(counted.slot)
        if counted.address_slot is not None:
            tries = await uow.guesses.tries(counted.address_slot)
            await _keep(uow, counted.address_slot, FROM_AN_ADDRESS.given_back(tries))

    async def keep_counted(self, uow: UnitOfWork, counted: Counted) -> None:
        """The counted try was wrong: write the same once more, inside a write."""
        await _keep(uow, counted.slot, await uow.guesses.tries(counted.slot))

    async def forget(self, uow: UnitOfWork, username: str, person_id: str) -> None:
        """Let everybody try again for that person, inside a write."""
        await uow.guesses.forget(self._slot("password", username))
        await uow.guesses.forget(self._slot("code", person_id))

    def knows(self, browser: str, person_id: str) -> bool:
        """Whether the person has signed in before in the browser of that cookie."""
        return self._nonce(browser, person_id) is not None

    def remember(self, browser: str, person_id: str, cookies: CookieRules, random: Random) -> str:
        """The Set-Cookie header of a browser in which the person has signed in with all means."""
        nonce, *marks = browser.split(".") if _BROWSER.fullmatch(browser) else ("",)
        nonce = nonce or base64url.encode(random(_NONCE_BYTES))
        mark = self._mark(nonce, person_id)
        kept = [mark, *(one for one in marks if one != mark)][:REMEMBERED_PEOPLE]
        return cookies.keep(BROWSER, ".".join((nonce, *kept)), BROWSER_SECONDS)

    async def _count_unknown(
        self, uow: UnitOfWork, slot: bytes, visitor: Visitor, now_ms: int
    ) -> Counted:
        tries = await uow.guesses.tries(slot)
        seconds = waits_seconds(tries, now_ms)
        address_slot = self._address_slot(visitor.address)
        from_address = None
        if address_slot is not None:
            from_address = await uow.guesses.tries(address_slot)
            seconds = max(seconds, FROM_AN_ADDRESS.waits_seconds(from_address, now_ms))
        if seconds:
            return Counted(seconds, slot, address_slot, known=False)
        after = after_try(tries, now_ms, UNKNOWN_BROWSERS)
        await _keep(uow, slot, after)
        if address_slot is not None and from_address is not None:
            await _keep(uow, address_slot, FROM_AN_ADDRESS.after(from_address, now_ms))
        return Counted(0, slot, address_slot, known=False, failures=after.failures)

    def _nonce(self, browser: str, person_id: str | None) -> str | None:
        """What the cookie calls its browser, if it is known for that person."""
        if person_id is None or _BROWSER.fullmatch(browser) is None:
            return None
        nonce, *marks = browser.split(".")
        mark = self._mark(nonce, person_id)
        return nonce if any(hmac.compare_digest(mark, one) for one in marks) else None

    def _mark(self, nonce: str, person_id: str) -> str:
        return base64url.encode(self._whole("browser", nonce, person_id))

    def _slot(self, door: Door, name: str) -> bytes:
        if door == "code":  # a person's id, and nothing that strangers can make up
            return self._whole("code", name)
        return self._cut("name", name)

    def _address_slot(self, address: str | None) -> bytes | None:
        return None if address is None else self._cut("address", network_of(address))

    def _whole(self, *parts: str) -> bytes:
        return _hashed(self._hasher, parts)

    def _cut(self, kind: str, text: str) -> bytes:
        return short_slot(self._hasher, kind[:1].encode(), kind, text)


def short_slot(hasher: TokenHasher, mark: bytes, *parts: str) -> bytes:
    """What a count is kept under whose parts are strangers' input: of each mark a million rows."""
    number = int.from_bytes(_hashed(hasher, parts)[:4]) & _MASK
    return mark + number.to_bytes(3)


def _hashed(hasher: TokenHasher, parts: tuple[str, ...]) -> bytes:
    text = "\x00".join(("guess", *parts)).encode("utf-8", "replace")
    return hasher.hash(text)[:_WHOLE_BYTES]


def network_of(address: str) -> str:
    """What one visitor has for their own: an IPv4 address, or an IPv6 network of 64 bits."""
    parsed = ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


def delay_seconds(failures: int, policy: Policy) -> int:
    """How long to refuse after that many failures in a row."""
    if failures >= policy.stopped_at:
        return DAY_SECONDS
    if failures < policy.free:
        return 0
    return min(policy.longest_seconds, 1 << (failures - policy.free))


def waits_seconds(tries: Tries, now_ms: int) -> int:
    """Seconds (rounded up) until the next try may be made; 0 when it may be made now."""
    return max(0, -(-(tries.blocked_until - now_ms) // 1000))


def after_try(tries: Tries, now_ms: int, policy: Policy) -> Tries:
    """The count with one more try counted as failed."""
    failures = _failures(tries, now_ms, policy) + 1
    # The instant is kept also when nothing is refused, to know how old the failures are.
    return Tries(failures, now_ms + delay_seconds(failures, policy) * 1000)


def _failures(tries: Tries, now_ms: int, policy: Policy) -> int:
    return 0 if now_ms - tries.blocked_until > policy.forget_after_ms else tries.failures


async def _keep(uow: UnitOfWork, slot: bytes, tries: Tries) -> None:
    await uow.guesses.keep(slot, tries, tries.blocked_until + FORGET_AFTER_MS)
