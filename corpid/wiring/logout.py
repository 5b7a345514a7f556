"""Back-channel logout on its foundation: who signs the tokens, and how they leave."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from corpid.services.logout_delivery import AT_ONCE, BATCH, LogoutDelivery, Unreachable
from corpid.services.pairwise import representative
from corpid.settings import LOOPBACK_HOSTS
from corpid.wiring.foundation import Foundation
from corpid.wiring.outbound import outbound
from oidc.ports import FetchFailed
from oidc.provider.context import Provider
from oidc.provider.logout_token import mint_logout_token
from oidc.records import Client

PARAMETER: Final = "logout_token"  # Back-Channel Logout 1.0, 2.5
_FORM: Final = "application/x-www-form-urlencoded"


def logout_delivery(
    base: Foundation, provider: Provider, failed: Callable[[Exception], None]
) -> LogoutDelivery:
    """The worker; ``failed`` is told of what went wrong and will be tried again."""
    # A way of its own: relying parties that do not answer hold up nothing else that is fetched.
    way = outbound(
        base.settings,
        at_once=AT_ONCE * BATCH,
        # A service on loopback is one for trying things out, and so are its relying parties.
        plain_loopback=urlsplit(base.settings.issuer).hostname in LOOPBACK_HOSTS,
    )

    async def mint(
        client: Client, session_id: str, organisation_id: str | None, person_id: str | None
    ) -> str:
        subject = None
        if organisation_id is not None and person_id is not None:
            subject = representative(base.pairwise, client.sector, person_id, organisation_id)
        return await mint_logout_token(provider, client, session_id, subject)

    async def send(address: str, token: str) -> int:
        try:
            body = urlencode({PARAMETER: token}).encode()
            return await way.post(address, body, _FORM, max_bytes=0)
        except FetchFailed as error:
            raise Unreachable(str(error)) from None

    return LogoutDelivery(base.store, mint, send, base.clock, failed=failed)
