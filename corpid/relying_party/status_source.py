"""Asking a status list: fetched, verified, cached, and never guessed."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from corpid.relying_party.errors import (
    StatusExpired,
    StatusIndexOutOfRange,
    StatusTokenInvalid,
    StatusUnavailable,
    Undetermined,
)
from corpid.relying_party.fetch import FETCH_ERRORS, Fetch, fetch_ok
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.policy import Policy
from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from keys.jwk import JwkSet
from oidc.formats import errors as format_errors
from oidc.formats.status_reference import StatusReference
from oidc.formats.status_token import MAX_TOKEN_BYTES, VerifiedStatusList, verify_token

MAX_CACHED_BYTES = 64 * 1024 * 1024

_Name = tuple[str, str]


@dataclass(slots=True)
class _Failure:
    at: float
    error: Undetermined


class StatusSource:
    """Status lists, cached until their `ttl` (at most their `exp`), within a bound of memory.

    A list whose `ttl` is over and that cannot be fetched anew is still what its issuer says until
    `exp`; without `exp` it is not used any more.
    """

    def __init__(self, fetch: Fetch, keys: KeySource, clock: Clock, policy: Policy) -> None:
        self._fetch = fetch
        self._keys = keys
        self._clock = clock
        self._policy = policy
        self._lists: OrderedDict[_Name, tuple[VerifiedStatusList, float]] = OrderedDict()
        self._failures: dict[_Name, _Failure] = {}
        self._locks: dict[_Name, asyncio.Lock] = {}

    async def status(self, reference: StatusReference, issuer: str) -> int:
        """Return the entry's status in a list that this issuer signed.

        Raises StatusIndexOutOfRange, and Undetermined: StatusUnavailable, StatusExpired,
        StatusTokenInvalid.
        """
        statuses = await self._list((issuer, reference.uri))
        try:
            return statuses.status(reference.index)
        except format_errors.StatusIndexOutOfRange as error:
            raise StatusIndexOutOfRange from error

    async def verify(self, compact: str, uri: str, issuer: str) -> VerifiedStatusList:
        """Verify a status list token that claims to be the list at `uri`.

        Raises StatusExpired, StatusTokenInvalid, and KeysUnavailable or MetadataInvalid.
        """
        try:
            keys = await self._signing_keys(compact, issuer)
            return verify_token(
                compact,
                keys,
                uri=uri,
                now=self._clock(),
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
            )
        except format_errors.StatusTokenExpired as error:
            raise StatusExpired from error
        except (KeysError, format_errors.FormatsError) as error:
            raise StatusTokenInvalid(error.code) from error

    async def _list(self, name: _Name) -> VerifiedStatusList:
        held = self._lists.get(name)
        if held is not None and held[1] > self._clock():
            self._lists.move_to_end(name)
            return held[0]
        async with self._locks.setdefault(name, asyncio.Lock()):
            try:
                return await self._refreshed(name)
            finally:
                if not self._lists.get(name):
                    self._locks.pop(name, None)

    async def _refreshed(self, name: _Name) -> VerifiedStatusList:
        held, now = self._lists.get(name), self._clock()
        if held is not None and held[1] > now:
            return held[0]  # another task has just fetched it
        try:
            fresh = await self._fetched(name, now)
        except Undetermined as error:
            self._note_failure(name, now, error)
            if held is not None and held[0].expires_at is not None and now < held[0].expires_at:
                return held[0]
            raise
        self._failures.pop(name, None)
        self._keep(name, fresh)
        return fresh

    async def _fetched(self, name: _Name, now: float) -> VerifiedStatusList:
        failure = self._failures.get(name)
        if failure is not None and now - failure.at < self._policy.failure_ttl:
            raise type(failure.error)(failure.error.detail)
        issuer, uri = name
        try:
            answer = await fetch_ok(self._fetch, uri)
            compact = answer.body.decode("ascii").strip()
        except UnicodeDecodeError as error:
            raise StatusTokenInvalid("not text") from error
        except FETCH_ERRORS as error:
            raise StatusUnavailable(str(error)) from error
        return await self.verify(compact, uri, issuer)

    def _note_failure(self, name: _Name, now: float, error: Undetermined) -> None:
        known = self._failures.get(name)
        if known is None or now - known.at >= self._policy.failure_ttl:
            if len(self._failures) >= 256:
                self._failures.clear()
            self._failures[name] = _Failure(now, error)

    def _keep(self, name: _Name, fresh: VerifiedStatusList) -> None:
        until = fresh.fresh_until(self._clock(), self._policy.status_ttl)
        self._lists[name] = (fresh, until)
        self._lists.move_to_end(name)
        held = sum(len(one.statuses.data) for one, _ in self._lists.values())
        while held > MAX_CACHED_BYTES and len(self._lists) > 1:
            dropped, (old, _) = self._lists.popitem(last=False)
            held -= len(old.statuses.data)
            self._locks.pop(dropped, None)

    async def _signing_keys(self, compact: str, issuer: str) -> JwkSet:
        """Return the issuer's keys that may have signed: its credentials' ones, else its tokens'.

        An issuer may publish its status keys in either place; both are documents of its own.
        """
        kid = jws.parse(compact, max_bytes=MAX_TOKEN_BYTES).header.get("kid")
        try:
            keys = await self._keys.keys("credentials", issuer, kid)
            if not isinstance(kid, str) or keys.has_kid(kid):
                return keys
        except Undetermined:
            pass  # an issuer without credentials has only the other document
        return await self._keys.keys("tokens", issuer, kid)
