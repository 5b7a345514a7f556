"""The grant types that work: the token endpoint serves them, discovery lists them."""

from collections.abc import Mapping
from typing import Final

from oidc.provider.grants import (
    authorization_code,
    ciba,
    client_credentials,
    device_code,
    pre_authorized_code,
    refresh_token,
    token_exchange,
)
from oidc.provider.token_request import GrantHandler

GRANTS: Final[Mapping[str, GrantHandler]] = {
    authorization_code.GRANT_TYPE: authorization_code.authorization_code,
    refresh_token.GRANT_TYPE: refresh_token.refresh_token,
    client_credentials.GRANT_TYPE: client_credentials.client_credentials,
    pre_authorized_code.GRANT_TYPE: pre_authorized_code.pre_authorized_code,
    device_code.GRANT_TYPE: device_code.device_code,
    ciba.GRANT_TYPE: ciba.ciba,
    token_exchange.GRANT_TYPE: token_exchange.token_exchange,
}
# OpenID4VCI 1.0, 6.1: client authentication is optional for this one alone.
ANONYMOUS: Final = frozenset({pre_authorized_code.GRANT_TYPE})
