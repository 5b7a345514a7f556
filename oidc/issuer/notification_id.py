"""The ``notification_id`` (OpenID4VCI 1.0, 8.3): the host's name of the credential, and a MAC.

It needs no row and no index of its own: whoever can show one was given it.
"""

import hmac

from keys import base64url
from oidc.secrets import TokenHasher

_SEPARATOR = "."
_MAC_BYTES = 16


def new_notification_id(credential_id: str, hasher: TokenHasher) -> str:
    """The id that goes to the wallet together with the credential."""
    return f"{credential_id}{_SEPARATOR}{_mac(credential_id, hasher)}"


def credential_of(notification_id: str, hasher: TokenHasher) -> str | None:
    """Which credential a wallet means; None when the id is none of ours."""
    credential_id, _, mac = notification_id.rpartition(_SEPARATOR)
    if hmac.compare_digest(mac.encode(), _mac(credential_id, hasher).encode()):
        return credential_id
    return None


def _mac(credential_id: str, hasher: TokenHasher) -> str:
    return base64url.encode(hasher.hash(f"notification\x00{credential_id}")[:_MAC_BYTES])
