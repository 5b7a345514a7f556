"""The ``notification_id`` (OpenID4VCI 1.0, 8.3): the host's names of the credentials, and a MAC.

It needs no row and no index of its own: whoever can show one was given it.
"""

import hmac
from collections.abc import Sequence

from keys import base64url
from oidc.secrets import TokenHasher

_SEPARATOR = "."
_MAC_BYTES = 16


def new_notification_id(credential_ids: Sequence[str], hasher: TokenHasher) -> str:
    """The id that goes to the wallet together with the credentials of one response."""
    named = _SEPARATOR.join(credential_ids)
    return f"{named}{_SEPARATOR}{_mac(named, hasher)}"


def credentials_of(notification_id: str, hasher: TokenHasher) -> tuple[str, ...]:
    """Which credentials a wallet means; none when the id is not ours."""
    named, _, mac = notification_id.rpartition(_SEPARATOR)
    if hmac.compare_digest(mac.encode(), _mac(named, hasher).encode()):
        return tuple(named.split(_SEPARATOR))
    return ()


def _mac(named: str, hasher: TokenHasher) -> str:
    return base64url.encode(hasher.hash(f"notification\x00{named}")[:_MAC_BYTES])
