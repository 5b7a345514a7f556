"""What clients that nobody registered need from the host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from oidc.records import Client


@dataclass(frozen=True, slots=True)
class ClientInformation:
    """A self-registered client. ``issued_at`` is epoch seconds; ``secret`` is there when it is new.

    ``registration_token`` is what the client manages its registration with.
    """

    client_id: str
    issued_at: int
    metadata: Mapping[str, Any]
    registration_token: str
    secret: str | None = None


class ClientDocuments(Protocol):
    """Clients whose id is the address of their metadata document."""

    async def client(self, client_id: str) -> Client | None:
        """The client as its document says now, or None when it is disabled.

        Raises:
            InvalidClient: the address or its document is not one of a client.
            TooManyRequests: its document cannot be asked for just now.
        """


class ClientRegistry(Protocol):
    """Clients that register themselves; what they may have is the host's policy."""

    async def check_initial_token(self, token: str | None) -> None:
        """Look at the initial access token before anything else is read.

        Raises:
            InvalidToken: it is needed and missing, or it is not good (any more).
        """

    async def register(self, document: Mapping[str, Any], token: str | None) -> ClientInformation:
        """Register a client with this metadata; the initial access token is used up by one.

        Raises:
            InvalidToken: the initial access token is not good (any more).
            InvalidRedirectUri, InvalidClientMetadata, InvalidSoftwareStatement: RFC 7591 3.2.2.
            TooManyRequests: the service's bounds are reached.
        """

    async def read(self, client_id: str, token: str) -> ClientInformation:
        """The registration.

        Raises:
            InvalidToken: unknown, deleted, or another client's: all alike (RFC 7592 2).
        """

    async def replace(
        self, client_id: str, token: str, document: Mapping[str, Any]
    ) -> ClientInformation:
        """Register this metadata instead, as a whole (RFC 7592 2.2).

        Raises:
            InvalidToken, InvalidRedirectUri, InvalidClientMetadata: as above.
            TooManyRequests: the client changes it too often.
        """

    async def delete(self, client_id: str, token: str) -> None:
        """End the client and all that was granted to it (RFC 7592 2.3).

        Raises:
            InvalidToken: as for ``read``.
        """
