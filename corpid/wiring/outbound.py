"""The way to others' servers, as the settings have it."""

from typing import Any

from corpid.outbound.addresses import networks
from corpid.settings import Settings
from oidc.ports import Outbound


def outbound(settings: Settings, **more: Any) -> Outbound:
    """Make it. Loaded only where something is fetched, for most commands fetch nothing.

    ``more`` are other arguments of ``OutboundHttps``.
    """
    from corpid.outbound.https import OutboundHttps

    return OutboundHttps(
        networks=networks(settings.outbound_networks),
        authorities=settings.outbound_authorities,
        **more,
    )
