"""Asking a status list: fetched, verified, cached, and never guessed."""

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from corpid.relying_party.errors import StatusIndexOutOfRange, StatusUnavailable, Undetermined
from corpid.relying_party.fetch import FETCH_ERRORS, Fetch, fetch_ok
from corpid.relying_party.policy import Policy
from corpid.relying_party.status_tokens import StatusTokens, accept
from corpid.relying_party.turns import Turns
from keys.clock import Clock
from oidc.formats import errors as format_errors
from oidc.formats.status_reference import StatusReference
from oidc.formats.status_token import VerifiedStatusList

MAX_CACHED_BYTES = 64 * 1024 * 1024
MAX_CACHED_LISTS = 1024

_Name = tuple[str, str, int | None]


@dataclass(slots=True)
class _Failure:
    at: float
    error: Undetermined


class StatusSource:
    """Status lists, cached within a bound of memory for their `ttl`, at most `policy.status_ttl`
    and at most until their `exp`. Threads may share it.

    A list whose time is over and that cannot be fetched anew is still what its issuer says: it
    serves `policy.status_grace` longer, at most until `exp`; without `exp` it is not used any more.
    A list never gives way to one that was signed before it, as a cache on the way may hold.
    A list as it was once stays that, so it is kept while there is room.
    """

    def __init__(self, fetch: Fetch, tokens: StatusTokens, clock: Clock, policy: Policy) -> None:
        self._fetch = fetch
        self._tokens = tokens
        self._clock = clock
        self._policy = policy
        self._accept = accept(policy)
        self._lists: OrderedDict[_Name, tuple[VerifiedStatusList, float]] = OrderedDict()
        self._failures: dict[_Name, _Failure] = {}
        self._guard = threading.Lock()
        self._turns = Turns()

    async def status(self, reference: StatusReference, issuer: str, at: float | None = None) -> int:
        """Return the entry's status in a list that this issuer signed: as it is, or as it was `at`
        an instant of the past, in whole seconds.

        Raises StatusIndexOutOfRange, and Undetermined: StatusUnavailable, StatusExpired,
        StatusTokenInvalid.
        """
        statuses = await self._list((issuer, reference.uri, None if at is None else int(at)))
        try:
            return statuses.status(reference.index)
        except format_errors.StatusIndexOutOfRange as error:
            raise StatusIndexOutOfRange from error

    async def _list(self, name: _Name) -> VerifiedStatusList:
        with self._guard:
            held = self._lists.get(name)
            if held is not None and held[1] > self._clock():
                self._lists.move_to_end(name)
                return held[0]
        async with self._turns.of(name):
            return await self._refreshed(name)

    async def _refreshed(self, name: _Name) -> VerifiedStatusList:
        held, now = self._lists.get(name), self._clock()
        if held is not None and held[1] > now:
            return held[0]  # another task has just fetched it
        try:
            fresh = await self._fetched(name, now)
        except Undetermined as error:
            self._note_failure(name, now, error)
            if held is not None and now < self._serves_until(*held):
                return held[0]
            raise
        return self._keep(name, fresh)

    def _serves_until(self, held: VerifiedStatusList, until: float) -> float:
        if held.expires_at is None:
            return until
        return min(until + self._policy.status_grace, held.expires_at)

    async def _fetched(self, name: _Name, now: float) -> VerifiedStatusList:
        failure = self._failures.get(name)
        if failure is not None and now - failure.at < self._policy.failure_ttl:
            raise type(failure.error)(failure.error.detail)
        issuer, uri, at = name
        try:
            answer = await fetch_ok(self._fetch, _asked(uri, at), self._accept)
        except FETCH_ERRORS as error:
            raise StatusUnavailable(str(error)) from error
        return await self._tokens.verify(answer.body, uri, issuer, at=at)

    def _note_failure(self, name: _Name, now: float, error: Undetermined) -> None:
        with self._guard:
            known = self._failures.get(name)
            if known is None or now - known.at >= self._policy.failure_ttl:
                if len(self._failures) >= 256:
                    self._failures.clear()
                self._failures[name] = _Failure(now, error)

    def _keep(self, name: _Name, fresh: VerifiedStatusList) -> VerifiedStatusList:
        now, longest = self._clock(), self._policy.status_ttl
        with self._guard:
            self._failures.pop(name, None)
            known = self._lists.get(name)
            if known is not None and _is_newer(known[0], fresh, now):
                fresh = known[0]
            until = min(fresh.fresh_until(now, longest), now + longest)
            self._lists[name] = (fresh, until if name[2] is None else math.inf)
            self._lists.move_to_end(name)
            held = sum(len(one.statuses.data) for one, _ in self._lists.values())
            while len(self._lists) > 1 and (
                held > MAX_CACHED_BYTES or len(self._lists) > MAX_CACHED_LISTS
            ):
                _, (old, _) = self._lists.popitem(last=False)
                held -= len(old.statuses.data)
        return fresh


def _asked(uri: str, at: int | None) -> str:
    """Return where the list is, as it was `at` that instant (Token Status List, 8.4)."""
    if at is None:
        return uri
    parts = urlsplit(uri)
    query = f"{parts.query}&time={at}" if parts.query else f"time={at}"
    return urlunsplit(parts._replace(query=query))


def _is_newer(known: VerifiedStatusList, fetched: VerifiedStatusList, now: float) -> bool:
    in_force = known.expires_at is None or now < known.expires_at
    return in_force and known.issued_at > fetched.issued_at
