"""Credential offers by reference (OpenID4VCI 1.0, 4.1.3): the document behind the URI."""

import re

from oidc.errors import InvalidRequest, OAuthError
from oidc.issuer.context import Issuer
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error, send_json

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class OfferEndpoint:
    """GET at ``…/offers/{id}``: JSON, never signed, never cached (it holds the code)."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET")
            offer_id = str(scope["path"]).rpartition("/")[2]
            known = _ID.fullmatch(offer_id) is not None
            found = await self._issuer.store.offer(offer_id) if known else None
            if found is None:
                raise InvalidRequest(
                    "this offer is unknown, was used, or has expired: ask for another", status=404
                )
        except OAuthError as error:
            await send_error(send, error)
            return
        await send_json(send, found)
