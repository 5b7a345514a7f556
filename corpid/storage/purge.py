"""Deleting what has outlived its use: docs/storage.md has the table of lifetimes.

What is deleted here has no effect any more: it is refused by its own instants long before. Audit,
credentials, status entries and register facts stay.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, bindparam, exists, func, or_, select, tuple_

from corpid.storage.constructs import removing, table
from corpid.storage.interface import Database, Transaction
from corpid.storage.statement import Statement
from oidc import dated

BATCH: Final = 500
"""Rows in one transaction: a few milliseconds, during which nobody else can write."""

_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE

REUSE_SEEN: Final = 10 * _MINUTE
"""Milliseconds that a code or pushed request is kept after its end, to notice a second use."""

OFFERS_KEPT: Final = 30 * _DAY
"""Milliseconds that an offer is kept after its end: its holder may ask what became of it."""

TOKENS_KEPT: Final = 30 * _DAY
"""Milliseconds that an initial access token is kept after its end: who looks sees that it ended."""

HISTORY_KEPT: Final = 1096 * _DAY
"""Milliseconds that what a status was is kept after it changed: longer than can be asked for."""

DELIVERED_KEPT: Final = 7 * _DAY
"""Milliseconds that a delivered message is kept."""

UNDELIVERED_KEPT: Final = 30 * _DAY
"""Milliseconds that a message is kept that nobody takes."""

_replay = table("replay")
_pushed = table("pushed_request")
_polled = table("polled_request")
_interaction = table("interaction")
_code = table("authorization_code")
_access = table("access_token")
_narrowed = table("narrowed_token")
_refresh = table("refresh_token")
_grant = table("authorization_grant")
_session = table("session")
_offer = table("credential_offer")
_deferred = table("deferred_issuance")
_batch_of_issuances = table("issuance_batch")
_outbox = table("outbox")
_guess = table("guess")
_managed = table("managed_grant")
_registration_token = table("registration_token")
_history = table("status_history")


def _batch(of: Table, *conditions: ColumnElement[bool]) -> tuple[Statement, Statement]:
    """What removes a batch, and what counts all of it."""
    keys = list(of.primary_key)
    doomed = select(*keys).where(*conditions).limit(bindparam("batch"))
    counting = Statement(select(func.count()).select_from(of).where(*conditions))
    key = keys[0] if len(keys) == 1 else tuple_(*keys)
    return removing(of, key.in_(doomed)), counting


def _expired(of: Table) -> tuple[Statement, Statement]:
    return _batch(of, of.c.expires_at < bindparam("before"))


def _expired_dated(of: Table) -> tuple[Statement, Statement]:
    """The same where the key begins with the instant, so that no index is needed."""
    (key,) = of.primary_key
    return _batch(of, key < bindparam("before_key"), of.c.expires_at < bindparam("before"))


_ITS_SESSION: Final = exists().where(_session.c.session_id == _grant.c.session_id)

_DATED: Final = frozenset(
    {"pushed_request", "authorization_code", "access_token", "narrowed_token"}
)

# In this order: a grant goes after everything that hangs on it. No token outlives its grant, and a
# code lives a minute from its grant's beginning: they are gone, or as dead as the grant, when that
# has been over for a while.
_RULES: Final[tuple[tuple[str, tuple[Statement, Statement], int], ...]] = (
    ("replay", _expired(_replay), 0),
    ("pushed_request", _expired_dated(_pushed), REUSE_SEEN),
    ("polled_request", _expired(_polled), REUSE_SEEN),
    ("interaction", _expired(_interaction), 0),
    ("authorization_code", _expired_dated(_code), REUSE_SEEN),
    ("access_token", _expired_dated(_access), 0),
    ("narrowed_token", _expired_dated(_narrowed), 0),
    ("refresh_token", _expired(_refresh), 0),
    ("session", _expired(_session), 0),
    ("managed_grant", _expired(_managed), REUSE_SEEN),
    (
        "authorization_grant",
        # As long as its session goes on, which the same person's next sign-in prolongs, it says
        # whom to tell of the session's end.
        _batch(_grant, _grant.c.expires_at < bindparam("before"), ~_ITS_SESSION),
        REUSE_SEEN,
    ),
    ("guess", _expired(_guess), 0),
    ("registration_token", _expired(_registration_token), TOKENS_KEPT),
    ("credential_offer", _expired(_offer), OFFERS_KEPT),
    ("deferred_issuance", _expired(_deferred), OFFERS_KEPT),
    ("issuance_batch", _expired(_batch_of_issuances), 0),
    (
        "status_history",
        _batch(_history, _history.c.until < bindparam("before")),
        HISTORY_KEPT,
    ),
    (
        "outbox",
        _batch(
            _outbox,
            or_(
                _outbox.c.delivered_at < bindparam("before"),
                # What nobody took is given up: the table must not grow without bound.
                _outbox.c.created_at < bindparam("before") - (UNDELIVERED_KEPT - DELIVERED_KEPT),
            ),
        ),
        DELIVERED_KEPT,
    ),
)


async def purge(
    database: Database,
    now_ms: int,
    batch: int = BATCH,
    pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> dict[str, int]:
    """Delete what has outlived its use; the number of deleted rows by table.

    Each batch is a transaction of its own, with ``pause`` (seconds) as long as it took after it,
    because the engine does not hand the write lock on in order. Two purges at once do no harm.
    """
    deleted: dict[str, int] = {}
    for name, (statement, _), kept in _RULES:
        deleted[name] = 0
        while True:
            began = time.perf_counter()
            count = await database.bulk(_unit(statement, _bounds(name, now_ms - kept), batch))
            deleted[name] += count
            if count < batch:
                break
            await pause(time.perf_counter() - began)
    return deleted


async def purgeable(database: Database, now_ms: int) -> dict[str, int]:
    """The number of rows by table that ``purge`` would delete now.

    Grants go after their tokens, so a purge may delete more of them than are counted before it.
    """
    counted = {}
    for name, (_, statement), kept in _RULES:
        row = await database.one(statement, **_bounds(name, now_ms - kept))
        counted[name] = 0 if row is None else int(row[0])
    return counted


def _bounds(name: str, before: int) -> dict[str, Any]:
    if name in _DATED:
        return {"before": before, "before_key": dated.instant(before)}
    return {"before": before}


def _unit(
    statement: Statement, bounds: dict[str, Any], batch: int
) -> Callable[[Transaction], Awaitable[int]]:
    async def unit(transaction: Transaction) -> int:
        return await transaction.execute(statement, batch=batch, **bounds)

    return unit
