"""The public keys of clients, also of those that publish them at a ``jwks_uri``.

Fetched keys are kept for a time that the client's server may shorten, and are asked for again when
something names a key that is not among them: so a client changes its keys without telling us
(OpenID Connect Core 10.1.1). Strangers can name any key, so that happens only so often.
"""

from dataclasses import replace
from typing import Final

from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from keys.json_object import loads
from keys.jwk import JwkSet
from oidc.fetched import Entry, Fetched
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


class ClientKeys:
    """Keys by their address."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self.kept: Fetched[JwkSet] = Fetched(MAX_ADDRESSES, clock)

    async def of(self, client: Client, kid: object = None) -> JwkSet | None:
        """The client's keys, or None when it has none, or they are not to be had.

        ``kid`` is what something to be verified names; whether it is among them is for the
        verifier to see.
        """
        if client.jwks_uri is None:
            return client.jwks
        uri = client.jwks_uri
        entry = await self.kept.renewed(
            uri,
            lambda entry: self._fetch(uri, entry),
            serves=lambda entry: self._clock() < entry.until and self._has(entry, kid),
            serves_meanwhile=lambda entry: self._has(entry, kid),
        )
        return self._in_force(entry)

    async def for_jws(self, client: Client, compact: str) -> Client:
        """The client with the keys that may have signed this, wherever they are."""
        if client.jwks_uri is None:
            return client
        try:
            kid = jws.parse(compact, max_bytes=MAX_BYTES).header.get("kid")
        except KeysError:
            kid = None  # whoever verifies it will say what is wrong
        return replace(client, jwks=await self.of(client, kid))

    def _has(self, entry: Entry[JwkSet], kid: object) -> bool:
        keys = self._in_force(entry)
        return keys is not None and (not isinstance(kid, str) or keys.has_kid(kid))

    def _in_force(self, entry: Entry[JwkSet]) -> JwkSet | None:
        return entry.value if self._clock() < entry.until + GRACE else None

    async def _fetch(self, uri: str, entry: Entry[JwkSet]) -> None:
        entry.rests_until = self._clock() + REFETCH
        try:
            fetched = await self._outbound.get(uri, max_bytes=MAX_BYTES)
            keys = JwkSet.parse(loads(fetched.body))
        except (FetchFailed, KeysError, ValueError):
            return  # what was there serves on, for a while
        wanted = LIFETIME if fetched.max_age is None else fetched.max_age
        entry.value = keys
        entry.until = self._clock() + min(max(wanted, SHORTEST), LONGEST)
