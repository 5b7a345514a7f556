"""The authority that a representative's credential states in the EU business-wallet's claim names.

It is the same authority that tokens state as `mandate`. The holder chooses which powers to show:
a power that is not shown is not granted. What narrows the authority (limit, services, dates,
whether to act alone) the issuer never lets be withheld.
"""

from collections.abc import Mapping
from typing import Any, Final

from corpid.relying_party.errors import ClaimInvalid
from corpid.relying_party.mandates import MANDATE_TYPE, Mandate, read_mandate
from oidc.formats.status_reference import StatusReference

_POWERS: Final = "scope_of_representation_powers"
_ROLE: Final = "person_role"
_NAMES: Final = {
    "scope_of_representation_services": "services",
    "scope_of_representation_power_of_substitution": "substitution",
    "limit": "limit",
    "signing_rule": "signing_rule",
    "validity_period_valid_from": "valid_from",
    "validity_period_valid_until": "valid_until",
}


def representative_mandate(
    claims: Mapping[str, Any], status: StatusReference | None
) -> tuple[Mandate, ...]:
    """Read the authority of a representative's credential; none where no power is shown.

    The mandate's id is empty, for a credential carries none, and its status is the credential's.

    Raises ClaimInvalid.
    """
    powers, role = claims.get(_POWERS), claims.get(_ROLE)
    if not powers or role is None:
        return ()
    if not isinstance(role, Mapping):
        raise ClaimInvalid(f"{_ROLE}: not an object")
    stated: dict[str, Any] = {
        "type": MANDATE_TYPE,
        "mandate_id": "of the credential",
        "powers": powers,
        "representation_type": role.get("representation_type"),
    }
    stated |= {ours: claims[theirs] for theirs, ours in _NAMES.items() if theirs in claims}
    read = read_mandate(stated)
    return (Mandate("", read.terms, status),)
