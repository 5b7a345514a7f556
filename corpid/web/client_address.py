"""The network address that a request comes from, as far as anybody reliable says it.

A forwarded address counts only from the proxies in the settings: anybody can send the header. An
address that is not public and not forwarded by one of them is a proxy's that nobody has named, or
this machine's own, and tells no visitors apart.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

from corpid.services.browsers import browser_label
from corpid.services.guessing import Visitor
from corpid.services.sessions import BROWSER, CookieRules
from corpid.web.forms import cookies_of

Network = IPv4Network | IPv6Network
_FORWARDED: Final = "x-forwarded-for"
_MAX_HOPS: Final = 20


def client_address(request: Any, proxies: Sequence[Network]) -> str | None:
    """The address of the browser, or None where none tells visitors apart."""
    peer = _address(request.client.host if request.client else "")
    if peer is None:
        return None
    if not any(peer in network for network in proxies):
        return str(peer) if peer.is_global else None
    # Each hop adds the address that it was asked from at the end: the last that is no proxy of
    # ours is as far as the header can be believed.
    hops = ",".join(request.headers.getlist(_FORWARDED)).split(",")
    for text in reversed(hops[-_MAX_HOPS:]):
        hop = _address(text)
        if hop is None:
            return None
        if not any(hop in network for network in proxies):
            return str(hop)
    return None


def visitor_of(request: Any, cookies: CookieRules, proxies: Sequence[Network]) -> Visitor:
    """Who tries to sign in, as far as the network and the cookie tell."""
    return Visitor(
        browser=cookies_of(request).get(cookies.name(BROWSER), ""),
        address=client_address(request, proxies),
        label=browser_label(request.headers.get("user-agent", "")),
    )


def _address(text: str) -> Any:
    """An address as proxies write it: also with a port, and IPv6 in brackets."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
