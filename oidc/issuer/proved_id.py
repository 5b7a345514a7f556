"""Ids that wallets bring back (OpenID4VCI 1.0, 8.3): the host's own names, and a MAC.

They need no row and no index of their own: whoever can show one was given it.
"""

import hmac
from collections.abc import Sequence

from keys import base64url
from oidc.secrets import TokenHasher

_SEPARATOR = "."
_MAC_BYTES = 16
_NOTIFICATION = "notification"
_TRANSACTION = "transaction"


def new_notification_id(credential_ids: Sequence[str], hasher: TokenHasher) -> str:
    """The ``notification_id`` that goes to the wallet with the credentials of one response."""
    return _proved(_NOTIFICATION, _SEPARATOR.join(credential_ids), hasher)


def credentials_of(notification_id: str, hasher: TokenHasher) -> tuple[str, ...]:
    """Which credentials a wallet means; none when the id is not ours."""
    named = _named(_NOTIFICATION, notification_id, hasher)
    return () if named is None else tuple(named.split(_SEPARATOR))


def transaction_id(deferral_id: str, hasher: TokenHasher) -> str:
    """The ``transaction_id`` of an issuance that waits."""
    return _proved(_TRANSACTION, deferral_id, hasher)


def deferral_of(transaction: str, hasher: TokenHasher) -> str | None:
    """Which issuance a wallet means; None when the id is not ours."""
    return _named(_TRANSACTION, transaction, hasher)


def _proved(purpose: str, named: str, hasher: TokenHasher) -> str:
    return f"{named}{_SEPARATOR}{_mac(purpose, named, hasher)}"


def _named(purpose: str, value: str, hasher: TokenHasher) -> str | None:
    named, _, mac = value.rpartition(_SEPARATOR)
    right = hmac.compare_digest(mac.encode(), _mac(purpose, named, hasher).encode())
    return named if right else None


def _mac(purpose: str, named: str, hasher: TokenHasher) -> str:
    return base64url.encode(hasher.hash(f"{purpose}\x00{named}")[:_MAC_BYTES])
