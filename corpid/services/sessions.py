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
from keys import base64url
from keys.clock import Clock, Random
from oidc.secrets import TokenHasher

COOKIE_BYTES: Final = 32
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

    def clear(self, short: str) -> str:
        """A Set-Cookie header that removes the cookie."""
        return f"{self.set(short, '')}; Max-Age=0"


SESSION: Final = "session"
INTERACTION: Final = "interaction"
LANGUAGE: Final = "language"


class Sessions:
    """Begins, finds, strengthens and ends sessions. ``lifetime`` is in seconds."""

    def __init__(
        self,
        store: Store,
        hasher: TokenHasher,
        cookies: CookieRules,
        clock: Clock,
        random: Random,
        *,
        lifetime: int,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self.cookies = cookies
        self._clock = clock
        self._random = random
        self._lifetime = lifetime

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self._clock() * 1000)

    async def current(self, cookies: Mapping[str, str]) -> Session | None:
        """The live session of a browser, or None."""
        value = cookies.get(self.cookies.name(SESSION), "")
        if COOKIE_VALUE.fullmatch(value) is None:
            return None
        session = await self._store.read.sign_ins.session(self._hasher.hash(value))
        if session is None or session.ended_at is not None:
            return None
        return session if self.now_ms() < session.expires_at else None

    def fresh(
        self, person_id: str, assurance: Assurance, methods: tuple[str, ...]
    ) -> tuple[Session, str]:
        """A new session, to be stored, and its Set-Cookie header."""
        value = base64url.encode(self._random(COOKIE_BYTES))
        now_ms = self.now_ms()
        session = Session(
            session_hash=self._hasher.hash(value),
            session_id=new_id(self._random),
            person_id=person_id,
            assurance=assurance,
            methods=methods,
            signed_in_at=now_ms,
            expires_at=now_ms + self._lifetime * 1000,
        )
        return session, self.cookies.set(SESSION, value)

    def strengthened(self, session: Session, assurance: Assurance, method: str) -> Session:
        """The session after one more proof of who it is, to be stored."""
        methods = tuple(dict.fromkeys((*session.methods, method)))
        return replace(session, assurance=assurance, methods=methods, signed_in_at=self.now_ms())

    async def end(self, session: Session) -> str:
        """Sign out; the header that removes the cookie.

        Access tokens that are out live on for their few minutes, and refresh tokens as long as
        the person agreed to: they exist only for access while away (offline_access).
        """
        now_ms = self.now_ms()

        async def work(uow: UnitOfWork) -> None:
            if await uow.sign_ins.end_session(session.session_id, now_ms):
                await uow.operations.audit(
                    "session.ended",
                    {"session_id": session.session_id, "person_id": session.person_id},
                )

        await self._store.write(work)
        return self.cookies.clear(SESSION)
