"""Which addresses are connected to (RFC 6890)."""

import pytest

from corpid.outbound.addresses import may_connect, networks


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_public_addresses_are_connected_to(address: str) -> None:
    assert may_connect(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "ff02::1",
        "no address",
        "",
    ],
)
def test_special_use_addresses_are_not(address: str) -> None:
    assert not may_connect(address)


def test_an_operators_own_network_is_reached_and_no_other() -> None:
    own = networks(("10.20.0.0/16", "fd00:1::/32"))
    assert may_connect("10.20.3.4", own)
    assert may_connect("fd00:1::5", own)
    assert not may_connect("10.21.3.4", own)
    assert not may_connect("127.0.0.1", own)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "bank.example", "10.0.0.1/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        networks((text,))
