"""The way to others' servers, as the settings have it."""

from typing import TYPE_CHECKING, Any

from corpid.outbound.addresses import networks
from corpid.settings import Settings

if TYPE_CHECKING:
    from corpid.outbound.https import OutboundHttps


def outbound(settings: Settings, **more: Any) -> "OutboundHttps":
    """Make it. Loaded only where something is fetched, for most commands fetch nothing.

    ``more`` are other arguments of ``OutboundHttps``.
    """
    from corpid.outbound.https import OutboundHttps

    return OutboundHttps(
        networks=networks(settings.outbound_networks),
        authorities=settings.outbound_authorities,
        **more,
    )
