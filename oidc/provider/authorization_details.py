"""Rich authorization requests (RFC 9396): what a request asks for beyond scopes.

The host decides what its types mean (``oidc.ports.DetailType``); here is what all types share:
the form of the parameter, which client may use which type, for which resource a detail is, and
that a token never has more than was granted.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from oidc.errors import InvalidAuthorizationDetails, InvalidTarget
from oidc.ports import Detail
from oidc.provider import resources
from oidc.provider.context import ProviderConfig
from oidc.records import Client

MAX_TEXT: Final = 8192
MAX_DETAILS: Final = 20
MAX_LOCATIONS: Final = 20
LOCATIONS: Final = "locations"
_PARAMETER: Final = "authorization_details"


def requested(
    parameters: Mapping[str, str], client: Client, config: ProviderConfig
) -> tuple[Detail, ...]:
    """The parameter's details, each as its type reads it; none when it is absent.

    Raises:
        InvalidAuthorizationDetails: RFC 9396 5.
        InvalidTarget: a detail is for a resource that this client may not ask tokens for.
    """
    text = parameters.get(_PARAMETER)
    return () if text is None else _read(text, client, config)


def granted(details: Iterable[Detail], config: ProviderConfig) -> tuple[Detail, ...]:
    """The details as they are granted, with what their types add (RFC 9396 7.1)."""
    return tuple(config.detail_types[detail["type"]].granted(detail) for detail in details)


def again(details: Iterable[Detail], client: Client, config: ProviderConfig) -> tuple[Detail, ...]:
    """Of what was granted before that which may still be asked for, as it would be asked for."""
    found = []
    for detail in details:
        try:
            found.append(_read_one(dict(detail), client, config))
        except (InvalidAuthorizationDetails, InvalidTarget):
            continue  # its day is over, or the registration has changed
    return tuple(found)


def narrowed(
    parameters: Mapping[str, str],
    had: tuple[Detail, ...],
    client: Client | None,
    config: ProviderConfig,
) -> tuple[Detail, ...] | None:
    """What a token request leaves of a grant's details (RFC 9396 6.1); None means all of them.

    ``client`` is None where what was granted does not depend on a registration.

    Raises:
        InvalidAuthorizationDetails: malformed, or more than was granted.
    """
    text = parameters.get(_PARAMETER)
    if text is None:
        return None
    wanted = granted(_read(text, client, config), config)
    for detail in wanted:
        kind = config.detail_types[detail["type"]]
        if not any(
            one["type"] == detail["type"] and _same_places(one, detail) and kind.covers(one, detail)
            for one in had
        ):
            raise InvalidAuthorizationDetails("authorization_details are more than was granted")
    return wanted


def refuse_without_person(parameters: Mapping[str, str]) -> None:
    """Refuse details where nobody is there to grant them: each of our types needs a person.

    Raises:
        InvalidAuthorizationDetails: there are some.
    """
    if _PARAMETER in parameters:
        raise InvalidAuthorizationDetails("authorization_details need a person who grants them")


def for_resource(details: Iterable[Detail], resource: str, config: ProviderConfig) -> list[Detail]:
    """Those that are meant for a resource: a detail without locations is for every one (2.2)."""
    return [
        detail
        for detail in details
        if LOCATIONS not in detail
        or any(
            resources.is_own(place, config) if resource == resources.OWN else place == resource
            for place in detail[LOCATIONS]
        )
    ]


def _read(text: str, client: Client | None, config: ProviderConfig) -> tuple[Detail, ...]:
    if len(text) > MAX_TEXT:
        raise InvalidAuthorizationDetails(
            f"authorization_details are longer than {MAX_TEXT} characters"
        )
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidAuthorizationDetails("authorization_details are not valid JSON") from None
    if not isinstance(value, list) or not value:
        raise InvalidAuthorizationDetails("authorization_details are an array that is not empty")
    if len(value) > MAX_DETAILS:
        raise InvalidAuthorizationDetails(f"there are more than {MAX_DETAILS} details")
    return tuple(_read_one(one, client, config) for one in value)


def _read_one(value: object, client: Client | None, config: ProviderConfig) -> Detail:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise InvalidAuthorizationDetails("each of authorization_details is an object with a type")
    name = value["type"]
    kind = config.detail_types.get(name)
    if kind is None:
        raise InvalidAuthorizationDetails("there is no such type of authorization_details here")
    if client is not None and name not in client.authorization_details_types:
        raise InvalidAuthorizationDetails(
            "this client is not registered for that type of authorization_details"
        )
    locations = _locations(value.get(LOCATIONS), client, config)
    own = {member: one for member, one in value.items() if member != LOCATIONS}
    detail = kind.read(own)
    return detail if locations is None else {**detail, LOCATIONS: locations}


def _locations(value: object, client: Client | None, config: ProviderConfig) -> list[str] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= MAX_LOCATIONS
        or not all(isinstance(one, str) for one in value)
    ):
        raise InvalidAuthorizationDetails("locations are an array of resources that is not empty")
    resources.check_allowed(value, client, config)
    return value


def _same_places(had: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a detail is asked for no further resources than it was granted for."""
    if LOCATIONS not in had:
        return True
    return LOCATIONS in wanted and set(wanted[LOCATIONS]) <= set(had[LOCATIONS])
