"""What credentials say, from the same facts and by the same functions as the tokens."""

from typing import Any

from corpid.domain.languages import Names
from corpid.domain.organisation import Organisation
from corpid.domain.person import Person
from corpid.services.attributes import entity_profile
from corpid.services.authorities import ActingAuthority
from corpid.services.claims import authority_claim
from corpid.services.credential_types import LEGAL_CATEGORY, MEMBER_STATE

_NO_SUBSTITUTION = "not_allowed"


def company_identity(organisation: Organisation) -> dict[str, Any]:
    """The claims of ``company-identity``."""
    profile = entity_profile(organisation)
    claims: dict[str, Any] = {
        **_whose(organisation),
        "registered_address": profile.get("registered_address"),
        "registration_date": profile.get("registration_date"),
        "place_of_incorporation": profile.get("place_of_incorporation"),
        **_about(organisation),
    }
    return {name: value for name, value in claims.items() if value is not None}


def representative(authority: ActingAuthority, person: Person) -> dict[str, Any]:
    """The claims of ``representative``: who, and exactly the mandate that the tokens state."""
    organisation = authority.organisation
    # The mandate's id is pairwise per reader, and a credential has many: it carries none. Its
    # status entry is the credential's own.
    stated = authority_claim(authority, "", None)
    claims: dict[str, Any] = {
        **_whose(organisation),
        "full_name": person.names.best("en"),
        "full_names": _tagged(person.names),
        "person_role": {
            "representation_type": stated["representation_type"],
            "role": stated.get("role", "mandate_holder"),
        },
        "scope_of_representation_powers": stated["powers"],
        "scope_of_representation_services": stated.get("services"),
        "limit": stated.get("limit"),
        "scope_of_representation_power_of_substitution": stated.get(
            "substitution", _NO_SUBSTITUTION
        ),
        "validity_period_valid_from": stated["valid_from"],
        "validity_period_valid_until": stated.get("valid_until"),
        **_about(organisation),
    }
    return {name: value for name, value in claims.items() if value is not None}


def _whose(organisation: Organisation) -> dict[str, Any]:
    profile = entity_profile(organisation)
    names = organisation.registration.names
    return {
        "legal_person_name": names.best("en"),
        "legal_person_names": _tagged(names),
        "legal_person_id": {
            "scheme": organisation.scheme.value,
            "value": organisation.number,
        },
        "legal_form_type": profile["legal_form_type"],
        "legal_person_status": profile["legal_person_status"],
    }


def _about(organisation: Organisation) -> dict[str, Any]:
    profile = entity_profile(organisation)
    return {
        "source": profile["source"],
        "as_of": profile["as_of"],
        "registration_member_state": MEMBER_STATE,
        "attestation_legal_category": LEGAL_CATEGORY,
    }


def _tagged(names: Names) -> list[dict[str, str]]:
    return [{"lang": language, "value": name} for language, name in names]
