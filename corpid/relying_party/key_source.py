"""Where an issuer's keys are found, and how long they are believed."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from corpid.relying_party.errors import KeysUnavailable, MetadataInvalid, Undetermined
from corpid.relying_party.fetch import FETCH_ERRORS, Fetch, FetchResult, fetch_ok, is_allowed
from corpid.relying_party.policy import Policy
from corpid.relying_party.turns import Turns
from keys.clock import Clock
from keys.errors import MalformedKey
from keys.json_object import loads
from keys.jwk import JwkSet

Kind = Literal["tokens", "credentials"]
MIN_KEYS_TTL = 60
MAX_ISSUERS = 64
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})")


def openid_configuration_url(issuer: str) -> str:
    """Return where an OpenID Provider's metadata are: the path is appended (Discovery, 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def jwt_vc_issuer_url(issuer: str) -> str:
    """Return where a credential issuer's keys are named: inserted before the issuer's path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/jwt-vc-issuer{parts.path.rstrip('/')}"


@dataclass(slots=True)
class _Entry:
    keys: JwkSet | None = None
    until: float = 0.0
    refetched_at: float = float("-inf")
    failed_at: float = float("-inf")


class KeySource:
    """An issuer's public keys, cached; in an event loop one request at a time for each issuer and
    kind. Threads may share it.

    Keys are refetched when their time is over, and once when a token names a `kid` that is not
    among them; strangers can name any `kid`, so that happens at most once in
    `policy.keys_refetch_interval`. When a fetch fails the old keys serve `policy.keys_grace`
    longer.
    """

    def __init__(self, fetch: Fetch, clock: Clock, policy: Policy) -> None:
        self._fetch = fetch
        self._clock = clock
        self._policy = policy
        self._entries: dict[tuple[Kind, str], _Entry] = {}
        self._guard = threading.Lock()
        self._turns = Turns()

    async def keys(self, kind: Kind, issuer: str, kid: object) -> JwkSet:
        """Return the issuer's keys; whether `kid` is among them is for the verifier to see.

        The caller has decided to trust this issuer. Raises KeysUnavailable, MetadataInvalid.
        """
        name: tuple[Kind, str] = (kind, issuer)
        entry = self._entries.get(name)
        if entry is not None and self._serves(entry, kid):
            assert entry.keys is not None
            return entry.keys
        async with self._turns.of(name):
            return await self._refreshed(name, kid)

    def _serves(self, entry: _Entry, kid: object) -> bool:
        if entry.keys is None or entry.until <= self._clock():
            return False
        return not isinstance(kid, str) or entry.keys.has_kid(kid)

    async def _refreshed(self, name: tuple[Kind, str], kid: object) -> JwkSet:
        entry, now = self._entry(name), self._clock()
        early = entry.keys is not None and entry.until > now
        if entry.keys is not None and early:
            limited = now - entry.refetched_at < self._policy.keys_refetch_interval
            if limited or self._serves(entry, kid):
                return entry.keys
        try:
            if now - entry.failed_at < self._policy.failure_ttl:
                raise KeysUnavailable("the last attempt failed a moment ago")
            entry.keys, ttl = await self._load(*name)
            entry.until = self._clock() + ttl
        except Undetermined:
            if now - entry.failed_at >= self._policy.failure_ttl:
                entry.failed_at = now
            if entry.keys is None or now >= entry.until + self._policy.keys_grace:
                raise
        finally:
            # Only now: a thread that saw it before the keys are here would refuse a new `kid`.
            if early:
                entry.refetched_at = now
        return entry.keys

    def _entry(self, name: tuple[Kind, str]) -> _Entry:
        with self._guard:
            if name not in self._entries and len(self._entries) >= MAX_ISSUERS:
                del self._entries[next(iter(self._entries))]
            return self._entries.setdefault(name, _Entry())

    async def _load(self, kind: Kind, issuer: str) -> tuple[JwkSet, int]:
        url = openid_configuration_url if kind == "tokens" else jwt_vc_issuer_url
        answer = await self._get(url(issuer))
        metadata = _object(answer)
        # The issuer in the document must be the one that was asked, to the letter: otherwise one
        # issuer could hand out its keys in another's name.
        if metadata.get("issuer") != issuer:
            raise MetadataInvalid("issuer differs")
        if kind == "credentials" and ("jwks" in metadata) == ("jwks_uri" in metadata):
            raise MetadataInvalid("exactly one of jwks and jwks_uri")
        if kind == "credentials" and "jwks" in metadata:
            document: object = metadata["jwks"]
        else:
            uri = metadata.get("jwks_uri")
            if not isinstance(uri, str) or not is_allowed(uri):
                raise MetadataInvalid("jwks_uri")
            answer = await self._get(uri)
            document = _object(answer)
        if not isinstance(document, Mapping):
            raise MetadataInvalid("jwks")
        try:
            return JwkSet.parse(document), self._ttl(answer)
        except MalformedKey as error:
            raise MetadataInvalid("jwks") from error

    async def _get(self, url: str) -> FetchResult:
        try:
            return await fetch_ok(self._fetch, url)
        except FETCH_ERRORS as error:
            raise KeysUnavailable(str(error)) from error

    def _ttl(self, answer: FetchResult) -> int:
        longest = self._policy.keys_ttl
        found = _MAX_AGE.search(answer.headers.get("cache-control", "").lower())
        return min(max(int(found.group(1)), MIN_KEYS_TTL), longest) if found else longest


def _object(answer: FetchResult) -> dict[str, Any]:
    try:
        return loads(answer.body)
    except ValueError as error:
        raise MetadataInvalid("not a JSON object") from error
