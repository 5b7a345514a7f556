"""Publishing the status lists: rebuilt when an entry changed, never per request.

Every process keeps each list's bits and the signed tokens in memory. It looks at the change
counter twenty times a second (and at once when the database says that something changed), takes
over a token that another process has signed, and signs one itself only where none is new enough.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from corpid.services.past_status_lists import PastStatusLists
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import StatusListHead, StatusTokenRow
from corpid.services.signed_status_list import StatusListSigner, carries_chain, served
from keys.clock import Clock
from oidc.formats.status_list import StatusList
from oidc.issuer.ports import IssuerKeys, ServedStatusList

LIFETIME: Final = 900
"""Seconds from ``iat`` to ``exp``: how long a verifier may go on if we cannot be reached."""
TTL: Final = 60
"""Seconds after which a verifier should look again."""
POLL: Final = 0.05
"""Seconds between two looks at the change counter: a quarter of what revocation may take."""
HISTORY: Final = 1095 * 86_400
"""Seconds that past lists can be asked for."""
_TOPIC: Final = "status"
_SKEW_MS: Final = 60_000
"""What clocks of several machines may differ; a token further ahead is from a clock that moved."""


class _Published:
    """One list as this process knows it."""

    __slots__ = ("bits", "certified", "list_id", "renew_at", "served", "stamp", "version")

    def __init__(self, head: StatusListHead) -> None:
        self.list_id = head.list_id
        self.bits = StatusList(head.bits, head.size)
        self.version = 0  # every change up to here is in the bits
        self.served: ServedStatusList | None = None
        self.stamp = (-1, 0)  # version and instant (ms) of the token served
        self.renew_at = 0.0  # epoch seconds
        self.certified = False  # the token served has a certificate chain


class StatusPublisher:
    """Keeps the signed lists current; ``current`` is what the endpoint serves.

    ``status_url`` is the URL under which lists are served, without the list's id. ``renewed`` is
    told the id of a list when a newer token of it is served, ``closed`` that of one from which no
    entry may be given any more. ``failed`` is told of errors in the background, which end nothing:
    what is in memory is served until it expires.
    """

    def __init__(
        self,
        store: Store,
        keys: IssuerKeys,
        clock: Clock,
        status_url: str,
        *,
        lifetime: int = LIFETIME,
        ttl: int = TTL,
        history: int = HISTORY,
        interval: float = POLL,
        renewed: Callable[[str], None] | None = None,
        closed: Callable[[str], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._signer = StatusListSigner(keys, status_url)
        self._past = PastStatusLists(store, self._signer, clock, history)
        self._lifetime = lifetime
        self._ttl = ttl
        self._interval = interval
        self._renewed = renewed
        self._closed = closed
        self._failed = failed
        self._lists: dict[str, _Published] = {}
        self._uris: tuple[str, ...] = ()
        self._seen: int | None = None
        self._hint = asyncio.Event()

    def uri(self, list_id: str) -> str:
        """The URI of a list, as credentials name it."""
        return self._signer.uri(list_id)

    def uris(self) -> Sequence[str]:
        """See ``oidc.issuer.ports.StatusTokens``."""
        return self._uris

    def current(self, list_id: str) -> ServedStatusList | None:
        """See ``oidc.issuer.ports.StatusTokens``."""
        known = self._lists.get(list_id)
        return None if known is None else known.served

    async def past(self, list_id: str, at: int) -> ServedStatusList | None:
        """See ``oidc.issuer.ports.StatusTokens``; since it was signed the present one serves."""
        now = self.current(list_id)
        if now is not None and now.issued_at <= at <= self._clock():
            return now
        return await self._past.at(list_id, at)

    async def run(self) -> None:
        """Keep the lists current until cancelled."""
        self._store.subscribe(self._hint.set)
        while True:
            self._hint.clear()
            try:
                await self.refresh()
            except Exception as error:  # an edge: reported, and tried again with the next look
                if self._failed is None:
                    raise
                self._failed(error)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._interval):
                await self._hint.wait()
        except TimeoutError:
            return

    async def refresh(self) -> None:
        """One look: republish what changed or grows old. Cheap when nothing did."""
        counter = (await self._store.read.operations.changes()).get(_TOPIC, 0)
        if counter == self._seen and not self._is_any_due():
            return
        heads = await self._store.read.status_lists.heads()
        self._uris = tuple(self.uri(head.list_id) for head in heads)
        for head in heads:
            await self._refresh_list(head)
        # The counter was read before the lists: a change in between is seen again, not missed.
        self._seen = counter

    def _is_any_due(self) -> bool:
        return any(self._is_due(known) for known in self._lists.values())

    def _is_due(self, known: _Published) -> bool:
        """It grows old; or the clock went back, and what it says of now is not believed; or the
        key that signs has got its first certificate since.
        """
        now = self._clock()
        if now >= known.renew_at or known.stamp[1] > now * 1000 + _SKEW_MS:
            return True
        return not known.certified and self._signer.has_chain()

    async def _refresh_list(self, head: StatusListHead) -> None:
        known = self._lists.get(head.list_id) or _Published(head)
        if head.closed_at is not None and self._closed is not None:
            self._closed(head.list_id)
        if self._is_newer(known, head.token_version, head.token_at):
            await self._take_over(known)
        if head.version > known.stamp[0] or self._is_due(known):
            await self._sign(known, head)
        self._lists[head.list_id] = known

    def _is_newer(self, known: _Published, version: int | None, at: int | None) -> bool:
        """Whether a stored token is newer than ours: another process signed it."""
        if version is None or at is None:
            return False
        now_ms = self._clock() * 1000
        if version == known.stamp[0] and known.stamp[1] > now_ms + _SKEW_MS:
            return at < known.stamp[1]  # ours is from a clock that was ahead
        return (version, at) > known.stamp

    async def _take_over(self, known: _Published) -> None:
        row = await self._store.read.status_lists.token(known.list_id)
        if row is not None and self._is_newer(known, row.version, row.published_at):
            self._serve(known, row)

    async def _sign(self, known: _Published, head: StatusListHead) -> None:
        changed = await self._store.read.status_lists.changed_since(head.list_id, known.version)
        for index, status in changed:
            known.bits.set(index, status.code)
        # Changes after the head was read may be in the bits already: they will be set once more.
        known.version = head.version
        now_ms = int(self._clock() * 1000)
        until = now_ms + self._lifetime * 1000
        jwt, cwt = await self._signer.sign(
            head.list_id,
            known.bits,
            issued_at=now_ms // 1000,
            expires_at=until // 1000,
            ttl=self._ttl,
        )
        row = StatusTokenRow(head.list_id, head.version, now_ms, until, jwt, cwt)

        async def work(uow: UnitOfWork) -> StatusTokenRow | None:
            if await uow.status_lists.publish(row, now_ms + _SKEW_MS):
                return None
            return await uow.status_lists.token(head.list_id)

        newer = await self._store.write(work)
        if newer is None:
            self._serve(known, row)
        elif self._is_newer(known, newer.version, newer.published_at):
            self._serve(known, newer)

    def _serve(self, known: _Published, row: StatusTokenRow) -> None:
        known.served = served(
            row.jwt, row.cwt, row.published_at // 1000, row.published_until // 1000, self._ttl
        )
        known.stamp = (row.version, row.published_at)
        known.renew_at = (row.published_at + row.published_until) / 2000
        known.certified = carries_chain(row.jwt)
        if self._renewed is not None:
            self._renewed(known.list_id)
