"""What one connection may cost: bytes that become no request, and time that it keeps us waiting.

The server that we use has no bound on the head of a request, nor on how long it takes to come. A
proxy in front has both; whoever serves without one needs them here.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of a request's head, and of what follows a body that comes in chunks."""

LOOK_SECONDS: Final = 10.0
LOOKS: Final = 3
"""A request that is not whole at so many looks in a row is not waited for any longer."""


class BoundedConnection(HttpToolsProtocol):
    """One connection, which ends where its bytes lead to nothing."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._idle_bytes = 0
        self._waited_for: object = None
        self._looks = 0

    def data_received(self, data: bytes) -> None:
        """Count what comes until it turns out to be a head, or a part of a body."""
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._idle_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._idle_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body: how much of it is read is the endpoint's to decide."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._idle_bytes = 0
        super().on_message_complete()

    def look(self) -> None:
        """End the connection when its client has kept us waiting for too many looks."""
        if not self._is_waiting():
            self._looks, self._waited_for = 0, None
            return
        # A request that came whole meanwhile has been followed by another: begin anew.
        if self._waited_for is not self.cycle or self._looks == 0:
            self._looks, self._waited_for = 1, self.cycle
            return
        self._looks += 1
        if self._looks > LOOKS:
            self.transport.abort()

    def _is_waiting(self) -> bool:
        """Whether the next is the client's to send. A connection that rests between two requests
        is the server's own to end.
        """
        cycle: Any = self.cycle
        if cycle is None:
            return True
        if cycle.response_complete:
            return self.timeout_keep_alive_task is None
        return bool(cycle.more_body)


def look_at(connections: Iterable[object]) -> None:
    """Look at every connection once."""
    for one in tuple(connections):
        if isinstance(one, BoundedConnection):
            one.look()


async def keep_looking(connections: Iterable[object]) -> None:
    """Look again and again, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        look_at(connections)
