"""Pings of backchannel authentication on their foundation: how they leave."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from corpid.services.ping_delivery import AT_ONCE, PingDelivery, Unreachable
from corpid.settings import LOOPBACK_HOSTS
from corpid.wiring.foundation import Foundation
from corpid.wiring.outbound import outbound
from oidc.ports import FetchFailed

_JSON: Final = "application/json"


def ping_delivery(base: Foundation, failed: Callable[[Exception], None]) -> PingDelivery:
    """The worker; ``failed`` is told of what went wrong and will be tried again."""
    way = outbound(
        base.settings,
        at_once=AT_ONCE,
        plain_loopback=urlsplit(base.settings.issuer).hostname in LOOPBACK_HOSTS,
    )

    async def send(address: str, token: str, body: bytes) -> int:
        try:
            return await way.post(
                address, body, _JSON, max_bytes=0, authorization=f"Bearer {token}"
            )
        except FetchFailed as error:
            raise Unreachable(str(error)) from None

    return PingDelivery(base.store, base.master, send, base.clock, failed=failed)
