"""The sockets that the service listens on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from corpid.errors import ConfigurationError
from corpid.settings import Settings

_BACKLOG: Final = 2048


@dataclass(frozen=True, slots=True)
class Listening:
    """``public`` is for everybody; ``operations`` for those who keep the service, None where the
    settings open none.
    """

    public: socket.socket
    operations: socket.socket | None

    def told(self) -> str:
        """Where they listen."""
        host, port = self.public.getsockname()[:2]
        told = f"listens on {host} port {port}"
        if self.operations is None:
            return told
        host, port = self.operations.getsockname()[:2]
        return f"{told}, for operations on {host} port {port}"


@contextmanager
def opened(settings: Settings) -> Iterator[Listening]:
    """Both sockets, for as long as they are needed.

    Raises:
        ConfigurationError: an address cannot be listened on, and what to do.
    """
    with listen(settings.host, settings.port) as public:
        if settings.operations_port is None:
            yield Listening(public, None)
            return
        host, port = settings.operations_host, settings.operations_port
        with listen(host, port, "CORPID_OPERATIONS_PORT") as operations:
            yield Listening(public, operations)


def listen(host: str, port: int, setting: str = "CORPID_PORT") -> socket.socket:
    """A listening socket; port 0 takes a free one. ``setting`` is what chooses the port.

    Raises:
        ConfigurationError: the address cannot be listened on, and what to do.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port} ({error.strerror}): if another program uses it, "
            f"stop that, or choose another by {setting}"
        ) from None
    return listening
