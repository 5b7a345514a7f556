"""What trust in wallet providers needs from storage; part of ``services.ports``."""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from keys.record import record

PROVIDER_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")


@record
class WalletProvider:
    """Who is trusted to attest wallets or keys, from ``added_at`` to ``removed_at`` (epoch ms).

    ``issuer`` is what ``iss`` of its attestations says. ``certificates`` are the trust anchors of
    its chains, base64 of their DER; ``jwks`` is its public key set. ``attests`` is what it is
    believed about: ``wallets``, ``keys``.
    """

    provider_id: str
    title: str
    issuer: str | None
    certificates: tuple[str, ...]
    jwks: Mapping[str, Any] | None
    attests: tuple[str, ...]
    added_at: int
    removed_at: int | None = None


class WalletProviders(Protocol):
    """Trusted wallet providers. Whoever changes them raises the counter ``clients``."""

    async def trusted(self) -> list[WalletProvider]:
        """Those that are trusted now, by id."""

    async def all(self) -> list[WalletProvider]:
        """Those that were trusted once, too; by id, each in the order of time."""

    async def add(self, provider: WalletProvider) -> None: ...
    async def remove(self, provider_id: str, now_ms: int) -> bool:
        """Trust it no longer; False when it is not trusted."""
