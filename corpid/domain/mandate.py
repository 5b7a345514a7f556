"""A mandate: authority that an organisation gives, and its two-sided life.

    proposed --accept by the other side--> accepted --(validity begins)--> active
    proposed --decline--> declined          accepted --suspend--> suspended --resume--> accepted
    proposed | accepted | suspended --end--> ended

``active`` and the end by time are not stored: they follow from ``accepted`` and the dates, so
that no job has to run at midnight for an authority to begin or to stop.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from corpid.domain.errors import IllegalTransition, InvalidValue, NotAllowed

MAX_POWERS: Final = 50
MAX_SERVICES: Final = 50
_POWER = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


class MandateState(StrEnum):
    """Stored states, and ``active``, which is only ever derived."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"
    DECLINED = "declined"


class MandateEvent(StrEnum):
    """What can happen to a mandate."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    DECLINE = "decline"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"


class Side(StrEnum):
    """The two sides that must agree."""

    GRANTOR = "grantor"
    HOLDER = "holder"


class HolderKind(StrEnum):
    """To whom authority is given."""

    PERSON = "person"
    ORGANISATION = "organisation"  # an agent: accountant, company secretary firm


class RepresentationType(StrEnum):
    """Whether the holder may act alone."""

    SOLE = "SOLE"
    JOINT = "JOINT"


class Substitution(StrEnum):
    """Whether the holder may pass the authority on."""

    ALLOWED = "allowed"
    NOT_ALLOWED = "not_allowed"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest amount of one transaction: a decimal string and an ISO 4217 code."""

    amount: str
    currency: str

    def __post_init__(self) -> None:
        if not _AMOUNT.fullmatch(self.amount):
            raise InvalidValue(
                f"the limit {self.amount!r} is not an amount such as 50000.00 "
                "(digits, and two decimals or none)"
            )
        if not _CURRENCY.fullmatch(self.currency):
            raise InvalidValue(f"{self.currency!r} is not an ISO 4217 currency code such as HKD")

    def covers(self, amount: Decimal, currency: str) -> bool:
        """Whether one transaction of that amount is within the limit."""
        return currency == self.currency and amount <= Decimal(self.amount)


@dataclass(frozen=True, slots=True)
class SigningRule:
    """For a JOINT mandate: any ``min_signers`` of the named group must sign together."""

    group: str
    min_signers: int

    def __post_init__(self) -> None:
        if not _POWER.fullmatch(self.group):
            raise InvalidValue("a signing group is named by lower-case letters, digits and _")
        if not 2 <= self.min_signers <= 20:
            raise InvalidValue("a joint signing rule needs between 2 and 20 signers")


@dataclass(frozen=True, slots=True)
class MandateTerms:
    """What the authority covers; fixed for the life of the mandate.

    ``services`` empty means every service. ``valid_from`` and ``valid_until`` are Hong Kong
    dates in ISO text; ``valid_until`` is inclusive, None means until it is ended.
    """

    powers: tuple[str, ...]
    services: tuple[str, ...]
    limit: Limit | None
    representation_type: RepresentationType
    signing_rule: SigningRule | None
    substitution: Substitution
    valid_from: str
    valid_until: str | None

    def __post_init__(self) -> None:
        if not 1 <= len(self.powers) <= MAX_POWERS:
            raise InvalidValue(f"a mandate names between 1 and {MAX_POWERS} powers")
        for power in self.powers:
            if not _POWER.fullmatch(power):
                raise InvalidValue(f"{power!r} is not a power such as open_account")
        if len(self.services) > MAX_SERVICES:
            raise InvalidValue(f"a mandate names at most {MAX_SERVICES} services")
        for service in self.services:
            if not _SERVICE.fullmatch(service):
                raise InvalidValue(f"{service!r} is not the name of a service")
        joint = self.representation_type is RepresentationType.JOINT
        if joint and self.signing_rule is None:
            raise InvalidValue("a JOINT mandate needs a signing rule: a group and a number")
        if not joint and self.signing_rule is not None:
            raise InvalidValue("only a JOINT mandate has a signing rule")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise InvalidValue("the mandate would end before it begins")


@dataclass(frozen=True, slots=True)
class Mandate:
    """One mandate as it is known at some time.

    ``grantor_accepted`` and ``holder_accepted`` say which side has agreed. ``parent_id`` names
    the mandate it was passed on from. Times are epoch milliseconds.
    """

    mandate_id: str
    organisation_id: str
    holder_kind: HolderKind
    holder_id: str
    terms: MandateTerms
    state: MandateState
    grantor_accepted: bool
    holder_accepted: bool
    parent_id: str | None
    created_at: int
    changed_at: int

    def state_on(self, day: str) -> MandateState:
        """The state on a Hong Kong date: ``accepted`` becomes active or ended by its dates."""
        if self.state is MandateState.ACCEPTED:
            if self.terms.valid_until is not None and day > self.terms.valid_until:
                return MandateState.ENDED
            if day >= self.terms.valid_from:
                return MandateState.ACTIVE
        return self.state

    def require_sole(self) -> None:
        """Refuse a JOINT mandate where one person acts alone.

        Raises:
            NotAllowed: the mandate needs further signers.
        """
        if self.terms.representation_type is RepresentationType.JOINT:
            rule = self.terms.signing_rule
            needed = rule.min_signers if rule else 2
            raise NotAllowed(
                f"this mandate is joint: {needed} signers must act together, "
                "so it does not let one person act alone"
            )


_TRANSITIONS: Final[dict[tuple[MandateState, MandateEvent], MandateState]] = {
    (MandateState.PROPOSED, MandateEvent.ACCEPT): MandateState.ACCEPTED,
    (MandateState.PROPOSED, MandateEvent.DECLINE): MandateState.DECLINED,
    (MandateState.PROPOSED, MandateEvent.END): MandateState.ENDED,
    (MandateState.ACCEPTED, MandateEvent.SUSPEND): MandateState.SUSPENDED,
    (MandateState.ACCEPTED, MandateEvent.END): MandateState.ENDED,
    (MandateState.SUSPENDED, MandateEvent.RESUME): MandateState.ACCEPTED,
    (MandateState.SUSPENDED, MandateEvent.END): MandateState.ENDED,
}


def apply(mandate: Mandate, event: MandateEvent, side: Side, at_ms: int) -> Mandate:
    """The mandate after ``event`` was done by ``side``.

    Raises:
        IllegalTransition: the event does not fit the state, or that side has agreed already.
        NotAllowed: that side may not do this (a holder cannot suspend or resume).
    """
    if side is Side.HOLDER and event in (MandateEvent.SUSPEND, MandateEvent.RESUME):
        raise NotAllowed("only the organisation that gave the mandate may suspend or resume it")
    target = _TRANSITIONS.get((mandate.state, event))
    if target is None:
        raise IllegalTransition(f"a mandate that is {mandate.state} cannot {event}")
    grantor, holder = mandate.grantor_accepted, mandate.holder_accepted
    if event is MandateEvent.ACCEPT:
        if (side is Side.GRANTOR and grantor) or (side is Side.HOLDER and holder):
            raise IllegalTransition(f"the {side} has accepted this mandate already")
        grantor = grantor or side is Side.GRANTOR
        holder = holder or side is Side.HOLDER
        if not (grantor and holder):
            target = MandateState.PROPOSED
    return replace(
        mandate,
        state=target,
        grantor_accepted=grantor,
        holder_accepted=holder,
        changed_at=at_ms,
    )
