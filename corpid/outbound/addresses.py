"""Which addresses of the internet the service connects to: public ones, and those an operator adds.

A URL that a stranger names must not lead into the operator's own network (CWE-918), whatever its
host name resolves to. The special-use registries (RFC 6890) are written out here, because what the
standard library calls global differs from one version of Python to the next.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_SPECIAL_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared with the carrier
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Only global unicast is looked at: that leaves out loopback, unique-local, link-local, multicast,
# and the ranges that carry an IPv4 address (mapped, NAT64).
_UNICAST_V6: Final = IPv6Network("2000::/3")
_SPECIAL_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Networks from their CIDR notation.

    Raises:
        ValueError: one is not a network.
    """
    return tuple(ip_network(text) for text in texts)


def may_connect(address: str, allowed: tuple[Network, ...] = ()) -> bool:
    """Whether this address is public, or in one of the operator's own networks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if any(found in network for network in allowed):
        return True
    return _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    if address.scope_id is not None or address not in _UNICAST_V6:
        return False
    return not any(address in network for network in _SPECIAL_V6)
