"""Asking for a surer or more recent sign-in at a resource (RFC 9470)."""

from collections.abc import Collection
from typing import Final, Literal

ERROR: Final = "insufficient_user_authentication"
_DESCRIPTION: Final = "sign in again, as this challenge says"


def challenge(
    *,
    acr_values: tuple[str, ...],
    max_age: int | None,
    scheme: Literal["DPoP", "Bearer"],
    algs: Collection[str],
) -> str:
    """Return the `WWW-Authenticate` value of a 401 that asks for it (RFC 9470, 3)."""
    parts = [f'{scheme} error="{ERROR}"', f'error_description="{_DESCRIPTION}"']
    if acr_values:
        parts.append(f'acr_values="{" ".join(acr_values)}"')
    if max_age is not None:
        parts.append(f'max_age="{max_age}"')
    if scheme == "DPoP":
        parts.append(f'algs="{" ".join(sorted(algs))}"')  # RFC 9449, 7.1
    return ", ".join(parts)
