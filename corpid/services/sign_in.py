"""Signing in: a password is loa1, a password and a one-time code are loa2.

Whether a name is known is not told: unknown and known names get the same answers, cost the same
work and are slowed down alike. Every try is counted before it is checked.
"""

import hashlib
from typing import Final

from cachetools import TTLCache

from corpid.domain.person import Assurance, PasswordMethod
from corpid.services import totp
from corpid.services.passwords import Passwords
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Session, SignInGuard
from corpid.services.sessions import Sessions
from corpid.services.sign_in_guard import (
    FORGET_AFTER_MS,
    LONGEST_SECONDS,
    NO_FAILURES,
    after_try,
    waits_seconds,
)
from keys.clock import Clock

PASSWORD_METHOD: Final = "pwd"  # RFC 8176
CODE_METHOD: Final = "otp"
MAX_USERNAME: Final = 100
_UNKNOWN_NAMES: Final = 10_000


class SignInRefused(Exception):
    """The sign-in failed; the page says so without telling which part was wrong."""


class WrongCredentials(SignInRefused):
    """Wrong name, password or one-time code."""


class TooManyTries(SignInRefused):
    """Guesses are refused for now. ``seconds`` says for how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


def canonical_username(typed: str) -> str:
    """A user name as it is stored: no blanks around it, lower case."""
    return typed.strip().lower()


class SignIn:
    """The sign-in methods of people."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        secrets: totp.TotpSecrets,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._secrets = secrets
        self._sessions = sessions
        self._clock = clock
        # Names that nobody has are slowed down like others: in this process, bounded.
        # As long as those: or after a while one could tell them apart.
        forget = (FORGET_AFTER_MS // 1000) + LONGEST_SECONDS
        self._unknown: TTLCache[bytes, SignInGuard] = TTLCache(_UNKNOWN_NAMES, forget, timer=clock)

    async def with_password(
        self, username: str, password: str, previous: Session | None, browser: str = ""
    ) -> tuple[Session, str]:
        """A session at loa1 and its Set-Cookie header.

        ``previous`` is the browser's session before: the same person's goes on under a new
        cookie, another's ends as if that person had signed out.

        Raises:
            WrongCredentials: name or password is wrong, or the account is closed.
            TooManyTries: too many failures before; nothing was checked.
        """
        name = canonical_username(username)[:MAX_USERNAME]
        method = await self._count_password_try(name)
        right = await self._passwords.verify(
            None if method is None else method.password_hash, password
        )
        person = await self._store.read.people.by_id(method.person_id) if method else None
        if not right or method is None or person is None or person.closed_at is not None:
            await self._report_failure("password", None if method is None else method.person_id)
            raise WrongCredentials
        renewed = None
        if self._passwords.is_outdated(method.password_hash):
            renewed = await self._passwords.hash(password)
        goes_on = previous if previous and previous.person_id == person.person_id else None
        session, cookie = self._sessions.fresh(
            person.person_id,
            Assurance.LOA1,
            (PASSWORD_METHOD,),
            browser=browser,
            goes_on=goes_on,
        )

        async def work(uow: UnitOfWork) -> None:
            await uow.people.guard_password(name, NO_FAILURES)
            if renewed is not None:
                await uow.people.set_password_hash(name, renewed)
            if goes_on is not None:
                if not await uow.sign_ins.renew_session(session):
                    raise WrongCredentials  # signed out, or closed, a moment ago: begin again
                await uow.operations.audit("session.renewed", _facts(session))
                return
            if previous is not None:
                await self._sessions.replace(uow, previous)
            await uow.sign_ins.add_session(session)
            await uow.operations.audit("session.begun", _facts(session))

        await self._store.write(work)
        return session, cookie

    async def with_code(self, session: Session, code: str) -> Session:
        """The session at loa2, after a one-time code. Each code counts once (RFC 6238 5.2).

        Raises:
            WrongCredentials: the code is wrong or was used, or the person has no such method.
            TooManyTries: too many failures before; nothing was checked.
        """
        sealed = await self._count_code_try(session.person_id)
        if sealed is None:
            raise WrongCredentials
        secret = self._secrets.open(session.person_id, sealed)
        step = totp.matching_step(secret, "".join(code.split()), self._clock())
        stronger = self._sessions.strengthened(session, Assurance.LOA2, CODE_METHOD)

        async def work(uow: UnitOfWork) -> bool:
            if step is None or not await uow.people.use_totp_step(session.person_id, step):
                return False
            await uow.people.guard_totp(session.person_id, NO_FAILURES)
            await uow.sign_ins.strengthen_session(stronger)
            await uow.operations.audit("session.strengthened", _facts(stronger))
            return True

        if not await self._store.write(work):
            await self._report_failure("totp", session.person_id)
            raise WrongCredentials
        return stronger

    async def has_code(self, person_id: str) -> bool:
        """Whether the person can give one-time codes."""
        return await self._store.read.people.totp(person_id) is not None

    async def _count_password_try(self, name: str) -> PasswordMethod | None:
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> tuple[PasswordMethod | None, int]:
            found = await uow.people.by_username(name)
            if found is None:
                return None, 0
            method, guard = found
            seconds = waits_seconds(guard, now_ms)
            if not seconds:
                await uow.people.guard_password(name, after_try(guard, now_ms))
            return method, seconds

        method, seconds = await self._store.write(work)
        if method is None:
            seconds = self._count_unknown(name, now_ms)
        if seconds:
            raise TooManyTries(seconds)
        return method

    def _count_unknown(self, name: str, now_ms: int) -> int:
        key = hashlib.sha256(name.encode("utf-8", "replace")).digest()
        guard = self._unknown.get(key, NO_FAILURES)
        seconds = waits_seconds(guard, now_ms)
        if not seconds:
            self._unknown[key] = after_try(guard, now_ms)
        return seconds

    async def _count_code_try(self, person_id: str) -> bytes | None:
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> tuple[bytes | None, int]:
            found = await uow.people.totp(person_id)
            if found is None:
                return None, 0
            method, guard = found
            seconds = waits_seconds(guard, now_ms)
            if not seconds:
                await uow.people.guard_totp(person_id, after_try(guard, now_ms))
            return method.sealed_secret, seconds

        sealed, seconds = await self._store.write(work)
        if seconds:
            raise TooManyTries(seconds)
        return sealed

    async def _report_failure(self, method: str, person_id: str | None) -> None:
        """Into the audit trail. An unknown name leaves no row: it may be a password, and strangers
        could fill the table with them.
        """
        if person_id is None:
            return

        async def work(uow: UnitOfWork) -> None:
            await uow.operations.audit("sign_in.failed", {"method": method, "person_id": person_id})

        await self._store.write(work)


def _facts(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "person_id": session.person_id,
        "acr": session.assurance.value,
        "amr": list(session.methods),
    }
