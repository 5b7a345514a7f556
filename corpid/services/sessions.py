"""Browser sessions: a random cookie, kept as a keyed hash; ``session_id`` is another value.

The cookie never appears in a token or a log; ``session_id`` is what grants refer to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from corpid.domain.identifiers import new_id
from corpid.domain.person import Assurance
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Session
from corpid.services.session_end import end_session
from keys import base64url
from keys.clock import Clock, Random
from oidc.secrets import TokenHasher

COOKIE_BYTES: Final = 32
RECENT: Final = 15 * 60
_NOTED_PER_IDLE_TIME: Final = 12
"""How often, at most, the use of a session is written in the time that it may be idle."""
COOKIE_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class CookieRules:
    """How our cookies are named and guarded.

    On https: ``__Host-`` names, Secure, bound to this host and the whole of it. On loopback http
    browsers refuse that prefix, so names are plain.
    """

    https: bool

    def name(self, short: str) -> str:
        """The cookie's full name."""
        return f"__Host-corpid-{short}" if self.https else f"corpid-{short}"

    def set(self, short: str, value: str) -> str:
        """A Set-Cookie header that lasts until the browser closes."""
        secure = "; Secure" if self.https else ""
        return f"{self.name(short)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def keep(self, short: str, value: str, seconds: int) -> str:
        """A Set-Cookie header that lasts for that long."""
        return f"{self.set(short, value)}; Max-Age={seconds}"

    def clear(self, short: str) -> str:
        """A Set-Cookie header that removes the cookie."""
        return f"{self.set(short, '')}; Max-Age=0"


SESSION: Final = "session"
INTERACTION: Final = "interaction"
LANGUAGE: Final = "language"
BROWSER: Final = "browser"


class Sessions:
    """Begins, finds, strengthens and ends sessions.

    ``lifetime`` counts from the last sign-in, ``idle`` from the last use; ``recent`` is how long
    ago the last sign-in may be for what cannot be undone. All in seconds.
    """

    def __init__(
        self,
        store: Store,
        hasher: TokenHasher,
        cookies: CookieRules,
        clock: Clock,
        random: Random,
        *,
        lifetime: int,
        idle: int,
        recent: int = RECENT,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self.cookies = cookies
        self._clock = clock
        self._random = random
        self._lifetime = lifetime
        self._idle_ms = idle * 1000
        self._recent_ms = recent * 1000

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self._clock() * 1000)

    async def current(self, cookies: Mapping[str, str]) -> Session | None:
        """The live session of a browser, or None. That it is used is written now and then."""
        value = cookies.get(self.cookies.name(SESSION), "")
        if COOKIE_VALUE.fullmatch(value) is None:
            return None
        session = await self._store.read.sign_ins.session(self._hasher.hash(value))
        now_ms = self.now_ms()
        if session is None or not self.is_live(session, now_ms):
            return None
        if now_ms - session.used_at >= self._idle_ms // _NOTED_PER_IDLE_TIME:
            await self._store.write(
                lambda uow: uow.sign_ins.touch_session(session.session_id, now_ms)
            )
        return session

    def is_live(self, session: Session, now_ms: int) -> bool:
        """Whether a session may still be used: neither ended, nor too old, nor idle too long."""
        until = min(session.expires_at, session.used_at + self._idle_ms)
        return session.ended_at is None and now_ms < until

    def is_recent(self, session: Session) -> bool:
        """Whether the person signed in a short while ago."""
        return self.now_ms() - session.signed_in_at < self._recent_ms

    def fresh(
        self,
        person_id: str,
        assurance: Assurance,
        methods: tuple[str, ...],
        *,
        browser: str = "",
        goes_on: Session | None = None,
    ) -> tuple[Session, str]:
        """A session, to be stored, and its Set-Cookie header.

        The cookie is always new: one that was known before a sign-in is worth nothing after it
        (session fixation). With ``goes_on``, a session of the same person, its id stays, so that
        clients see the same ``sid``.
        """
        value = base64url.encode(self._random(COOKIE_BYTES))
        now_ms = self.now_ms()
        session = Session(
            session_hash=self._hasher.hash(value),
            session_id=new_id(self._random) if goes_on is None else goes_on.session_id,
            person_id=person_id,
            assurance=assurance,
            methods=methods,
            signed_in_at=now_ms,
            expires_at=now_ms + self._lifetime * 1000,
            began_at=now_ms if goes_on is None else goes_on.began_at,
            seen_at=now_ms,
            browser=browser,
        )
        return session, self.cookies.set(SESSION, value)

    def strengthened(
        self, session: Session, assurance: Assurance, method: str
    ) -> tuple[Session, str]:
        """The session after one more proof of who it is, to be stored, and its Set-Cookie header.

        The cookie is new here as well: the one before may be known to whoever made the browser
        sign in by the first means (RFC 9700 update, session fixation).
        """
        value = base64url.encode(self._random(COOKIE_BYTES))
        stronger = replace(
            session,
            session_hash=self._hasher.hash(value),
            assurance=assurance,
            methods=tuple(dict.fromkeys((*session.methods, method))),
            signed_in_at=self.now_ms(),
        )
        return stronger, self.cookies.set(SESSION, value)

    async def replace(self, uow: UnitOfWork, session: Session) -> None:
        """End the session of a browser in which another person signs in, inside a write."""
        await end_session(
            uow,
            session.session_id,
            self.now_ms(),
            self._random,
            actor=session.person_id,
            reason="another_sign_in",
        )

    async def end(self, session: Session, reason: str = "signed_out") -> str:
        """Sign out, by the person; the header that removes the cookie."""
        now_ms = self.now_ms()

        async def work(uow: UnitOfWork) -> None:
            await end_session(
                uow,
                session.session_id,
                now_ms,
                self._random,
                actor=session.person_id,
                reason=reason,
            )

        await self._store.write(work)
        return self.cookies.clear(SESSION)
