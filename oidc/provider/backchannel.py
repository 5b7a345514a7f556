"""What backchannel authentication (CIBA Core 1.0) needs of its host."""

from typing import Protocol

from keys.record import record
from oidc.records import Client


@record
class HintedUser:
    """Whom a hint means, by the host's references: a person, a business, or both.

    ``login_hint`` is what of a ``login_hint`` still counts when the person answers.
    """

    subject: str | None
    actor: str | None
    login_hint: str | None


class Backchannel(Protocol):
    """Who is meant, and what must be kept secret until a client is told."""

    async def identify(self, login_hint: str) -> HintedUser:
        """Whom a client means.

        Raises:
            UnknownUserId: nobody that is known here.
        """

    async def identify_by_id_token(self, id_token_hint: str, client: Client) -> HintedUser:
        """Who signed in with an ID token that this client was once given; it may have expired.

        Raises:
            InvalidRequest: it is not an ID token of ours for this client.
            UnknownUserId: who it was for is not known here any more.
        """

    def seal(self, code_hash: bytes, told: bytes) -> bytes:
        """What a client will be told about one request, so that the database does not tell it."""
