"""An organisation: a business, what registers say of it, and who represents it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from corpid.domain.languages import Names


class IdentifierScheme(StrEnum):
    """Where a registration number comes from."""

    HK_BRN = "hk.brn"
    HK_CR_DUMMY = "hk.cr_dummy"  # assigned by the Companies Registry for want of a BRN
    LEI = "lei"
    USCC = "uscc"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A registration number as it was true from ``valid_from`` to ``valid_to`` (ms, exclusive)."""

    scheme: IdentifierScheme
    value: str
    valid_from: int
    valid_to: int | None
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What a register says of an organisation, with its source and as-of time.

    ``entity_type`` and ``status`` are values of ``register_entry``'s enumerations. A row is
    never overwritten: a changed fact ends it (``ended_at``, recorded time in ms) and adds another.
    """

    organisation_id: str
    entity_type: str
    type_text: str
    status: str
    names: Names
    address: str
    incorporated_on: str | None
    place_of_incorporation: str | None
    digest: bytes
    source: str
    as_of: str
    recorded_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """A business with its current number and registration, as the product looks at it.

    ``suspended_at`` is our own act (suspend an organisation), not a register's fact.
    """

    organisation_id: str
    scheme: IdentifierScheme
    number: str
    registration: Registration
    suspended_at: int | None

    @property
    def is_live(self) -> bool:
        """Whether somebody may act for it: live in the register and not suspended here."""
        return self.registration.status == "live" and self.suspended_at is None


HEAD_OFFICE: Final = "000"


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of a business; ``HEAD_OFFICE`` is not one of them.

    ``source`` says so as of ``as_of`` (an ISO date or instant); None where that was not kept. A
    register that says the same again says nothing new.
    """

    organisation_id: str
    code: str
    names: Names
    address: str
    source: str | None = field(default=None, compare=False)
    as_of: str | None = field(default=None, compare=False)


class Role(StrEnum):
    """What the register says a person is to an organisation."""

    DIRECTOR = "director"
    SOLE_PROPRIETOR = "sole_proprietor"
    PARTNER = "partner"
    COMPANY_SECRETARY = "company_secretary"


@dataclass(frozen=True, slots=True)
class Representation:
    """A register's fact: this person has this role in this organisation.

    ``valid_from`` and ``valid_to`` are Hong Kong dates (ISO text, ``valid_to`` inclusive);
    ``recorded_at`` and ``ended_at`` are the recorded time in ms.
    """

    representation_id: str
    organisation_id: str
    person_id: str
    role: Role
    valid_from: str
    valid_to: str | None
    source: str
    as_of: str
    recorded_at: int
    ended_at: int | None = None

    def holds_on(self, day: str) -> bool:
        """Whether it holds on that Hong Kong date (ISO text) as known now."""
        return (
            self.ended_at is None
            and self.valid_from <= day
            and (self.valid_to is None or day <= self.valid_to)
        )
