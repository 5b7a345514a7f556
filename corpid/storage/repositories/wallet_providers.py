"""Trusted wallet providers."""

from typing import Any, Final

import orjson
from sqlalchemy import bindparam, select

from corpid.services.wallet_provider_ports import WalletProvider
from corpid.storage.constructs import MAX_ROWS, adding, changing, given, table
from corpid.storage.mapping import json_text, words
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_provider = table("wallet_provider")

_BY_ID: Final = select(*_provider.c).order_by(_provider.c.provider_id, _provider.c.added_at)
_TRUSTED: Final = Statement(
    _BY_ID.where(_provider.c.removed_at.is_(None)).limit(bindparam("limit"))
)
_ALL: Final = Statement(_BY_ID.limit(bindparam("limit")))
_ADD: Final = adding(_provider)
_REMOVE: Final = changing(
    _provider,
    given(_provider.c.provider_id),
    _provider.c.removed_at.is_(None),
    removed_at=bindparam("now"),
)


class SqlWalletProviders(Repository):
    """``services.wallet_provider_ports.WalletProviders``."""

    __slots__ = ()

    async def trusted(self) -> list[WalletProvider]:
        """See the port."""
        return [_read(row) for row in await self._in.reads.all(_TRUSTED, limit=MAX_ROWS)]

    async def all(self) -> list[WalletProvider]:
        """See the port."""
        return [_read(row) for row in await self._in.reads.all(_ALL, limit=MAX_ROWS)]

    async def add(self, provider: WalletProvider) -> None:
        """Trust it from now on."""
        await self._in.writes.execute(
            _ADD,
            provider_id=provider.provider_id,
            title=provider.title,
            issuer=provider.issuer,
            certificates=words(provider.certificates),
            jwks=None if provider.jwks is None else json_text(provider.jwks),
            attests=words(provider.attests),
            added_at=provider.added_at,
            removed_at=provider.removed_at,
        )

    async def remove(self, provider_id: str, now_ms: int) -> bool:
        """See the port."""
        return bool(await self._in.writes.execute(_REMOVE, provider_id=provider_id, now=now_ms))


def _read(row: tuple[Any, ...]) -> WalletProvider:
    provider_id, title, issuer, certificates, jwks, attests, added_at, removed_at = row
    return WalletProvider(
        provider_id,
        title,
        issuer,
        tuple(certificates.split()),
        None if jwks is None else orjson.loads(jwks),
        tuple(attests.split()),
        added_at,
        removed_at,
    )
