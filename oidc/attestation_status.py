"""Whether an attestation that was good when it was signed has been withdrawn since.

An attester may name an entry of a status list in its attestations (OpenID4VCI 1.0, Appendix D and
E; Token Status List). Whoever signed the attestation must have signed the list. A list that cannot
be had is no yes: the wallet is told to come again.
"""

from collections.abc import Mapping
from typing import Any, Final

from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from oidc.attesters import Attester, NotAttested, signing_keys
from oidc.errors import TemporarilyUnavailable
from oidc.fetched import Entry, Fetched
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


class AttestationStatuses:
    """Lists that attesters named, each kept as long as it says."""

    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self.kept: Fetched[VerifiedStatusList] = Fetched(MAX_LISTS, clock)

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
        entry = await self.kept.renewed(
            (attester.attester_id, reference.uri),
            lambda entry: self._fetch(reference.uri, entry, attester),
            serves=self._is_fresh,
            serves_meanwhile=self._is_fresh,
        )
        if entry.value is None or not self._is_fresh(entry):
            raise TemporarilyUnavailable(_UNKNOWN)
        return entry.value

    def _is_fresh(self, entry: Entry[VerifiedStatusList]) -> bool:
        return entry.value is not None and self._clock() < entry.until

    async def _fetch(self, uri: str, entry: Entry[VerifiedStatusList], attester: Attester) -> None:
        now = self._clock()
        try:
            fetched = await self._outbound.get(uri, max_bytes=MAX_BYTES, accept=_MEDIA_TYPE)
            compact = fetched.body.decode("ascii").strip()
            keys = signing_keys(jws.parse(compact, max_bytes=MAX_BYTES).header, attester, now)
            found = verify_token(compact, keys, uri=uri, now=now)
        except (FetchFailed, FormatsError, KeysError, NotAttested, UnicodeDecodeError):
            entry.rests_until = now + PAUSE
            return
        entry.value = found
        entry.until = min(found.fresh_until(now, DEFAULT_TTL), now + LONGEST)
