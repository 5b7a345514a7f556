"""How a relying party that asks by backchannel authentication (CIBA) is registered: pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from corpid.domain.errors import InvalidValue
from oidc.provider.backchannel_authentication import STRONG_METHODS
from oidc.provider.grants.ciba import GRANT_TYPE
from oidc.records import OPENID, PING, POLL

MODES: Final = (POLL, PING)


@dataclass(frozen=True, slots=True)
class BackchannelAuthentication:
    """CIBA Core 1.0, 4: how tokens are delivered, and where a ping goes."""

    delivery_mode: str | None = None
    notification_endpoint: str | None = None


def check(
    wanted: BackchannelAuthentication,
    grants: tuple[str, ...],
    method: str,
    scopes: tuple[str, ...],
    check_address: Callable[[str, str], None],
) -> None:
    """Whether this goes together.

    Raises:
        InvalidValue: it does not, and what to do.
    """
    if GRANT_TYPE not in grants:
        if wanted.delivery_mode is not None or wanted.notification_endpoint is not None:
            raise InvalidValue(f"backchannel authentication needs the grant type {GRANT_TYPE}")
        return
    if method not in STRONG_METHODS:
        raise InvalidValue("backchannel authentication needs a client that authenticates by a key")
    if OPENID not in scopes:
        raise InvalidValue("backchannel authentication needs the scope openid")
    if mode_of(wanted) not in MODES:
        raise InvalidValue(f"the delivery mode is one of {', '.join(MODES)}")
    if (mode_of(wanted) == PING) != (wanted.notification_endpoint is not None):
        raise InvalidValue("a notification endpoint belongs to the delivery mode ping")
    if wanted.notification_endpoint is not None:
        check_address(wanted.notification_endpoint, "the notification endpoint")


def mode_of(wanted: BackchannelAuthentication) -> str:
    """The delivery mode, by default poll."""
    return wanted.delivery_mode or POLL


def as_metadata(wanted: BackchannelAuthentication, grants: tuple[str, ...]) -> dict[str, Any]:
    """The members of the stored metadata (CIBA Core 1.0, 4)."""
    if GRANT_TYPE not in grants:
        return {}
    return {
        "backchannel_token_delivery_mode": mode_of(wanted),
        "backchannel_client_notification_endpoint": wanted.notification_endpoint,
    }
