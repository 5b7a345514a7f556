"""The notification endpoint (OpenID4VCI 1.0, 11): what became of a credential in the wallet."""

from collections.abc import Mapping
from typing import Any

from oidc.errors import (
    InvalidNotificationId,
    InvalidNotificationRequest,
    InvalidRequest,
    OAuthError,
)
from oidc.issuer.context import Issuer
from oidc.issuer.issuing import burn, grant_of
from oidc.issuer.ports import IssuerWrites, NotificationEvent
from oidc.issuer.proved_id import credentials_of
from oidc.protected_resource import check_request, replayed
from oidc.request import Receive, Scope, Send, read_json, require_method
from oidc.response import NO_STORE, send_bytes, send_error

_MAX_ID = 4096  # it names every credential of a batch
_EVENTS = frozenset(event.value for event in NotificationEvent)


class NotificationEndpoint:
    """POST with an access token of the same holder; 204, however often the same is told."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._uri = issuer.config.url("/notification")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._take(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
            return
        headers = [*NO_STORE, *self._issuer.fresh_dpop_nonce()]
        await send_bytes(send, 204, headers, b"")

    async def _take(self, scope: Scope, receive: Receive) -> None:
        issuer = self._issuer
        require_method(scope, "POST")
        # 1. The access token and its DPoP proof.
        presented = await check_request(scope, issuer, issuer.store.access_token, uri=self._uri)
        grant = grant_of(presented)
        # 2. The request.
        notification_id, event = _read(await _body(scope, receive))
        credential_ids = credentials_of(notification_id, issuer.hasher)

        # 3. One transaction: burn the proof, take note.
        async def work(writes: IssuerWrites) -> tuple[bool, bool]:
            if not await burn(presented, writes):
                return False, False
            if not credential_ids:
                return True, False
            return True, await writes.notify(credential_ids, event, grant)

        fresh, known = await issuer.store.write(work)
        if not fresh:
            raise replayed()
        if not known:
            raise InvalidNotificationId("no credential of this holder has that notification_id")


async def _body(scope: Scope, receive: Receive) -> dict[str, Any]:
    try:
        return await read_json(scope, receive)
    except InvalidRequest as error:
        raise InvalidNotificationRequest(error.description) from None


def _read(body: Mapping[str, Any]) -> tuple[str, NotificationEvent]:
    notification_id, event = body.get("notification_id"), body.get("event")
    if not isinstance(notification_id, str) or not 0 < len(notification_id) <= _MAX_ID:
        raise InvalidNotificationRequest("notification_id is missing or not text")
    if not isinstance(event, str) or event not in _EVENTS:
        raise InvalidNotificationRequest(f"event is one of {', '.join(sorted(_EVENTS))}")
    return notification_id, NotificationEvent(event)
