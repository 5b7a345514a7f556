"""A person: somebody who signs in, and how sure we are of who they are."""

from dataclasses import dataclass
from enum import StrEnum

from corpid.domain.languages import Names


class Assurance(StrEnum):
    """Level of assurance of a sign-in; the order is the order of strength."""

    LOA1 = "loa1"  # a password
    LOA2 = "loa2"  # a password and a one-time code
    LOA3 = "loa3"  # a passkey with user verification, identity matched to the register
    LOA4 = "loa4"  # stronger proofing

    @property
    def rank(self) -> int:
        """1 to 4."""
        return int(self.value[-1])

    def meets(self, minimum: "Assurance") -> bool:
        """Whether this level is at least ``minimum``."""
        return self.rank >= minimum.rank


@dataclass(frozen=True, slots=True)
class Person:
    """A human known to the service. ``closed_at`` is set when the account was closed."""

    person_id: str
    names: Names
    email: str | None
    phone: str | None
    created_at: int
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class PasswordMethod:
    """The password sign-in method of a person; ``password_hash`` is argon2id's encoded form."""

    person_id: str
    username: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class TotpMethod:
    """The one-time-code method (RFC 6238).

    ``last_step`` is the time step of the last code that was accepted: each code counts once.
    """

    person_id: str
    sealed_secret: bytes
    last_step: int
