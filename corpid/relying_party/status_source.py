"""Asking a status list: fetched, verified, cached, and never guessed."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from corpid.relying_party.errors import (
    CertificateChainInvalid,
    ClaimInvalid,
    StatusExpired,
    StatusIndexOutOfRange,
    StatusTokenInvalid,
    StatusUnavailable,
    Undetermined,
)
from corpid.relying_party.fetch import FETCH_ERRORS, Fetch, fetch_ok
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.policy import Policy
from corpid.relying_party.trust import Trust
from corpid.relying_party.turns import Turns
from keys import jws
from keys.certificates import STATUS_SIGNING
from keys.clock import Clock
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey
from keys.jwt import parse_claims
from oidc.formats import errors as format_errors
from oidc.formats.status_reference import StatusReference
from oidc.formats.status_token import (
    MAX_TOKEN_BYTES,
    STATUS_TYP,
    VerifiedStatusList,
    verify_token,
)

MAX_CACHED_BYTES = 64 * 1024 * 1024
MAX_CACHED_LISTS = 1024

_Name = tuple[str, str]


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
    """

    def __init__(
        self, fetch: Fetch, keys: KeySource, trust: Trust, clock: Clock, policy: Policy
    ) -> None:
        self._fetch = fetch
        self._keys = keys
        self._trust = trust
        self._clock = clock
        self._policy = policy
        self._lists: OrderedDict[_Name, tuple[VerifiedStatusList, float]] = OrderedDict()
        self._failures: dict[_Name, _Failure] = {}
        self._guard = threading.Lock()
        self._turns = Turns()

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

    async def verify(self, compact: str, uri: str | None, issuer: str) -> VerifiedStatusList:
        """Verify a status list token that claims to be the list at `uri`, None for any list.

        Raises StatusExpired, StatusTokenInvalid, KeysUnavailable or MetadataInvalid, and
        ClaimInvalid for a token that does not say which list it is.
        """
        try:
            keys = await self._signing_keys(compact, issuer)
            return verify_token(
                compact,
                keys,
                uri=self._stated_uri(compact, keys) if uri is None else uri,
                now=self._clock(),
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
            )
        except format_errors.StatusTokenExpired as error:
            raise StatusExpired from error
        except CertificateChainInvalid as error:
            raise StatusTokenInvalid(f"{error.code}: {error.detail}") from error
        except (KeysError, format_errors.FormatsError) as error:
            raise StatusTokenInvalid(error.code) from error

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
            self._lists[name] = (fresh, min(fresh.fresh_until(now, longest), now + longest))
            self._lists.move_to_end(name)
            held = sum(len(one.statuses.data) for one, _ in self._lists.values())
            while len(self._lists) > 1 and (
                held > MAX_CACHED_BYTES or len(self._lists) > MAX_CACHED_LISTS
            ):
                _, (old, _) = self._lists.popitem(last=False)
                held -= len(old.statuses.data)
        return fresh

    def _stated_uri(self, compact: str, keys: JwkSet | PublicKey) -> str:
        # The signature first: a stranger's token may hold megabytes of JSON.
        token = jws.parse(compact, max_bytes=MAX_TOKEN_BYTES)
        signed = jws.verify(token, keys, algs=self._policy.algorithms, typ=STATUS_TYP)
        uri = parse_claims(signed.payload).get("sub")
        if not isinstance(uri, str):
            raise ClaimInvalid("sub")
        return uri

    async def _signing_keys(self, compact: str, issuer: str) -> JwkSet | PublicKey:
        """Return the issuer's keys that may have signed: its credentials' ones, else its tokens'.

        An issuer may publish its status keys in either place; both are documents of its own. A
        certificate must be one for signing status lists (Token Status List, 10).
        """
        header = jws.parse(compact, max_bytes=MAX_TOKEN_BYTES).header
        if self._trust.comes_with(header):
            return self._trust.key(header, issuer, usage=STATUS_SIGNING)
        if self._policy.require_certificates:
            raise CertificateChainInvalid("missing")
        kid = header.get("kid")
        try:
            keys = await self._keys.keys("credentials", issuer, kid)
            if not isinstance(kid, str) or keys.has_kid(kid):
                return keys
        except Undetermined:
            pass  # an issuer without credentials has only the other document
        return await self._keys.keys("tokens", issuer, kid)


def _is_newer(known: VerifiedStatusList, fetched: VerifiedStatusList, now: float) -> bool:
    in_force = known.expires_at is None or now < known.expires_at
    return in_force and known.issued_at > fetched.issued_at
