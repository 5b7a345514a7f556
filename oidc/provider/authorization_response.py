"""How an authorization response reaches the client: by address or by form, plain or as a JWT.

Response modes are OAuth 2.0 Form Post Response Mode's and JARM's. In a JWT all parameters stand
inside, ``iss`` too, and none outside (JARM 4.1, FAPI 2.0 Message Signing 5.4.1).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from keys import jws
from keys.record import record
from oidc.profiles import FORM_POST, FORM_POST_JWT, JWT, PROFILES, QUERY, SIGNED_MODES
from oidc.provider.context import Provider
from oidc.provider.tokens import PURPOSE
from oidc.records import Client

LIFETIME_SECONDS: Final = 300  # JARM 4.1 recommends at most ten minutes
_TYPE: Final = "JWT"


@record
class AuthorizationResponse:
    """Where the browser goes: by redirect to ``location``, or by posting ``fields`` there."""

    location: str
    fields: Mapping[str, str] | None = None


def allowed_modes(client: Client) -> frozenset[str]:
    """The response modes of the client's profile, or those of them that it registered."""
    modes = PROFILES[client.profile].response_modes
    return modes if client.response_modes is None else modes.intersection(client.response_modes)


def mode_for_errors(parameters: Mapping[str, str], client: Client) -> str:
    """The mode that was asked for, or where that may not be used one that may."""
    allowed = allowed_modes(client)
    wanted = parameters.get("response_mode", QUERY)
    for mode in (wanted, QUERY, JWT):
        if mode in allowed:
            return mode
    return min(allowed, default=QUERY)


async def make_response(
    provider: Provider,
    client: Client,
    redirect_uri: str,
    response_mode: str,
    parameters: Mapping[str, str | None],
) -> AuthorizationResponse:
    """The response with those ``parameters``, and with ``iss`` (RFC 9207) in every mode."""
    known = {name: value for name, value in parameters.items() if value is not None}
    answer: dict[str, str] = {**known, "iss": provider.config.issuer}
    if response_mode in SIGNED_MODES:
        now = int(provider.clock())
        claims = {
            **answer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        signer = provider.signers.signer(PURPOSE, client.authorization_signed_response_alg)
        answer = {"response": await jws.sign(signer, claims, typ=_TYPE)}
    if response_mode in {FORM_POST, FORM_POST_JWT}:
        return AuthorizationResponse(redirect_uri, answer)
    return AuthorizationResponse(_with_query(redirect_uri, answer))


def _with_query(uri: str, answer: Mapping[str, str]) -> str:
    query = urlencode(answer)
    if "?" not in uri:
        return f"{uri}?{query}"
    return f"{uri}{query}" if uri.endswith(("?", "&")) else f"{uri}&{query}"
