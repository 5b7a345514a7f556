"""Our types of authorization details (RFC 9396): what a relying party may ask for by name.

- ``hk_corp_mandate``: the authority that the person must have alone, for the business chosen;
- ``hk_corp_data_sharing``: facts of the business, for one purpose, until a day;
- ``openid_credential``: a credential for a wallet (OpenID4VCI 1.0, 5.1.1).

An unknown member of our own types is refused: to ignore it would grant something else than what
was asked for. Those of ``openid_credential`` are ignored, as its standard says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from corpid.domain.authority_need import AuthorityNeed, within
from corpid.domain.dates import hong_kong_date
from corpid.domain.errors import InvalidValue
from corpid.domain.mandate import (
    MAX_POWERS,
    MAX_SERVICES,
    Limit,
    MandateTerms,
    RepresentationType,
    Substitution,
)
from keys.clock import Clock
from oidc.errors import InvalidAuthorizationDetails
from oidc.ports import Detail, DetailType

AUTHORITY: Final = "hk_corp_mandate"
DATA_SHARING: Final = "hk_corp_data_sharing"
CREDENTIAL: Final = "openid_credential"
NAMES: Final = (AUTHORITY, DATA_SHARING, CREDENTIAL)

FACTS: Final = (
    "entity_reg_number",
    "entity_name",
    "entity_status",
    "legal_form_type",
    "registered_address",
    "registration_date",
    "place_of_incorporation",
)
"""The facts that can be shared, by their names in ``sub_attributes`` and ``entity_profile``."""

PURPOSES: Final = (
    "account_opening",
    "due_diligence",
    "credit_assessment",
    "onboarding_supplier",
    "tax_filing",
    "contract",
)
"""The purposes that can be named. A closed list: each is shown in the reader's language."""

LONGEST_SHARING_DAYS: Final = 366
_MAX_CLAIMS: Final = 100


def detail_types(configuration_ids: Collection[str], clock: Clock) -> dict[str, DetailType]:
    """Every type by name; ``configuration_ids`` are those of the credential issuer
    at any time."""
    return {
        AUTHORITY: AuthorityDetails(),
        DATA_SHARING: DataSharingDetails(clock),
        CREDENTIAL: CredentialDetails(configuration_ids),
    }


def needs_of(details: Collection[Detail]) -> tuple[AuthorityNeed, ...]:
    """What details of the type ``hk_corp_mandate`` demand of the authority."""
    return tuple(_need(detail) for detail in details if detail["type"] == AUTHORITY)


def shared_facts(detail: Detail, known: Mapping[str, str]) -> dict[str, Any]:
    """A data-sharing detail with the facts themselves, as far as they are known."""
    return {
        "purpose": detail["purpose"],
        "until": detail["until"],
        "facts": {name: known[name] for name in detail["facts"] if name in known},
    }


def counts_on(detail: Detail, today: str) -> bool:
    """Whether a detail still counts on a Hong Kong date (ISO text)."""
    return detail["type"] != DATA_SHARING or bool(today <= detail["until"])


def is_told(detail: Detail) -> bool:
    """Whether a client is told of a detail: of a credential by its identifiers alone.

    An offer's wallet that asked for none has the offer's credentials all the same, by their
    configuration; with the detail it would have to use identifiers (OpenID4VCI 1.0, 6.2).
    """
    return detail["type"] != CREDENTIAL or "credential_identifiers" in detail


class AuthorityDetails:
    """``hk_corp_mandate``: the members are those of the ``mandate`` claim."""

    _members: Final = frozenset(
        {"type", "powers", "services", "limit", "representation_type", "register_suffices"}
    )

    def read(self, detail: Detail) -> Detail:
        """See ``DetailType.read``."""
        _only(detail, self._members)
        if detail.get("representation_type", "SOLE") != "SOLE":
            raise InvalidAuthorizationDetails(
                "representation_type is SOLE: one person signs in, and acts alone"
            )
        if not isinstance(detail.get("register_suffices", False), bool):
            raise InvalidAuthorizationDetails("register_suffices is true or false")
        kept: dict[str, Any] = {
            "type": AUTHORITY,
            "powers": _texts(detail, "powers", MAX_POWERS),
            "representation_type": "SOLE",
        }
        if "services" in detail:
            kept["services"] = _texts(detail, "services", MAX_SERVICES)
        if "limit" in detail:
            kept["limit"] = _limit(detail["limit"])
        if detail.get("register_suffices"):
            kept["register_suffices"] = True
        _check_terms(kept)
        return kept

    def granted(self, detail: Detail) -> Detail:
        """See ``DetailType.granted``; which mandate it is, each reader is told by its own name."""
        return detail

    def covers(self, had: Detail, wanted: Detail) -> bool:
        """See ``DetailType.covers``: no further power, service or amount."""
        before, now = _need(had), _need(wanted)
        return (
            set(now.powers) <= set(before.powers)
            and set(now.services) <= set(before.services)
            and (now.limit is None or before.limit is not None)
            and within(now.limit, before.limit)
            and (before.register_suffices or not now.register_suffices)
        )


@dataclass(frozen=True, slots=True)
class DataSharingDetails:
    """``hk_corp_data_sharing``: which facts of the business, for which purpose, until when.

    ``until`` is a Hong Kong date, inclusive, at most a year ahead.
    """

    clock: Clock

    def read(self, detail: Detail) -> Detail:
        """See ``DetailType.read``."""
        _only(detail, frozenset({"type", "facts", "purpose", "until"}))
        facts = _texts(detail, "facts", len(FACTS))
        unknown = set(facts) - set(FACTS)
        if unknown:
            raise InvalidAuthorizationDetails(f"facts are some of {', '.join(FACTS)}")
        purpose = detail.get("purpose")
        if purpose not in PURPOSES:
            raise InvalidAuthorizationDetails(f"purpose is one of {', '.join(PURPOSES)}")
        return {
            "type": DATA_SHARING,
            "facts": [name for name in FACTS if name in facts],
            "purpose": purpose,
            "until": self._until(detail.get("until")),
        }

    def granted(self, detail: Detail) -> Detail:
        """See ``DetailType.granted``."""
        return detail

    def covers(self, had: Detail, wanted: Detail) -> bool:
        """See ``DetailType.covers``: no further fact or day, and the same purpose."""
        return (
            set(wanted["facts"]) <= set(had["facts"])
            and wanted["purpose"] == had["purpose"]
            and wanted["until"] <= had["until"]
        )

    def _until(self, value: object) -> str:
        today = hong_kong_date(int(self.clock() * 1000))
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            day = None
        if day is None or day.isoformat() != value:
            raise InvalidAuthorizationDetails("until is a day such as 2027-01-31")
        if not today <= day <= today + timedelta(days=LONGEST_SHARING_DAYS):
            raise InvalidAuthorizationDetails(
                f"until is a day from today on, at most {LONGEST_SHARING_DAYS} days ahead"
            )
        return day.isoformat()


@dataclass(frozen=True, slots=True)
class CredentialDetails:
    """``openid_credential`` (OpenID4VCI 1.0, 5.1.1 and 6.2)."""

    configuration_ids: Collection[str]

    def read(self, detail: Detail) -> Detail:
        """See ``DetailType.read``. Unknown members are ignored (5.1.1)."""
        name = detail.get("credential_configuration_id")
        if not isinstance(name, str) or name not in self.configuration_ids:
            raise InvalidAuthorizationDetails(
                "credential_configuration_id is not in the credential issuer metadata"
            )
        kept: dict[str, Any] = {"type": CREDENTIAL, "credential_configuration_id": name}
        if "claims" in detail:
            kept["claims"] = _claim_descriptions(detail["claims"])
        return kept

    def granted(self, detail: Detail) -> Detail:
        """See ``DetailType.granted``: the identifier of the one dataset that there is (6.2)."""
        name = detail["credential_configuration_id"]
        return {**detail, "credential_identifiers": [f"{name}/1"]}

    def covers(self, had: Detail, wanted: Detail) -> bool:
        """See ``DetailType.covers``."""
        name = "credential_configuration_id"
        return bool(had[name] == wanted[name])


def _only(detail: Detail, members: frozenset[str]) -> None:
    if not detail.keys() <= members:
        shown = ", ".join(sorted(members - {"type"}))
        raise InvalidAuthorizationDetails(f"this type has no other members than {shown}")


def _texts(detail: Detail, name: str, most: int) -> list[str]:
    value = detail.get(name)
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= most
        or not all(isinstance(one, str) for one in value)
        or len(set(value)) != len(value)
    ):
        raise InvalidAuthorizationDetails(f"{name} is an array of 1 to {most} different texts")
    return value


def _limit(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() != {"amount", "currency"}:
        raise InvalidAuthorizationDetails("limit is an object with amount and currency")
    if not all(isinstance(one, str) for one in value.values()):
        raise InvalidAuthorizationDetails("amount and currency are texts")
    return value


def _check_terms(kept: Mapping[str, Any]) -> None:
    """Powers, services and amounts are written as in a mandate."""
    try:
        need = _need(kept)
        MandateTerms(
            powers=need.powers,
            services=need.services,
            limit=need.limit,
            representation_type=RepresentationType.SOLE,
            signing_rule=None,
            substitution=Substitution.NOT_ALLOWED,
            valid_from="",
            valid_until=None,
        )
    except InvalidValue:
        raise InvalidAuthorizationDetails(
            "a power, a service or the limit is not written as in a mandate"
        ) from None


def _need(detail: Detail) -> AuthorityNeed:
    limit = detail.get("limit")
    return AuthorityNeed(
        powers=tuple(detail["powers"]),
        services=tuple(detail.get("services", ())),
        limit=None if limit is None else Limit(limit["amount"], limit["currency"]),
        register_suffices=detail.get("register_suffices", False),
    )


def _claim_descriptions(value: object) -> list[dict[str, Any]]:
    """Claims description objects (OpenID4VCI 1.0, appendix B.1); each credential has them all."""
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_CLAIMS:
        raise InvalidAuthorizationDetails("claims is an array of claims descriptions")
    for one in value:
        path = one.get("path") if isinstance(one, dict) else None
        if not isinstance(path, list) or not path:
            raise InvalidAuthorizationDetails("a claims description has a path")
        if not all(part is None or isinstance(part, str | int) for part in path):
            raise InvalidAuthorizationDetails("a path is made of names, numbers and null")
    return [{"path": one["path"]} for one in value]
