"""Publishing the status lists: rebuilt when an entry changed, never per request.

Every process keeps each list's bits and the signed token in memory. It looks at the change
counter twenty times a second (and at once when the database says that something changed), takes
over a token that another process has signed, and signs one itself only where none is new enough.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Final

from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import StatusListRow
from keys.clock import Clock
from oidc.formats.status_list import StatusList
from oidc.formats.status_token import sign_token, token_claims
from oidc.issuer.ports import IssuerKeys, ServedStatusList

LIFETIME: Final = 900
"""Seconds from ``iat`` to ``exp``: how long a verifier may go on if we cannot be reached."""
TTL: Final = 60
"""Seconds after which a verifier should look again."""
POLL: Final = 0.05
"""Seconds between two looks at the change counter: a quarter of what revocation may take."""
_TOPIC: Final = "status"


class _Published:
    """One list as this process knows it."""

    __slots__ = ("bits", "list_id", "renew_at", "served", "stamp", "version")

    def __init__(self, row: StatusListRow) -> None:
        self.list_id = row.list_id
        self.bits = StatusList(row.bits, row.size)
        self.version = 0  # every change up to here is in the bits
        self.served: ServedStatusList | None = None
        self.stamp = (-1, 0)  # version and instant (ms) of the token served
        self.renew_at = 0.0  # epoch seconds


class StatusPublisher:
    """Keeps the signed lists current; ``current`` is what the endpoint serves.

    ``status_url`` is the URL under which lists are served, without the list's id. ``renewed`` is
    told the id of a list when a newer token of it is served. ``failed`` is told of errors in the
    background, which end nothing: what is in memory is served until it expires.
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
        interval: float = POLL,
        renewed: Callable[[str], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._status_url = status_url.rstrip("/")
        self._lifetime = lifetime
        self._ttl = ttl
        self._interval = interval
        self._renewed = renewed
        self._failed = failed
        self._lists: dict[str, _Published] = {}
        self._seen: int | None = None
        self._hint = asyncio.Event()

    def uri(self, list_id: str) -> str:
        """The URI of a list, as credentials name it."""
        return f"{self._status_url}/{list_id}"

    def current(self, list_id: str) -> ServedStatusList | None:
        """See ``oidc.issuer.ports.StatusTokens``."""
        known = self._lists.get(list_id)
        return None if known is None else known.served

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
        if counter == self._seen and not self._grows_old():
            return
        for row in await self._store.read.status_lists.all():
            await self._refresh_list(row)
        # The counter was read before the lists: a change in between is seen again, not missed.
        self._seen = counter

    def _grows_old(self) -> bool:
        now = self._clock()
        return any(now >= known.renew_at for known in self._lists.values())

    async def _refresh_list(self, row: StatusListRow) -> None:
        known = self._lists.get(row.list_id) or _Published(row)
        self._take_over(known, row)
        if row.version > known.stamp[0] or self._clock() >= known.renew_at:
            await self._sign(known, row)
        self._lists[row.list_id] = known

    def _take_over(self, known: _Published, row: StatusListRow) -> None:
        """Serve the stored token if it is newer than ours: another process signed it."""
        if row.published_token is None or not row.published_at or not row.published_until:
            return
        stamp = (row.published_version, row.published_at)
        if stamp > known.stamp:
            self._serve(known, row.published_token, stamp, row.published_until)

    async def _sign(self, known: _Published, row: StatusListRow) -> None:
        changed = await self._store.read.status_lists.changed_since(row.list_id, known.version)
        for index, status in changed:
            known.bits.set(index, status.code)
        # Changes after the row was read may be in the bits already: they will be set once more.
        known.version = row.version
        stamp = (row.version, int(self._clock() * 1000))
        until = stamp[1] + self._lifetime * 1000
        token = await self._token(known, row.list_id, stamp[1] // 1000)

        async def work(uow: UnitOfWork) -> StatusListRow | None:
            lists = uow.status_lists
            stored = await lists.publish(row.list_id, stamp[0], token, stamp[1], until)
            return None if stored else await lists.by_id(row.list_id)

        newer = await self._store.write(work)
        if newer is None:
            self._serve(known, token, stamp, until)
        else:
            self._take_over(known, newer)

    def _serve(self, known: _Published, token: str, stamp: tuple[int, int], until: int) -> None:
        body = token.encode("ascii")
        etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
        known.served = ServedStatusList(body, etag, until // 1000, self._ttl)
        known.stamp = stamp
        known.renew_at = (stamp[1] + until) / 2000
        if self._renewed is not None:
            self._renewed(known.list_id)

    async def _token(self, known: _Published, list_id: str, issued_at: int) -> str:
        signer = self._keys.signer("status", "ES256")
        claims = token_claims(
            self.uri(list_id),
            known.bits,
            issued_at=issued_at,
            expires_at=issued_at + self._lifetime,
            ttl=self._ttl,
        )
        header = {"x5c": list(signer.x5c)} if signer.x5c else None
        return await sign_token(signer, claims, header=header)
