"""Resource indicators (RFC 8707): for whom an access token is meant.

``OWN`` (no audience) stands for our own endpoints, which take opaque tokens; any other value is
the audience of a JWT access token.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from oidc.errors import InvalidTarget
from oidc.provider.context import ProviderConfig
from oidc.provider.endpoints import CREDENTIAL, USERINFO
from oidc.records import Client

OWN: Final = ""
REPEATABLE: Final = frozenset({"resource"})
"""The one parameter that may be sent several times (RFC 8707 2); its values come with blanks
between them."""
MAX_RESOURCES: Final = 20


def is_own(resource: str, config: ProviderConfig) -> bool:
    """Whether a resource parameter names ourselves: the issuer (as wallets send it, OpenID4VCI
    1.0, 5.1.2) or one of our protected resources (as their RFC 9728 metadata names them).
    """
    return resource == config.issuer or resource in {config.url(USERINFO), config.url(CREDENTIAL)}


def requested(
    parameters: Mapping[str, str], client: Client, config: ProviderConfig
) -> tuple[str, ...]:
    """The resources that an authorization request names, each once, in its order.

    Raises:
        InvalidTarget: one is unknown, malformed or not this client's, or there are too many.
    """
    named = tuple(dict.fromkeys(parameters.get("resource", "").split(" ")))
    if named == ("",):
        return ()
    if len(named) > MAX_RESOURCES:
        raise InvalidTarget(f"there are more than {MAX_RESOURCES} resources")
    check_allowed(named, client, config)
    return named


def check_allowed(resources: Iterable[str], client: Client | None, config: ProviderConfig) -> None:
    """Refuse a resource that this client may not ask tokens for; an anonymous one only ours.

    Raises:
        InvalidTarget: RFC 8707 2.
    """
    registered = frozenset[str]() if client is None else client.resources
    for resource in resources:
        if resource not in registered and not is_own(resource, config):
            raise InvalidTarget("this client may not ask for access tokens for that resource")


def choose(
    requested: str | None, granted: tuple[str, ...], client: Client, config: ProviderConfig
) -> str:
    """The audience of an access token under a grant: the requested one, else the only one.

    Raises:
        InvalidTarget: not granted, no longer allowed to the client, or not exactly one is named
            where several were granted: each access token is for one resource.
    """
    if requested is None:
        if not granted:
            return OWN
        if len(granted) > 1:
            raise InvalidTarget("several resources were granted: name one by resource")
        requested = granted[0]
    elif " " in requested:
        raise InvalidTarget("an access token is for one resource: ask once for each")
    elif requested not in granted and not is_own(requested, config):
        raise InvalidTarget("that resource is not part of the grant")
    check_allowed((requested,), client, config)
    return OWN if is_own(requested, config) else requested
