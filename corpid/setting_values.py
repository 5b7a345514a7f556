"""What single settings may say; each gives the value back, or a ValueError for the operator."""

import re
from ipaddress import ip_network
from typing import Final

_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,60}")
_DOCUMENT_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::\d{1,5})?")


def hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Names of hosts, with a port where it is another than 443, or a star.

    Raises:
        ValueError: one is neither.
    """
    for text in value:
        if text != "*" and not _DOCUMENT_HOST.fullmatch(text):
            raise ValueError(f"{text} is not a host in lower case such as rp.example, nor *")
    return value


def networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses or networks in CIDR notation.

    Raises:
        ValueError: one is neither.
    """
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            raise ValueError(f"{text} is not a network such as 10.20.0.0/16") from None
    return value


def header_name(value: str | None) -> str | None:
    """The name of a header, if any.

    Raises:
        ValueError: it cannot be one.
    """
    if value is not None and not _HEADER_NAME.fullmatch(value):
        raise ValueError("must be the name of a header, such as Client-Cert")
    return value
