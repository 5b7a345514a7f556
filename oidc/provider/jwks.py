"""The JWK Set that tokens verify with (RFC 7517 5)."""

from collections.abc import Mapping
from typing import Any

from oidc.documents import Document
from oidc.errors import OAuthError
from oidc.ports import Signers
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error


class JwksEndpoint:
    """GET /jwks: encoded again only when the published keys have changed."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._shown: Mapping[str, Any] | None = None
        self._document = Document({"keys": []})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
            return
        keys = self._signers.jwks()
        if keys != self._shown:
            self._shown, self._document = keys, Document(keys)
        await self._document.send(scope, send)
