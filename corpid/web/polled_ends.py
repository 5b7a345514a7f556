"""How pages end when no browser is sent back to a client: with an answer that waits for it."""

from typing import Final

from starlette.responses import Response

from corpid.services.interactions import BrowserInteractions
from corpid.services.waiting_interactions import Waiting
from corpid.web.rendering import Renderer, redirect_response
from oidc.errors import AccessDenied
from oidc.ports import Approval
from oidc.provider import polled
from oidc.provider.context import Provider
from oidc.provider.grants.ciba import GRANT_TYPE as CIBA

CONNECTED: Final = "/device/connected"
DECLINED: Final = "/device/declined"
REQUESTS: Final = "/requests"
APPROVED: Final = "/requests/approved"
REFUSED: Final = "/requests/refused"


class PolledEnds:
    """Writes the answer, and shows the person that it is there."""

    def __init__(
        self, provider: Provider, interactions: BrowserInteractions, renderer: Renderer
    ) -> None:
        self._provider = provider
        self._interactions = interactions
        self._base = renderer.base

    async def complete(
        self, waiting: Waiting, approval: Approval, cookies: tuple[str, ...]
    ) -> Response:
        """A yes.

        Raises:
            OAuthError: it was answered elsewhere meanwhile, or has expired.
        """
        assert waiting.polled is not None
        work = polled.approved(self._provider, waiting.request, approval, waiting.polled.record)
        try:
            await self._interactions.finish(waiting, approval, work, consented=False)
        except AccessDenied:
            return await self.refuse(waiting, approval.actor, cookies)
        end = APPROVED if waiting.polled.record.grant_type == CIBA else CONNECTED
        return redirect_response(self._base + end, cookies)

    async def refuse(
        self, waiting: Waiting, person_id: str | None, cookies: tuple[str, ...]
    ) -> Response:
        """A no, of whoever is signed in."""
        assert waiting.polled is not None
        also = polled.refused(self._provider, waiting.polled.record)
        await self._interactions.abandon(waiting, person_id, also)
        end = REFUSED if waiting.polled.record.grant_type == CIBA else DECLINED
        return redirect_response(self._base + end, cookies)
