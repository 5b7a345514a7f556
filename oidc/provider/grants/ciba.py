"""grant_type=urn:openid:params:grant-type:ciba (CIBA Core 1.0, 10): poll and ping."""

from typing import Final

from oidc.provider import polled
from oidc.provider.token_request import Prepared, TokenRequest

GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"
AUTH_REQ_ID_CLAIM: Final = "urn:openid:params:jwt:claim:auth_req_id"


async def ciba(request: TokenRequest) -> Prepared:
    """The tokens of a request that its person has approved.

    Raises:
        InvalidRequest: no auth_req_id.
        OAuthError: what ``polled.fetch`` raises.
    """
    auth_req_id = request.required("auth_req_id")
    return await polled.fetch(request, GRANT_TYPE, auth_req_id, {AUTH_REQ_ID_CLAIM: auth_req_id})
