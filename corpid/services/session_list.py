"""A person's sign-in sessions, for the person and for operators: seen, and ended."""

from dataclasses import dataclass

from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import Session
from corpid.services.session_end import SessionEnd, end_session
from keys.clock import Clock, Random
from oidc.records import Client


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with the clients that were given something in it, and are not disabled."""

    session: Session
    clients: tuple[Client, ...]


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """How many ended, with how many authorizations, and how many logout tokens go out."""

    sessions: int
    authorizations: int
    logouts: int


class SessionList:
    """The sessions of people. ``idle`` is in seconds: sessions that lie still longer are over."""

    def __init__(self, store: Store, clock: Clock, random: Random, *, idle: int) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._idle_ms = idle * 1000

    async def of(self, person_id: str) -> list[SessionView]:
        """Those that may still be used, the last used first."""
        now_ms = self._now_ms()
        read = self._store.read
        found = await read.sign_ins.sessions_of(person_id, now_ms)
        return [
            SessionView(one, await self._clients(one))
            for one in found
            if now_ms < one.used_at + self._idle_ms
        ]

    async def find(self, session_id: str) -> Session | None:
        """A session by its internal id, one that is over too."""
        return await self._store.read.sign_ins.session_by_id(session_id)

    async def end(self, session_ids: list[str], actor: str, reason: str) -> SessionsEnded:
        """End these with their tokens, and have their clients told; those that are over stay so."""
        now_ms = self._now_ms()

        async def work(uow: UnitOfWork) -> list[SessionEnd]:
            ends = [
                await end_session(uow, one, now_ms, self._random, actor=actor, reason=reason)
                for one in session_ids
            ]
            return [one for one in ends if one is not None]

        done = await self._store.write(work)
        return SessionsEnded(
            len(done),
            sum(one.authorizations for one in done),
            sum(one.logouts for one in done),
        )

    async def _clients(self, session: Session) -> tuple[Client, ...]:
        read = self._store.read
        grants = await read.grants.in_session(session.session_id)
        ids = dict.fromkeys(one.client_id for one in grants)
        found = [await read.provider_reads.client(one) for one in ids]
        return tuple(one for one in found if one is not None)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
