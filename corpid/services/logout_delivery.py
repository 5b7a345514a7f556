"""Back-channel logout: sending what ``logout_notices`` wrote (Back-Channel Logout 1.0, 2.5).

Every process of the service runs this; a message is claimed by one at a time. A claim lapses by
itself, so a process that dies loses nothing, and a client may be told twice, never not at all
while it can be reached within a day. Recipients are served side by side, each by itself: one
that does not answer delays nobody but itself, and is left in peace for longer each time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from corpid.services.logout_notices import TOPIC
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import OutboxMessage
from keys.clock import Clock
from oidc.records import Client

AT_ONCE: Final = 16
"""Recipients that one process serves at the same time."""

BATCH: Final = 4
"""Messages to one recipient at the same time, from one process."""

LEASE_MS: Final = 30_000
"""How long a claim holds: longer than sending takes at most."""

GIVEN_UP_MS: Final = 24 * 3600 * 1000
"""A message that could not be delivered for so long is given up, and the audit trail says so."""

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 15 * 60_000
_GROWTH: Final = 3
_DROPPED_AT_ONCE: Final = 200
# Everything else below 500 is the recipient's answer and will not change by asking again.
_LATER: Final = frozenset({408, 425, 429})

Mint = Callable[[Client, str, str | None, str | None], Awaitable[str]]
"""A logout token for a client, by session id, and organisation and person where they count."""

Send = Callable[[str, str], Awaitable[int]]
"""POST a logout token to an address; the status code."""


class Unreachable(Exception):
    """``Send`` got no answer; the message says why, without the token."""


@dataclass(slots=True)
class _Rest:
    """How often a recipient failed in a row, and until when (epoch ms) it is left in peace."""

    failures: int = 0
    until: int = 0


class LogoutDelivery:
    """Delivers in the background; ``turn`` does what is due now."""

    def __init__(
        self,
        store: Store,
        mint: Mint,
        send: Send,
        clock: Clock,
        *,
        failed: Callable[[Exception], None],
    ) -> None:
        self._store = store
        self._mint = mint
        self._send = send
        self._clock = clock
        self._failed = failed
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, _Rest] = {}
        self._last = ""  # who was begun with last: the next in turn come after

    async def run(self, seconds: float) -> None:
        """Look for what is due every so many seconds, until cancelled."""
        try:
            while True:
                try:
                    await self.begin()
                except Exception as error:  # an edge: background work has nobody else to tell
                    self._failed(error)
                await asyncio.sleep(seconds)
        finally:
            await self._abandon()

    async def turn(self) -> None:
        """Deliver what is due now, and wait for the end of it."""
        await self.begin()
        while self._serving:
            await asyncio.gather(*self._serving.values())

    async def begin(self) -> None:
        """Begin to serve recipients for whom something is due, going round among them."""
        now_ms = self._now_ms()
        start = after = self._last
        round_over = not start
        while len(self._serving) < AT_ONCE:
            found = await self._store.read.outbox.next_recipient(TOPIC, after)
            if found is None and not round_over:
                after, round_over = "", True
                continue
            if found is None or (round_over and start and found[0] > start):
                break
            after, due_at = found
            rests = self._resting.get(after)
            if due_at > now_ms or after in self._serving or (rests and rests.until > now_ms):
                continue
            self._last = after
            self._serving[after] = asyncio.ensure_future(self._serve(after))

    async def _serve(self, recipient: str) -> None:
        try:
            while await self._serve_batch(recipient):
                pass
        except Exception as error:  # an edge; the claim lapses and the messages come again
            self._failed(error)
        finally:
            self._serving.pop(recipient, None)

    async def _serve_batch(self, recipient: str) -> bool:
        """Deliver some messages; whether to go on with this recipient."""
        now_ms = self._now_ms()
        messages = await self._store.write(
            lambda uow: uow.outbox.claim(TOPIC, recipient, now_ms, now_ms + LEASE_MS, BATCH)
        )
        if not messages:
            return False
        if messages[0].created_at <= now_ms - GIVEN_UP_MS:
            await self._give_up(recipient, now_ms - GIVEN_UP_MS)
            return True
        client = await self._store.read.provider_reads.client(recipient)
        if client is None or client.backchannel_logout_uri is None:
            for message in messages:
                await self._drop(message, "the client is disabled or registers no address any more")
            return True
        address = client.backchannel_logout_uri
        reached = await asyncio.gather(*(self._deliver(client, address, one) for one in messages))
        if all(reached):
            self._resting.pop(recipient, None)
            return True
        return False

    async def _deliver(self, client: Client, address: str, message: OutboxMessage) -> bool:
        """Send one message; False when the recipient could not be reached."""
        body: dict[str, Any] = orjson.loads(message.body)
        token = await self._mint(
            client, body["session_id"], body.get("organisation_id"), body.get("person_id")
        )
        try:
            status = await self._send(address, token)
        except Unreachable as error:
            await self._postpone(message, str(error))
            return False
        if status in range(200, 300):  # 2.8: frameworks make a 204 of the 200
            await self._delivered(message)
            return True
        if status >= 500 or status in _LATER:
            await self._postpone(message, f"status {status}")
            return False
        # 2.8: a 400 says that it was not obeyed. Sent again it would not be either.
        await self._drop(message, f"status {status}")
        return True

    async def _delivered(self, message: OutboxMessage) -> None:
        now_ms = self._now_ms()

        async def work(uow: UnitOfWork) -> None:
            await uow.outbox.delivered(message.message_id, now_ms)
            facts = {"client_id": message.recipient, "attempts": message.attempts}
            await uow.operations.audit("logout.delivered", facts)

        await self._store.write(work)

    async def _postpone(self, message: OutboxMessage, reason: str) -> None:
        now_ms = self._now_ms()
        rest = self._resting.setdefault(message.recipient, _Rest())
        if rest.until <= now_ms:  # the first of a batch to fail
            rest.failures += 1
            pause = min(FIRST_PAUSE_MS * _GROWTH ** min(rest.failures - 1, 8), LONGEST_PAUSE_MS)
            rest.until = now_ms + pause
            self._failed(Unreachable(f"logout of client {message.recipient}: {reason}"))
        due_at = rest.until
        await self._store.write(lambda uow: uow.outbox.postpone(message.message_id, due_at))

    async def _drop(self, message: OutboxMessage, reason: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            await uow.outbox.drop(message.message_id)
            await uow.operations.audit("logout.refused", _given_up(message.recipient, 1, reason))

        await self._store.write(work)

    async def _give_up(self, recipient: str, before_ms: int) -> None:
        async def work(uow: UnitOfWork) -> None:
            number = await uow.outbox.drop_older(TOPIC, recipient, before_ms + 1, _DROPPED_AT_ONCE)
            facts = _given_up(recipient, number, "not reached for a day")
            await uow.operations.audit("logout.given_up", facts)

        await self._store.write(work)

    async def _abandon(self) -> None:
        tasks = list(self._serving.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _given_up(recipient: str, number: int, reason: str) -> dict[str, object]:
    return {"client_id": recipient, "messages": number, "reason": reason}
