"""What an official register says of one business at one time."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from corpid.domain.business_number import BusinessNumber
from corpid.domain.languages import Names


class EntityType(StrEnum):
    """The legal kinds that Hong Kong's registers know, and `other` for the rest."""

    LOCAL_PRIVATE_COMPANY = "local_private_company"
    LOCAL_PUBLIC_COMPANY = "local_public_company"
    GUARANTEE_COMPANY = "guarantee_company"
    UNLIMITED_COMPANY = "unlimited_company"
    REGISTERED_NON_HONG_KONG_COMPANY = "registered_non_hong_kong_company"
    SOLE_PROPRIETORSHIP = "sole_proprietorship"
    PARTNERSHIP = "partnership"
    LIMITED_PARTNERSHIP = "limited_partnership"
    LIMITED_PARTNERSHIP_FUND = "limited_partnership_fund"
    OPEN_ENDED_FUND_COMPANY = "open_ended_fund_company"
    REGISTERED_TRUSTEE = "registered_trustee"
    OTHER = "other"


class EntityStatus(StrEnum):
    """Whether the business still exists; `unknown` where the register does not say."""

    LIVE = "live"
    IN_LIQUIDATION = "in_liquidation"
    IN_RECEIVERSHIP = "in_receivership"
    DISSOLVED = "dissolved"
    STRUCK_OFF = "struck_off"
    DEREGISTERED = "deregistered"
    CEASED = "ceased"
    AMALGAMATED = "amalgamated"
    UNKNOWN = "unknown"

    @property
    def has_ended(self) -> bool:
        """Whether the register says that it no longer exists or no longer does business."""
        return self in _ENDED


_ENDED = frozenset(
    {
        EntityStatus.DISSOLVED,
        EntityStatus.STRUCK_OFF,
        EntityStatus.DEREGISTERED,
        EntityStatus.CEASED,
        EntityStatus.AMALGAMATED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterEntry:
    """One register row. Dates are Hong Kong calendar dates, `YYYY-MM-DD`; else ValueError.

    `incorporated_on` is where and when it came into being, `registered_on` when a company from
    elsewhere was registered here. `type_text` is the register's own wording of the type, kept
    where it says more than `entity_type`. `as_of` is an ISO date or instant.
    """

    number: BusinessNumber
    names: Names
    entity_type: EntityType
    status: EntityStatus
    source: str
    as_of: str
    address: str | None = None
    incorporated_on: str | None = None
    registered_on: str | None = None
    place_of_incorporation: str | None = None
    re_domiciled_on: str | None = None
    type_text: str | None = None

    def __post_init__(self) -> None:
        for day in (self.incorporated_on, self.registered_on, self.re_domiciled_on):
            if day is not None and date.fromisoformat(day).isoformat() != day:
                raise ValueError(f"{day} is not a date of the form YYYY-MM-DD")
        datetime.fromisoformat(self.as_of)
        if not self.source:
            raise ValueError("a register entry names its source")

    def digest(self) -> bytes:
        """SHA-256 over what the source says, in a fixed order; `as_of` is left out.

        Two readings with the same digest state the same facts, so the later one writes nothing.
        The leading 1 is the version of the order.
        """
        facts = (
            1,
            self.number.kind,
            self.number.value,
            self.number.branch,
            self.names.en,
            self.names.zh_hant,
            self.names.zh_hans,
            self.entity_type,
            self.type_text,
            self.status,
            self.address,
            self.incorporated_on,
            self.registered_on,
            self.place_of_incorporation,
            self.re_domiciled_on,
            self.source,
        )
        text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()
