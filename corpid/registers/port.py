"""What the product asks of a register, and how a register fails."""

from typing import Protocol

from corpid.domain.business_number import BusinessNumber
from corpid.domain.register_entry import RegisterEntry


class RegisterError(Exception):
    """A register gave no answer; `code` is stable. That is never an answer about a business."""

    code = "register_error"


class RegisterUnavailable(RegisterError):
    """It did not answer, or not in a usable form; the same question may succeed later."""

    code = "register_unavailable"


class RegisterRefused(RegisterError):
    """It rejected the question itself; asking again will not help."""

    code = "register_refused"


class Register(Protocol):
    """An official source about businesses.

    `source` is stored with every fact. None and an empty list mean "not found here": registers
    leave out whole kinds of business, so neither is proof that one was dissolved.
    """

    @property
    def source(self) -> str:
        """Short stable name of the source, as in RegisterEntry.source."""
        ...

    async def lookup(self, number: BusinessNumber) -> RegisterEntry | None:
        """The entry of this number (head office where no branch is stated); RegisterError."""
        ...

    async def search(self, prefix: str, *, limit: int = 20) -> list[RegisterEntry]:
        """Entries with a name, in any language, that begins so; RegisterError."""
        ...
