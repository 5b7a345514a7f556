"""Whether an attestation that was good when it was signed has been withdrawn since.

An attester may name an entry of a status list in its attestations (OpenID4VCI 1.0, Appendix D and
E; Token Status List). Whoever signed the attestation must have signed the list. A list that cannot
be had is no yes: the wallet is told to come again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from oidc.attesters import Attester, NotAttested, signing_keys
from oidc.errors import TemporarilyUnavailable
from oidc.formats.errors import FormatsError
from oidc.formats.status_reference import StatusReference, status_reference
from oidc.formats.status_token import VerifiedStatusList, verify_token
from oidc.ports import FetchFailed, Outbound

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_LISTS: Final = 64
DEFAULT_TTL: Final = 300
"""Seconds that a list is kept where it says nothing."""

LONGEST: Final = 3600
PAUSE: Final = 5
"""Seconds before a list that could not be had is asked for again."""

_MEDIA_TYPE: Final = "application/statuslist+jwt"
_VALID: Final = 0
_UNKNOWN: Final = "the status of the attestation cannot be found out just now: try again"


@dataclass(slots=True)
class _Entry:
    found: VerifiedStatusList | None = None
    until: float = 0.0
    failed_at: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class AttestationStatuses:
    """In each process; bounded. One request for a list at a time."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def check(self, claims: Mapping[str, Any], attester: Attester) -> None:
        """Check the status of an attestation whose signature was verified, if it names one.

        Raises:
            NotAttested: it was withdrawn, or its status is kept in a way not understood here.
            TemporarilyUnavailable: the list cannot be had, or is not the attester's.
        """
        if claims.get("status") is None:
            return
        try:
            reference = status_reference(claims)
        except FormatsError as error:
            raise NotAttested(f"its status is malformed: {error}") from None
        if reference is None:
            raise NotAttested("its status is not kept in a status list")
        try:
            status = (await self._list(reference, attester)).status(reference.index)
        except FormatsError:
            raise NotAttested("its status list has no such entry") from None
        if status != _VALID:
            raise NotAttested("it was withdrawn by whoever signed it")

    async def _list(self, reference: StatusReference, attester: Attester) -> VerifiedStatusList:
        entry = self._entry(attester.attester_id, reference.uri)
        if not self._is_fresh(entry):
            async with entry.turn:
                if not self._is_fresh(entry):
                    await self._fetch(reference.uri, entry, attester)
        if entry.found is None or not self._is_fresh(entry):
            raise TemporarilyUnavailable(_UNKNOWN)
        return entry.found

    def _is_fresh(self, entry: _Entry) -> bool:
        return entry.found is not None and self._clock() < entry.until

    async def _fetch(self, uri: str, entry: _Entry, attester: Attester) -> None:
        now = self._clock()
        if now < entry.failed_at + PAUSE:
            return
        try:
            fetched = await self._outbound.get(uri, max_bytes=MAX_BYTES, accept=_MEDIA_TYPE)
            compact = fetched.body.decode("ascii").strip()
            keys = signing_keys(jws.parse(compact, max_bytes=MAX_BYTES).header, attester, now)
            found = verify_token(compact, keys, uri=uri, now=now)
        except (FetchFailed, FormatsError, KeysError, NotAttested, UnicodeDecodeError):
            entry.failed_at = now
            return
        entry.found = found
        entry.until = min(found.fresh_until(now, DEFAULT_TTL), now + LONGEST)

    def _entry(self, attester_id: str, uri: str) -> _Entry:
        name = (attester_id, uri)
        entry = self._entries.get(name)
        if entry is None:
            while len(self._entries) >= MAX_LISTS:
                self._entries.popitem(last=False)
            entry = self._entries[name] = _Entry()
        else:
            self._entries.move_to_end(name)
        return entry
