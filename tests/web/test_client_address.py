"""Which address a request is taken to come from: headers count from named proxies only."""

from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from corpid.web.client_address import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


def asked(peer: str | None, *forwarded: str) -> str | None:
    headers = Headers(raw=[(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded])
    client = None if peer is None else SimpleNamespace(host=peer)
    return client_address(SimpleNamespace(client=client, headers=headers), PROXIES)


def test_a_public_peer_is_the_visitor_whatever_it_claims() -> None:
    assert asked("8.8.8.8") == "8.8.8.8"
    assert asked("8.8.8.8", "1.1.1.1") == "8.8.8.8"


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "192.168.1.1", "::1", "172.18.0.5", "", "unix", None]
)
def test_a_peer_that_is_not_public_and_no_proxy_tells_nobody_apart(peer: str | None) -> None:
    assert asked(peer) is None
    assert asked(peer, "1.1.1.1") is None


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (("203.0.113.9",), "203.0.113.9"),
        (("1.1.1.1, 203.0.113.9",), "203.0.113.9"),  # the first is what the visitor claims
        (("1.1.1.1", "203.0.113.9"), "203.0.113.9"),
        (("203.0.113.9, 10.1.2.3, 10.9.9.9",), "203.0.113.9"),
        (("203.0.113.9:4711",), "203.0.113.9"),
        (("[2001:db8::9]:4711",), "2001:db8::9"),
        (("2001:db8::9",), "2001:db8::9"),
        (("::ffff:203.0.113.9",), "203.0.113.9"),
        (("192.168.7.7",), "192.168.7.7"),  # of this very network, and told by its proxy
        (("1.1.1.1, nonsense",), None),
        (("10.1.2.3",), None),
        (("",), None),
        ((), None),
    ],
)
def test_a_proxy_is_believed_the_last_hop_that_is_no_proxy(
    forwarded: tuple[str, ...], address: str | None
) -> None:
    assert asked("10.0.0.1", *forwarded) == address
    assert asked("::ffff:10.0.0.1", *forwarded) == address


def test_a_header_of_any_length_is_read_from_its_end() -> None:
    assert asked("10.0.0.1", "x, " * 20_000 + "203.0.113.9") == "203.0.113.9"
    assert asked("10.0.0.1", "10.0.0.1, " * 20_000) is None
