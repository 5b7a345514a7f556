"""JWT VC Issuer Metadata (SD-JWT VC, section 4): the keys that this issuer's credentials verify
with, at a well-known path inserted before the issuer's own.
"""

from typing import Final

from oidc.documents import Document
from oidc.errors import OAuthError
from oidc.issuer.context import Issuer
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error

WELL_KNOWN: Final = "/.well-known/jwt-vc-issuer"


class JwtVcIssuerEndpoint:
    """GET: ``issuer`` and ``jwks`` (never ``jwks_uri`` besides: exactly one of them)."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
            return
        issuer = self._issuer
        document = Document({"issuer": issuer.config.issuer, "jwks": issuer.keys.credential_jwks()})
        await document.send(scope, send)
