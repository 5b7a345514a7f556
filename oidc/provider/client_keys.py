"""The public keys of clients, also of those that publish them at a ``jwks_uri``.

Fetched keys are kept for a time that the client's server may shorten, and are asked for again when
something names a key that is not among them: so a client changes its keys without telling us
(OpenID Connect Core 10.1.1). Strangers can name any key, so that happens only so often.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from keys.json_object import loads
from keys.jwk import JwkSet
from oidc.ports import FetchFailed, Outbound
from oidc.records import Client

LIFETIME: Final = 600
"""Seconds that keys are kept where the client's server says nothing."""

SHORTEST: Final = 60
LONGEST: Final = 3600
REFETCH: Final = 30
"""Seconds between two requests for the same address, whatever is asked of us."""

GRACE: Final = 3600
"""Seconds that old keys serve when there are no new ones to be had."""

MAX_BYTES: Final = 64 * 1024
MAX_ADDRESSES: Final = 1000


@dataclass(slots=True)
class _Entry:
    keys: JwkSet | None = None
    until: float = 0.0
    asked_at: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ClientKeys:
    """In each process; bounded. One request for an address at a time."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def of(self, client: Client, kid: object = None) -> JwkSet | None:
        """The client's keys, or None when it has none, or they are not to be had.

        ``kid`` is what something to be verified names; whether it is among them is for the
        verifier to see.
        """
        if client.jwks_uri is None:
            return client.jwks
        entry = self._entry(client.jwks_uri)
        # What is being fetched for somebody else is waited for only by those whom nothing that is
        # kept can serve: a server that is slow holds up nobody with a known key.
        if not self._serves(entry, kid) or (entry.turn.locked() and not self._has(entry, kid)):
            async with entry.turn:
                if not self._serves(entry, kid):
                    await self._fetch(client.jwks_uri, entry)
        return self._kept(entry)

    async def for_jws(self, client: Client, compact: str) -> Client:
        """The client with the keys that may have signed this, wherever they are."""
        if client.jwks_uri is None:
            return client
        try:
            kid = jws.parse(compact, max_bytes=MAX_BYTES).header.get("kid")
        except KeysError:
            kid = None  # whoever verifies it will say what is wrong
        return replace(client, jwks=await self.of(client, kid))

    def _serves(self, entry: _Entry, kid: object) -> bool:
        """Whether what is kept is good enough, or nothing else may be asked for now."""
        now = self._clock()
        if now < entry.asked_at + REFETCH:
            return True
        return now < entry.until and self._has(entry, kid)

    def _has(self, entry: _Entry, kid: object) -> bool:
        keys = self._kept(entry)
        return keys is not None and (not isinstance(kid, str) or keys.has_kid(kid))

    def _kept(self, entry: _Entry) -> JwkSet | None:
        return entry.keys if self._clock() < entry.until + GRACE else None

    async def _fetch(self, uri: str, entry: _Entry) -> None:
        entry.asked_at = self._clock()
        try:
            fetched = await self._outbound.get(uri, max_bytes=MAX_BYTES)
            keys = JwkSet.parse(loads(fetched.body))
        except (FetchFailed, KeysError, ValueError):
            return  # what was there serves on, for a while
        wanted = LIFETIME if fetched.max_age is None else fetched.max_age
        entry.keys = keys
        entry.until = self._clock() + min(max(wanted, SHORTEST), LONGEST)

    def _entry(self, uri: str) -> _Entry:
        entry = self._entries.get(uri)
        if entry is None:
            while len(self._entries) >= MAX_ADDRESSES:
                self._entries.popitem(last=False)
            entry = self._entries[uri] = _Entry()
        else:
            self._entries.move_to_end(uri)
        return entry
