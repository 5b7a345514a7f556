"""grant_type=…:device_code (RFC 8628 3.4): a device asks whether its person has agreed."""

from typing import Final

from oidc.errors import UnauthorizedClient
from oidc.profiles import PROFILES
from oidc.provider import polled
from oidc.provider.token_request import Prepared, TokenRequest

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:device_code"


async def device_code(request: TokenRequest) -> Prepared:
    """The tokens of a device, bound to the key of this request's proof if it has one.

    Raises:
        UnauthorizedClient: the client's profile has no such grant.
        InvalidRequest: no device_code.
        OAuthError: what ``polled.fetch`` raises.
    """
    if not PROFILES[request.known_client.profile].device_grant:
        raise UnauthorizedClient("the client's profile has no device grant")
    return await polled.fetch(request, GRANT_TYPE, request.required("device_code"))
