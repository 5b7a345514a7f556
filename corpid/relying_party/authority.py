"""Reading who a token speaks of: the business, the person acting, the level of assurance."""

import re
from collections.abc import Mapping
from typing import Any

from corpid.relying_party.errors import AssuranceTooLow, AuthenticationTooOld, ClaimInvalid
from corpid.relying_party.results import Actor, OrganisationAttributes

MAX_ACTORS = 5  # an agent firm, its staff; more is a mistake or mischief
MAX_SUBJECT = 255
_LEVEL = re.compile(r"loa([1-4])")
_NAME = "entity_name"


def subject_of(claims: Mapping[str, Any]) -> str:
    """Return `sub`: 1 to 255 ASCII characters (OpenID Connect Core, 2). Raises ClaimInvalid."""
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 1 <= len(subject) <= MAX_SUBJECT
        or not subject.isascii()
    ):
        raise ClaimInvalid("sub")
    return subject


def actor_of(claims: Mapping[str, Any], depth: int = 1) -> Actor | None:
    """Read `act` and what nests in it (RFC 8693, 4.1). Raises ClaimInvalid."""
    act = claims.get("act")
    if act is None:
        return None
    if not isinstance(act, Mapping) or depth > MAX_ACTORS:
        raise ClaimInvalid("act")
    return Actor(subject_of(act), optional_text(act, "sub_type"), actor_of(act, depth + 1))


def organisation_of(claims: Mapping[str, Any]) -> OrganisationAttributes | None:
    """Read `sub_attributes`. Raises ClaimInvalid."""
    stated = claims.get("sub_attributes")
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise ClaimInvalid("sub_attributes")
    number = optional_text(stated, "entity_reg_number")
    if not number:
        raise ClaimInvalid("entity_reg_number")
    names = {}
    for key in stated:
        name, _, tag = key.partition("#")
        if name == _NAME:
            value = optional_text(stated, key)
            if value is not None:
                names[tag or "en"] = value
    return OrganisationAttributes(
        entity_type=optional_text(stated, "entity_type"),
        registration_number=number,
        country_of_incorporation=optional_text(stated, "entity_coi"),
        status=optional_text(stated, "entity_status"),
        names=names,
    )


def level_of(acr: str | None, base: str) -> int:
    """Return the level 1 to 4 of an acr `<base>/loaN`; 0 for any other value."""
    prefix = f"{base.rstrip('/')}/"
    if acr is None or not acr.startswith(prefix):
        return 0
    found = _LEVEL.fullmatch(acr, len(prefix))
    return int(found.group(1)) if found else 0


def level_needed(minimum: str, base: str) -> int:
    """Return the level 1 to 4 of a minimum (`loa2`, or the whole URI). Raises ValueError."""
    short = _LEVEL.fullmatch(minimum)
    needed = int(short.group(1)) if short else level_of(minimum, base)
    if not needed:
        raise ValueError(f"{minimum!r} is not a level of assurance of this issuer")
    return needed


def require_level(acr: str | None, minimum: str | None, base: str) -> None:
    """Raise AssuranceTooLow unless `acr` is at least `minimum` (`loa2`, or the whole URI).

    Raises ValueError for a minimum that is no level.
    """
    if minimum is None:
        return
    needed = level_needed(minimum, base)
    if level_of(acr, base) < needed:
        raise AssuranceTooLow(f"loa{needed} is required")


def auth_time_of(
    claims: Mapping[str, Any], max_age: int | None, now: float, leeway: int
) -> int | None:
    """Return when the person signed in, in epoch seconds; refuse it if `max_age` is passed.

    Raises ClaimInvalid, AuthenticationTooOld.
    """
    auth_time = optional_seconds(claims, "auth_time")
    if auth_time is not None and auth_time > now + leeway:
        raise ClaimInvalid("auth_time")
    if max_age is not None:
        if auth_time is None:
            raise ClaimInvalid("auth_time")
        if auth_time + max_age + leeway < now:
            raise AuthenticationTooOld
    return auth_time


def optional_text(claims: Mapping[str, Any], name: str) -> str | None:
    """Return a text claim, None when absent. Raises ClaimInvalid for another type."""
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise ClaimInvalid(name)
    return value


def optional_seconds(claims: Mapping[str, Any], name: str) -> int | None:
    """Return a NumericDate in whole seconds, None when absent. Raises ClaimInvalid."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimInvalid(name)
    return int(value)


def texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return an array of texts, empty when absent. Raises ClaimInvalid."""
    value = claims.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ClaimInvalid(name)
    return tuple(value)
