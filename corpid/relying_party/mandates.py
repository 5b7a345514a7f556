"""The authority that a token or credential states, and whether it covers an act.

The shape is that of the `authorization_details` type `hk_corp_mandate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from corpid.domain.errors import InvalidValue
from corpid.domain.mandate import (
    Limit,
    MandateTerms,
    RepresentationType,
    SigningRule,
    Substitution,
)
from corpid.relying_party.errors import ClaimInvalid, MandateRefused
from oidc.formats.errors import MalformedStatusReference
from oidc.formats.status_reference import StatusReference, status_reference

MANDATE_TYPE: Final = "hk_corp_mandate"
MAX_MANDATES: Final = 20


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a mandate does not permit an act: a stable code and a plain sentence."""

    code: str
    sentence: str


POWER_NOT_GRANTED = Reason("power_not_granted", "The mandate does not grant this power.")
SERVICE_NOT_COVERED = Reason("service_not_covered", "The mandate does not cover this service.")
NOT_YET_IN_FORCE = Reason("not_yet_in_force", "The mandate is not in force yet on that day.")
NO_LONGER_IN_FORCE = Reason("no_longer_in_force", "The mandate has ended before that day.")
OVER_LIMIT = Reason("over_limit", "The amount is above the limit of one transaction.")
CURRENCY_DIFFERS = Reason("currency_differs", "The limit is stated in another currency.")
JOINT_SIGNATURE = Reason("joint_signature", "Others must sign together with this person.")

REASONS: Final = (
    POWER_NOT_GRANTED,
    SERVICE_NOT_COVERED,
    NOT_YET_IN_FORCE,
    NO_LONGER_IN_FORCE,
    OVER_LIMIT,
    CURRENCY_DIFFERS,
    JOINT_SIGNATURE,
)


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether an act is permitted, and every reason why not."""

    reasons: tuple[Reason, ...]

    @property
    def granted(self) -> bool:
        """Whether nothing stands against the act."""
        return not self.reasons

    def require(self) -> None:
        """Raise MandateRefused, with the reasons' codes as its detail, unless granted."""
        if self.reasons:
            raise MandateRefused(", ".join(reason.code for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate as stated to this relying party; its id is pairwise.

    `status` is its entry in a status list, for asking later whether it still stands.
    """

    mandate_id: str
    terms: MandateTerms
    status: StatusReference | None

    def permits(
        self,
        power: str,
        *,
        on_date: date,
        amount: Decimal | str | None = None,
        currency: str = "HKD",
        service: str | None = None,
        co_signed: bool = False,
    ) -> Permission:
        """Judge one act on a Hong Kong calendar day.

        `amount` is that of one transaction, None for an act that moves no money. `service` None
        leaves services out of account. `co_signed` says that the relying party has gathered the
        further signatures that `terms.signing_rule` of a JOINT mandate demands.

        Raises ValueError for an amount that is not a finite number from zero, or is a binary
        fraction (`float`), and for an instant (`datetime`) in place of a day.
        """
        if isinstance(on_date, datetime):  # also a date to Python, but in which time zone?
            raise ValueError("a Hong Kong calendar day is needed, not an instant")
        terms = self.terms
        reasons = []
        if power not in terms.powers:
            reasons.append(POWER_NOT_GRANTED)
        if service is not None and terms.services and service not in terms.services:
            reasons.append(SERVICE_NOT_COVERED)
        day = on_date.isoformat()
        if day < terms.valid_from:
            reasons.append(NOT_YET_IN_FORCE)
        if terms.valid_until is not None and day > terms.valid_until:
            reasons.append(NO_LONGER_IN_FORCE)
        if amount is not None:
            reasons += _limit_reasons(terms.limit, _amount(amount), currency)
        if terms.representation_type is RepresentationType.JOINT and not co_signed:
            reasons.append(JOINT_SIGNATURE)
        return Permission(tuple(reasons))


def mandates_of(claims: Mapping[str, Any]) -> tuple[Mandate, ...]:
    """Read the `mandate` claim: an object, an array of objects, or absent.

    Raises ClaimInvalid.
    """
    stated = claims.get("mandate")
    if stated is None:
        return ()
    many = stated if isinstance(stated, list) else [stated]
    if len(many) > MAX_MANDATES:
        raise ClaimInvalid("mandate: too many")
    return tuple(read_mandate(one) for one in many)


def read_mandate(stated: object) -> Mandate:
    """Read one mandate object. Raises ClaimInvalid."""
    if not isinstance(stated, Mapping):
        raise ClaimInvalid("mandate: not an object")
    if stated.get("type", MANDATE_TYPE) != MANDATE_TYPE:
        raise ClaimInvalid("mandate: of another type")
    mandate_id = stated.get("mandate_id")
    if not isinstance(mandate_id, str) or not mandate_id:
        raise ClaimInvalid("mandate: mandate_id is missing")
    try:
        return Mandate(mandate_id, _terms(stated), status_reference(stated))
    except (InvalidValue, MalformedStatusReference, ValueError, TypeError, KeyError) as error:
        raise ClaimInvalid(f"mandate: {error}") from error


def _terms(stated: Mapping[str, Any]) -> MandateTerms:
    until = stated.get("valid_until")
    return MandateTerms(
        powers=_texts(stated, "powers"),
        services=_texts(stated, "services") if stated.get("services") is not None else (),
        limit=_limit(stated.get("limit")),
        representation_type=RepresentationType(stated["representation_type"]),
        signing_rule=_signing_rule(stated.get("signing_rule")),
        substitution=Substitution(stated.get("substitution", Substitution.NOT_ALLOWED)),
        valid_from=_day(stated["valid_from"]),
        valid_until=None if until is None else _day(until),
    )


def _texts(stated: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = stated[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"{name} is not an array of texts")
    return tuple(value)


def _limit(stated: object) -> Limit | None:
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise TypeError("limit is not an object")
    return Limit(_text(stated, "amount"), _text(stated, "currency"))


def _signing_rule(stated: object) -> SigningRule | None:
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise TypeError("signing_rule is not an object")
    signers = stated["min_signers"]
    if isinstance(signers, bool) or not isinstance(signers, int):
        raise TypeError("min_signers is not a whole number")
    return SigningRule(_text(stated, "group"), signers)


def _text(stated: Mapping[str, Any], name: str) -> str:
    value = stated[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def _day(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a day of validity is not text")
    # Days are compared as text, so only the one form that sorts like the calendar will do.
    if date.fromisoformat(value).isoformat() != value:
        raise ValueError("a day of validity is not YYYY-MM-DD")
    return value


def _amount(amount: Decimal | str) -> Decimal:
    if isinstance(amount, float | bool):
        raise ValueError("the amount is not a decimal number")
    try:
        value = Decimal(amount)
    except InvalidOperation as error:
        raise ValueError("the amount is not a decimal number") from error
    if not value.is_finite() or value < 0:
        raise ValueError("the amount is not a number from zero")
    return value


def _limit_reasons(limit: Limit | None, amount: Decimal, currency: str) -> list[Reason]:
    if limit is None:
        return []
    if limit.currency != currency:
        return [CURRENCY_DIFFERS]
    return [] if limit.covers(amount, currency) else [OVER_LIMIT]
