"""The addresses that a relying party registers, each checked for what it is used for: pure."""

import re
from typing import Final
from urllib.parse import urlsplit

from corpid.domain.errors import InvalidValue

MAX_URI: Final = 2048
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
# RFC 8252 7.1: one slash, because the scheme is no registry's name and has no host.
_PRIVATE_USE: Final = re.compile(
    r"[a-z][a-z0-9+-]*(?:\.[a-z0-9][a-z0-9+-]*)+:/(?!/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?#]*"
)


def is_private_use(uri: str) -> bool:
    """Whether the address has a scheme of an application's own (RFC 8252 7.1), with a dot in it."""
    scheme, colon, _ = uri.partition(":")
    return bool(colon) and "." in scheme and "/" not in scheme


def check_redirect_uri(uri: str, *, private_use: bool = False) -> None:
    """Refuse what the browser must not be sent to (RFC 6749 3.1.2, RFC 9700 2.1).

    ``private_use`` lets it be a native application's: ``com.example.app:/path`` (RFC 8252 7.1).

    Raises:
        InvalidValue: and why.
    """
    if is_private_use(uri):
        _check_private_use(uri, private_use)
    else:
        check_web_address(uri, "the redirect URI")
    if "#" in uri:
        raise InvalidValue(f"the redirect URI {uri} has a fragment")
    if "*" in uri:
        raise InvalidValue(f"the redirect URI {uri} has a wildcard: each is registered as it is")


def _check_private_use(uri: str, allowed: bool) -> None:
    if not allowed:
        raise InvalidValue(
            "a redirect URI with a scheme of the application's own is for public native clients of "
            "the profile oidc; others begin with https://"
        )
    if len(uri) > MAX_URI or _PRIVATE_USE.fullmatch(uri) is None:
        raise InvalidValue(
            "a scheme of the application's own is a domain name in reverse, in lower case, with a "
            "path and no host: com.example.app:/callback"
        )


def check_web_address(uri: str, what: str) -> None:
    """Refuse what is not https, or http to a loopback host; ``what`` names it.

    Raises:
        InvalidValue: and why.
    """
    if len(uri) > MAX_URI or not uri.isascii() or not uri.isprintable() or " " in uri:
        raise InvalidValue(f"{what} is too long or has characters that no address has")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidValue(f"{what} {uri} is malformed: {error}") from error
    if not host or parts.username is not None:
        raise InvalidValue(f"{what} {uri} is not of the form https://host/path")
    if parts.scheme == "http" and host in LOOPBACK:
        return
    if parts.scheme != "https":
        raise InvalidValue(f"{what} {uri} must begin with https:// (http is for loopback only)")


def check_fetched_address(uri: str, what: str) -> None:
    """Refuse what we would not fetch: only https.

    Raises:
        InvalidValue: and why.
    """
    check_web_address(uri, what)
    if not uri.startswith("https://"):
        raise InvalidValue(f"{what} must begin with https://")


def check_resource(uri: str) -> None:
    """RFC 8707 2: an absolute URI without a fragment.

    Raises:
        InvalidValue: it is none.
    """
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise InvalidValue(f"the resource {uri} is malformed: {error}") from error
    if not parts.scheme or not (parts.netloc or parts.path) or "#" in uri or len(uri) > MAX_URI:
        raise InvalidValue(f"the resource {uri} is not an absolute URI without a fragment")
    if uri.split() != [uri]:
        raise InvalidValue(f"the resource {uri!r} has a blank")
