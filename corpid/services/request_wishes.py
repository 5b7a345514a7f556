"""What an authorization request says that it would like: pure readings of its parameters."""

from collections.abc import Mapping
from typing import Any, Final

from corpid.domain.business_number import InvalidBusinessNumber, parse_business_number
from corpid.domain.person import Assurance
from corpid.services.authorities import ActingAuthority
from oidc.ports import AuthorizationRequest

_BRN_HINT: Final = "brn:"


def hinted(login_hint: str | None, choices: tuple[ActingAuthority, ...]) -> ActingAuthority | None:
    """The organisation that ``login_hint=brn:12345678`` names."""
    if login_hint is None or not login_hint.lower().startswith(_BRN_HINT):
        return None
    try:
        number = parse_business_number(login_hint[len(_BRN_HINT) :]).value
    except InvalidBusinessNumber:
        return None
    return next((one for one in choices if one.organisation.number == number), None)


def username_hint(request: AuthorizationRequest) -> str:
    """The user name that ``login_hint`` may be, for the form."""
    hint = request.login_hint or ""
    return "" if hint.lower().startswith(_BRN_HINT) else hint[:100]


def id_token_claims(request: AuthorizationRequest) -> Mapping[str, Any]:
    """What the ``claims`` parameter asks of the ID token."""
    wanted: Mapping[str, Any] = request.claims.get("id_token", {})
    return wanted


def required_subs(request: AuthorizationRequest) -> list[set[str]]:
    """The subjects that the client insists on, wherever it says so (OpenID Connect Core 5.5.1)."""
    found = []
    for place in request.claims.values():
        asked = place.get("sub") or {}
        if "value" in asked or "values" in asked:
            found.append(set(claim_values(asked)))
    return found


def acr_claim(request: AuthorizationRequest) -> Mapping[str, Any]:
    """How ``acr`` is asked for as a claim (OpenID Connect Core 5.5.1.1)."""
    asked: Mapping[str, Any] = id_token_claims(request).get("acr") or {}
    return asked


def claim_values(asked: Mapping[str, Any]) -> list[str]:
    """The texts that a claim is asked to have, by ``values`` or ``value``."""
    values = asked.get("values")
    listed = values if isinstance(values, list) else [asked.get("value")]
    return [value for value in listed if isinstance(value, str)]


def least(levels: list[Assurance]) -> list[Assurance]:
    """The weakest level, if there is any."""
    return [min(levels, key=lambda level: level.rank)] if levels else []
