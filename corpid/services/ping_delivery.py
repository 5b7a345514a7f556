"""Pings: a client is told that there is an answer, so that it need not ask (CIBA Core 1.0, 10.2).

A ping is sent a few times at most and never after the request has expired: a client may ask the
token endpoint at any time, told or not. What the client's server says changes nothing here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from corpid.services.backchannel import TOPIC, opened
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import OutboxMessage
from keys.clock import Clock
from keys.sealing import MasterKey

TRIES: Final = 4
PAUSE_MS: Final = 5_000
"""Before the second try; three times as long before each further one."""

LEASE_MS: Final = 30_000
AT_ONCE: Final = 16
BATCH: Final = 8


class Unreachable(Exception):
    """There was no answer; the message says why, without the token."""


class Send(Protocol):
    """POSTs a ping; the status code."""

    async def __call__(self, address: str, token: str, body: bytes) -> int:
        """Raises Unreachable."""


@dataclass(frozen=True, slots=True)
class _Ping:
    address: str
    token: str
    body: bytes


class PingDelivery:
    """Delivers in the background; ``turn`` does what is due now."""

    def __init__(
        self,
        store: Store,
        master: MasterKey,
        send: Send,
        clock: Clock,
        *,
        failed: Callable[[Exception], None],
    ) -> None:
        self._store = store
        self._master = master
        self._send = send
        self._clock = clock
        self._failed = failed

    async def turn(self) -> None:
        """Tell the clients for whom something is due, each by itself."""
        recipients: list[str] = []
        after = ""
        while len(recipients) < AT_ONCE:
            found = await self._store.read.outbox.next_recipient(TOPIC, after)
            if found is None:
                break
            after, due_at = found
            if due_at <= self._now_ms():
                recipients.append(after)
        await asyncio.gather(*(self._serve(one) for one in recipients))

    async def _serve(self, recipient: str) -> None:
        now_ms = self._now_ms()
        messages = await self._store.write(
            lambda uow: uow.outbox.claim(TOPIC, recipient, now_ms, now_ms + LEASE_MS, BATCH)
        )
        client = await self._store.read.provider_reads.client(recipient)
        address = None if client is None else client.backchannel_client_notification_endpoint
        await asyncio.gather(*(self._tell(one, address) for one in messages))

    async def _tell(self, message: OutboxMessage, address: str | None) -> None:
        body: Mapping[str, Any] = orjson.loads(message.body)
        if address is None or body["until"] <= self._now_ms():
            await self._drop(message, "the request has expired, or the client is not told")
            return
        await self._deliver(message, self._ping(address, body))

    def _ping(self, address: str, body: Mapping[str, Any]) -> _Ping:
        told = opened(self._master, body)
        return _Ping(
            address,
            told["client_notification_token"],
            orjson.dumps({"auth_req_id": told["auth_req_id"]}),
        )

    async def _deliver(self, message: OutboxMessage, ping: _Ping) -> None:
        try:
            status = await self._send(ping.address, ping.token, ping.body)
        except Unreachable as error:
            await self._postpone(message, str(error))
            return
        if status in range(200, 300):
            await self._delivered(message)
        elif status >= 500 or status == 429:
            await self._postpone(message, f"status {status}")
        else:
            # 10.2: a redirect is not followed, and a refusal is not discussed.
            await self._drop(message, f"status {status}")

    async def _delivered(self, message: OutboxMessage) -> None:
        now_ms = self._now_ms()
        await self._store.write(lambda uow: uow.outbox.delivered(message.message_id, now_ms))

    async def _postpone(self, message: OutboxMessage, reason: str) -> None:
        if message.attempts >= TRIES:
            await self._drop(message, reason)
            return
        self._failed(Unreachable(f"ping of client {message.recipient}: {reason}"))
        due_at = self._now_ms() + PAUSE_MS * 3 ** max(message.attempts - 1, 0)
        await self._store.write(lambda uow: uow.outbox.postpone(message.message_id, due_at))

    async def _drop(self, message: OutboxMessage, reason: str) -> None:
        async def work(uow: UnitOfWork) -> None:
            await uow.outbox.drop(message.message_id)
            facts = {"client_id": message.recipient, "reason": reason}
            await uow.operations.audit("ping.given_up", facts)

        await self._store.write(work)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
