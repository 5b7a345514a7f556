"""The nonce endpoint (OpenID4VCI 1.0, 7): a fresh c_nonce for anybody who asks."""

from oidc.errors import OAuthError
from oidc.issuer.context import Issuer
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error, send_json


class NonceEndpoint:
    """POST, without authentication. The nonce is a MAC: nothing is stored."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the body, if any, is not read (7.1 defines none)."""
        try:
            require_method(scope, "POST")
        except OAuthError as error:
            await send_error(send, error)
            return
        issuer = self._issuer
        nonce = issuer.credential_nonces.issue(issuer.clock(), issuer.random)
        await send_json(send, {"c_nonce": nonce}, headers=issuer.fresh_dpop_nonce())
