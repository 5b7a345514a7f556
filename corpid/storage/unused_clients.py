"""Clients that registered themselves and were never used: they go after a while.

Used is a client that a person or a business ever agreed to, or that has an authorization now. Its
history is evidence and stays. Of the others nothing depends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import bindparam, exists, func, select

from corpid.storage.constructs import removing, table
from corpid.storage.interface import Database, Transaction
from corpid.storage.repositories.operations import bump
from corpid.storage.statement import Statement

BATCH: Final = 50
"""Clients in one transaction."""

_registration = table("client_registration")
_client = table("client")
_policy = table("client_policy")
_sector = table("sector")
_consent = table("consent")
_grant = table("authorization_grant")
_mandate_status = table("mandate_status")

_UNUSED: Final = (
    _registration.c.registered_at < bindparam("before"),
    ~exists().where(_consent.c.client_id == _registration.c.client_id),
    ~exists().where(_grant.c.client_id == _registration.c.client_id),
)
_FIND: Final = Statement(
    select(_registration.c.client_id, _client.c.sector)
    .join_from(_registration, _client, _client.c.client_id == _registration.c.client_id)
    .where(*_UNUSED)
    .order_by(_registration.c.registered_at)
    .limit(bindparam("batch"))
)
_COUNT: Final = Statement(select(func.count()).select_from(_registration).where(*_UNUSED))
_REMOVE: Final = tuple(
    removing(of, of.c.client_id == bindparam("client_id"))
    for of in (_policy, _client, _registration)
)
# A sector that no client is in and that nobody was given a status entry for says nothing.
_REMOVE_SECTOR: Final = removing(
    _sector,
    _sector.c.sector == bindparam("sector"),
    ~exists().where(_client.c.sector == _sector.c.sector),
    ~exists().where(_mandate_status.c.sector == _sector.c.sector),
)


async def purge_unused_clients(
    database: Database,
    before_ms: int,
    batch: int = BATCH,
    pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> int:
    """Delete those that registered before that instant; their number."""
    deleted = 0
    while True:
        began = time.perf_counter()
        count = await database.bulk(_unit(before_ms, batch))
        deleted += count
        if count < batch:
            return deleted
        await pause(time.perf_counter() - began)


async def unused_clients(database: Database, before_ms: int) -> int:
    """How many ``purge_unused_clients`` would delete."""
    row = await database.one(_COUNT, before=before_ms)
    return 0 if row is None else int(row[0])


def _unit(before: int, batch: int) -> Callable[[Transaction], Awaitable[int]]:
    async def unit(transaction: Transaction) -> int:
        found = await transaction.all(_FIND, before=before, batch=batch)
        for client_id, sector in found:
            for statement in _REMOVE:
                await transaction.execute(statement, client_id=client_id)
            await transaction.execute(_REMOVE_SECTOR, sector=sector)
        if found:
            await bump(transaction, "clients")  # no process may go on with a cached one
        return len(found)

    return unit
