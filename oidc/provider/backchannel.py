"""What backchannel authentication (CIBA Core 1.0) needs of its host."""

from typing import Protocol

from keys.record import record


@record
class HintedUser:
    """Whom a hint means, by the host's references: a person, a business, or both.

    ``login_hint`` is what of the hint still counts when the person answers.
    """

    subject: str | None
    actor: str | None
    login_hint: str


class Backchannel(Protocol):
    """Who is meant, and what must be kept secret until a client is told."""

    async def identify(self, login_hint: str) -> HintedUser:
        """Whom a client means.

        Raises:
            UnknownUserId: nobody that is known here.
        """

    def seal(self, code_hash: bytes, told: bytes) -> bytes:
        """What a client will be told about one request, so that the database does not tell it."""
