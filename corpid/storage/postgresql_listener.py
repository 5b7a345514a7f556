"""Hearing of changes in other processes: LISTEN on a connection of its own, kept alive."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]

from corpid.storage.postgresql_connection import DRIVER_ERRORS, translate

_log = logging.getLogger(__name__)

_PING_EVERY: Final = 30.0
_RECONNECT_AFTER: Final = 1.0


class Listener:
    """Calls back when a channel is notified, and after a gap in which it may have been."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._callbacks: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        self._connection: Any = None
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def subscribe(self, channel: str, callback: Callable[[], None]) -> None:
        """Call `callback` on every notification from now on. Raises StorageUnavailable."""
        async with self._changing:
            try:
                if self._connection is None:
                    await self._connect()
                if channel not in self._callbacks:
                    await self._connection.add_listener(channel, self._heard)
            except DRIVER_ERRORS as error:
                raise translate(error) from error
            self._callbacks[channel].append(callback)
            if self._keeper is None:
                self._keeper = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop listening."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def _heard(self, _connection: Any, _pid: int, channel: str, _payload: str) -> None:
        for callback in self._callbacks[channel]:
            callback()

    async def _connect(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=self._timeout,
            command_timeout=self._timeout,
            server_settings={"application_name": "corpid listener"},
        )
        self._lost.clear()
        connection.add_termination_listener(self._was_lost)
        try:
            for channel in self._callbacks:
                await connection.add_listener(channel, self._heard)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection

    def _was_lost(self, _connection: Any) -> None:
        self._lost.set()

    async def _keep(self) -> None:
        while True:
            await self._until_lost()
            async with self._changing:
                self._connection.terminate()
                self._connection = None
                _log.warning("lost the connection that listens for changes; reconnecting")
                await self._reconnect()
            for callbacks in self._callbacks.values():
                for callback in callbacks:
                    callback()

    async def _until_lost(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._lost.wait(), _PING_EVERY)
            except TimeoutError:
                try:
                    # A peer that vanished without a word is noticed only by asking.
                    await self._connection.execute("SELECT 1")
                except DRIVER_ERRORS:
                    return
            else:
                return

    async def _reconnect(self) -> None:
        while True:
            try:
                await self._connect()
            except DRIVER_ERRORS as error:
                _log.warning("cannot listen for changes: %s", type(error).__name__)
                await asyncio.sleep(_RECONNECT_AFTER)
            else:
                return
