"""Signing in: a password is loa1, a password and a one-time code are loa2.

Whether a name is known is not told: unknown and known names get the same answers, cost the same
work and are slowed down alike. Every try is counted before it is checked (``services.guessing``).
"""

from typing import Final

from corpid.domain.person import Assurance
from corpid.services import totp
from corpid.services.guessing import NOBODY, Counted, Door, Guessing, Visitor
from corpid.services.passwords import Passwords
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Session
from corpid.services.sessions import Sessions
from keys.clock import Clock, Random

PASSWORD_METHOD: Final = "pwd"  # RFC 8176
CODE_METHOD: Final = "otp"
MAX_USERNAME: Final = 100


class SignInRefused(Exception):
    """The sign-in failed; the page says so without telling which part was wrong."""


class WrongCredentials(SignInRefused):
    """Wrong name, password or one-time code."""


class SessionGone(SignInRefused):
    """The session that was to become stronger has ended, or went on under another cookie."""


class TooManyTries(SignInRefused):
    """Guesses are refused for now: for ``seconds``, in this browser if it is ``known``."""

    def __init__(self, seconds: int, *, known: bool = False) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds
        self.known = known


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
        guessing: Guessing,
        clock: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._secrets = secrets
        self._sessions = sessions
        self._guessing = guessing
        self._clock = clock
        self._random = random

    async def with_password(
        self,
        username: str,
        password: str,
        previous: Session | None,
        *,
        visitor: Visitor = NOBODY,
    ) -> tuple[Session, str]:
        """A session at loa1 and its Set-Cookie header.

        ``previous`` is the browser's session before: the same person's goes on under a new
        cookie, another's ends as if that person had signed out.

        Raises:
            WrongCredentials: name or password is wrong, or the account is closed.
            TooManyTries: too many failures before; nothing was checked.
        """
        name = canonical_username(username)[:MAX_USERNAME]
        method = await self._store.read.people.by_username(name)
        person_id = None if method is None else method.person_id
        counted = await self._count("password", name, person_id, visitor)
        right = await self._passwords.verify(
            None if method is None else method.password_hash, password
        )
        person = await self._store.read.people.by_id(method.person_id) if method else None
        if not right or method is None or person is None or person.closed_at is not None:
            await self._report_failure("password", person_id, counted)
            raise WrongCredentials
        renewed = None
        if self._passwords.is_outdated(method.password_hash):
            renewed = await self._passwords.hash(password)
        goes_on = previous if previous and previous.person_id == person.person_id else None
        session, cookie = self._sessions.fresh(
            person.person_id,
            Assurance.LOA1,
            (PASSWORD_METHOD,),
            browser=visitor.label,
            goes_on=goes_on,
        )

        async def work(uow: UnitOfWork) -> None:
            await self._guessing.forgive(uow, counted)
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

    async def with_code(
        self, session: Session, code: str, *, visitor: Visitor = NOBODY
    ) -> tuple[Session, str]:
        """The session at loa2, after a one-time code, and its Set-Cookie header.

        Each code counts once (RFC 6238 5.2). The cookie is a new one: whoever knew the one before
        has not given the code.

        Raises:
            WrongCredentials: the code is wrong or was used, or the person has no such method.
            SessionGone: the session ended meanwhile; the code is used up.
            TooManyTries: too many failures before; nothing was checked.
        """
        method = await self._store.read.people.totp(session.person_id)
        if method is None:
            raise WrongCredentials
        counted = await self._count("code", session.person_id, session.person_id, visitor)
        secret = self._secrets.open(session.person_id, method.sealed_secret)
        step = totp.matching_step(secret, "".join(code.split()), self._clock())
        stronger, cookie = self._sessions.strengthened(session, Assurance.LOA2, CODE_METHOD)

        async def work(uow: UnitOfWork) -> SignInRefused | None:
            if step is None or not await uow.people.use_totp_step(session.person_id, step):
                return WrongCredentials()
            if not await uow.sign_ins.strengthen_session(session.session_hash, stronger):
                return SessionGone()
            await self._guessing.forgive(uow, counted)
            await uow.operations.audit("session.strengthened", _facts(stronger))
            return None

        refused = await self._store.write(work)
        if isinstance(refused, WrongCredentials):
            await self._report_failure("totp", session.person_id, counted)
        if refused is not None:
            raise refused
        return stronger, cookie

    async def has_code(self, person_id: str) -> bool:
        """Whether the person can give one-time codes."""
        return await self._store.read.people.totp(person_id) is not None

    async def remember(self, session: Session, visitor: Visitor) -> tuple[str, ...]:
        """Set-Cookie headers after a sign-in: the browser is known from now on.

        Not before the person has used all means that they have: whoever has only got hold of the
        password must not become known by it, and guess codes with a fresh count each time.
        """
        if CODE_METHOD not in session.methods and await self.has_code(session.person_id):
            return ()
        return (
            self._guessing.remember(
                visitor.browser, session.person_id, self._sessions.cookies, self._random
            ),
        )

    async def _count(
        self, door: Door, name: str, person_id: str | None, visitor: Visitor
    ) -> Counted:
        async def work(uow: UnitOfWork) -> Counted:
            return await self._guessing.count(uow, door, name, person_id, visitor)

        counted = await self._store.write(work)
        if counted.seconds:
            raise TooManyTries(counted.seconds, known=counted.known)
        return counted

    async def _report_failure(self, method: str, person_id: str | None, counted: Counted) -> None:
        """Into the audit trail. An unknown name leaves no row: it may be a password, and strangers
        could fill the table with them. But it costs a commit as a known one does, or the time
        that the answer takes would tell them apart.
        """
        if person_id is None:
            await self._store.write(lambda uow: self._guessing.keep_counted(uow, counted))
            return
        facts = {"method": method, "person_id": person_id, "known_browser": counted.known}

        async def work(uow: UnitOfWork) -> None:
            await uow.operations.audit("sign_in.failed", facts)
            if counted.stops:
                await uow.operations.audit("sign_in.stopped", facts)

        await self._store.write(work)


def _facts(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "person_id": session.person_id,
        "acr": session.assurance.value,
        "amr": list(session.methods),
    }
