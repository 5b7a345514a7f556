"""Relying parties: a client, and its policy as intervals."""

from dataclasses import replace
from typing import Any, Final

import orjson
from sqlalchemy import bindparam, or_, select

from corpid.services.records import ClientRecord
from corpid.storage.constructs import (
    MAX_ROWS,
    adding,
    adding_once,
    adding_or_replacing,
    changing,
    given,
    table,
)
from corpid.storage.mapping import json_text
from corpid.storage.repositories.operations import bump
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_client = table("client")
_policy = table("client_policy")
_sector = table("sector")

_WHOLE: Final = select(
    _client.c.client_id,
    _client.c.sector,
    _policy.c.metadata_json,
    _policy.c.secret_hash,
    _client.c.created_at,
    _policy.c.recorded_at,
    _client.c.disabled_at,
).join_from(_client, _policy, _client.c.client_id == _policy.c.client_id)
_BY_ID: Final = Statement(_WHOLE.where(given(_client.c.client_id), _policy.c.ended_at.is_(None)))
_AT: Final = Statement(
    _WHOLE.where(
        given(_client.c.client_id),
        _policy.c.recorded_at <= bindparam("at"),
        or_(_policy.c.ended_at.is_(None), _policy.c.ended_at > bindparam("at")),
    )
    .order_by(_policy.c.recorded_at.desc())
    .limit(1)
)
_ALL: Final = Statement(
    _WHOLE.where(_policy.c.ended_at.is_(None))
    .order_by(_client.c.created_at, _client.c.client_id)
    .limit(bindparam("limit"))
)
_ADD_SECTOR: Final = adding_once(_sector)
_ADD: Final = adding(_client)
_ADD_POLICY: Final = adding_or_replacing(_policy)
_END_POLICY: Final = changing(
    _policy,
    given(_policy.c.client_id),
    _policy.c.ended_at.is_(None),
    _policy.c.recorded_at != bindparam("now"),
    ended_at=bindparam("now"),
)
_END_POLICY_AT: Final = changing(
    _policy,
    given(_policy.c.client_id),
    _policy.c.ended_at.is_(None),
    _policy.c.recorded_at != bindparam("now"),
    ended_at=bindparam("at"),
)
_ENABLE: Final = changing(_client, given(_client.c.client_id), disabled_at=None)
_DISABLE: Final = changing(
    _client,
    given(_client.c.client_id),
    _client.c.disabled_at.is_(None),
    disabled_at=bindparam("now"),
)


class SqlClients(Repository):
    """``services.ports.Clients``. Every change raises the counter ``clients``."""

    __slots__ = ()

    async def by_id(self, client_id: str) -> ClientRecord | None:
        """The client as it is registered now, disabled ones too."""
        row = await self._in.reads.one(_BY_ID, client_id=client_id)
        return None if row is None else _record(row)

    async def at(self, client_id: str, at_ms: int) -> ClientRecord | None:
        """The client as it was registered at an instant."""
        row = await self._in.reads.one(_AT, client_id=client_id, at=at_ms)
        if row is None:
            return None
        *known, disabled_at = row
        return _record((*known, disabled_at if disabled_at and disabled_at <= at_ms else None))

    async def all(self, limit: int = MAX_ROWS) -> list[ClientRecord]:
        """Every client, in the order of registration."""
        return [_record(row) for row in await self._in.reads.all(_ALL, limit=limit)]

    async def add(self, client: ClientRecord) -> None:
        """Register a client, and its sector where that is new."""
        writes = self._in.writes
        await writes.execute(_ADD_SECTOR, sector=client.sector, created_at=client.created_at)
        await writes.execute(
            _ADD,
            client_id=client.client_id,
            sector=client.sector,
            created_at=client.created_at,
            disabled_at=client.disabled_at,
        )
        await self._add_policy(client)

    async def replace_policy(self, client: ClientRecord) -> None:
        """End the policy in force at ``client.recorded_at`` and add this one from then on."""
        await self._in.writes.execute(
            _END_POLICY, client_id=client.client_id, now=client.recorded_at
        )
        await self._add_policy(client)

    async def _add_policy(self, client: ClientRecord) -> None:
        await self._in.writes.execute(
            _ADD_POLICY,
            client_id=client.client_id,
            recorded_at=client.recorded_at,
            ended_at=None,
            metadata_json=json_text(client.metadata),
            secret_hash=client.secret_hash,
        )
        await bump(self._in.writes, "clients")

    async def disable(self, client_id: str, now_ms: int) -> bool:
        """Disable a client; False when it was disabled before, or is not known."""
        changed = await self._in.writes.execute(_DISABLE, client_id=client_id, now=now_ms)
        await bump(self._in.writes, "clients")
        return changed == 1

    async def enable(self, client: ClientRecord, now_ms: int) -> None:
        """End the policy when the client was disabled, and begin it anew now."""
        writes = self._in.writes
        await writes.execute(
            _END_POLICY_AT, client_id=client.client_id, at=client.disabled_at, now=now_ms
        )
        await writes.execute(_ENABLE, client_id=client.client_id)
        await self._add_policy(replace(client, recorded_at=now_ms, disabled_at=None))


def _record(row: tuple[Any, ...]) -> ClientRecord:
    client_id, sector, text, secret_hash, created_at, recorded_at, disabled_at = row
    return ClientRecord(
        client_id, sector, orjson.loads(text), secret_hash, created_at, recorded_at, disabled_at
    )
