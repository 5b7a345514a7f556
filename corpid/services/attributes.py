"""What tokens say of an organisation and a person: their attributes, from the register and ours."""

from typing import Any, Final

from corpid.domain.languages import Language
from corpid.domain.organisation import IdentifierScheme, Organisation
from corpid.domain.person import Person

_ENTITY_TYPES: Final = {
    IdentifierScheme.HK_BRN: "BRN",
    IdentifierScheme.HK_CR_DUMMY: "CR-DUMMY",
    IdentifierScheme.LEI: "LEI",
    IdentifierScheme.USCC: "USCC",
}


def entity_attributes(organisation: Organisation, language: Language = "en") -> dict[str, str]:
    """The organisation's identity under Corppass's names; ``entity_name`` in that language, or
    in the one there is.
    """
    names = organisation.registration.names
    attributes = {
        "entity_type": _ENTITY_TYPES[organisation.scheme],
        "entity_reg_number": organisation.number,
        "entity_coi": "HK",
        "entity_name": names.best(language),
        "entity_status": "Registered" if organisation.registration.status == "live" else "Ceased",
    }
    if names.zh_hant:
        attributes["entity_name#zh-Hant"] = names.zh_hant
    if names.zh_hans:
        attributes["entity_name#zh-Hans"] = names.zh_hans
    return attributes


def entity_profile(organisation: Organisation) -> dict[str, str]:
    """The registered facts, each with the register's name and as-of time beside them."""
    facts = organisation.registration
    profile = {
        "legal_form_type": facts.entity_type,
        "legal_form_text": facts.type_text,
        "legal_person_status": facts.status,
        "registered_address": facts.address,
        "registration_date": facts.incorporated_on,
        "place_of_incorporation": facts.place_of_incorporation,
        "source": facts.source,
        "as_of": facts.as_of,
    }
    return {name: value for name, value in profile.items() if value}


def add_entity(
    claims: dict[str, Any],
    organisation: Organisation,
    scopes: frozenset[str],
    language: Language,
) -> None:
    """What the scopes bring of the organisation; names without a tag in that language."""
    if "entity.identity" in scopes:
        claims["sub_attributes"] = entity_attributes(organisation, language)
    if "entity.basic_profile" in scopes:
        claims["entity_profile"] = entity_profile(organisation)
    if "address" in scopes and organisation.registration.address:
        claims["address"] = {"formatted": organisation.registration.address, "country": "HK"}


def add_person(
    claims: dict[str, Any], person: Person, scopes: frozenset[str], language: Language
) -> None:
    """What the scopes bring of the person; names without a tag in that language."""
    if scopes & {"user.identity", "user.name"}:
        attributes: dict[str, str] = {"account_type": "standard"}
        if "user.name" in scopes:
            attributes |= _person_name(person, language)
        claims["act"] = {**claims["act"], "sub_attributes": attributes}
    if "profile" in scopes:
        claims |= _person_name(person, language)
        claims["updated_at"] = person.created_at // 1000
    if "email" in scopes and person.email:
        claims["email"] = person.email
        claims["email_verified"] = False
    if "phone" in scopes and person.phone:
        claims["phone_number"] = person.phone
        claims["phone_number_verified"] = False


def _person_name(person: Person, language: Language) -> dict[str, str]:
    names = person.names
    found = {"name": names.best(language)}
    if names.zh_hant:
        found["name#zh-Hant"] = names.zh_hant
    if names.zh_hans:
        found["name#zh-Hans"] = names.zh_hans
    return found
