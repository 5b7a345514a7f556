"""Keys, sealed secrets, facts about the database, audit, outbox, change counters."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, cast

import orjson
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from corpid.domain.identifiers import ordered_id
from corpid.services.records import AuthorityRow, OutboxMessage
from corpid.storage.constructs import (
    MAX_ROWS,
    adding,
    adding_or_replacing,
    changing,
    finding,
    given,
    table,
)
from corpid.storage.interface import Transaction
from corpid.storage.mapping import json_bytes, json_text, words
from corpid.storage.scope import CHANGES, Repository, Scope
from corpid.storage.statement import Statement
from keys.ring import KeyRecord, Purpose

_key = table("signing_key")
_secret = table("secret")
_meta = table("meta")
_audit = table("audit")
_outbox = table("outbox")
_change = table("change")
_authority = table("certificate_authority")

_KEYS: Final = Statement(select(*_key.c).order_by(_key.c.created_at, _key.c.kid))
_ADD_KEY: Final = adding(_key)
_UPDATE_KEY: Final = changing(
    _key,
    given(_key.c.kid),
    sealed_private=bindparam("sealed"),
    certificates=bindparam("chain"),
    publish_at=bindparam("publish"),
    activate_at=bindparam("activate"),
    retire_at=bindparam("retire"),
    remove_at=bindparam("remove"),
    destroyed_at=bindparam("destroyed"),
)
_AUTHORITIES: Final = finding(_authority)
_ADD_AUTHORITY: Final = adding(_authority)
_SET_REVOCATION_LIST: Final = changing(
    _authority, given(_authority.c.name), revocation_list=bindparam("der")
)
_SECRETS: Final = Statement(select(_secret.c.name, _secret.c.sealed))
_ADD_SECRET: Final = adding(_secret)
_META: Final = finding(_meta)
_SET_META: Final = adding_or_replacing(_meta)
_ADD_AUDIT: Final = adding(_audit)
_LATEST: Final = select(_audit.c.body).order_by(_audit.c.audit_id.desc()).limit(bindparam("limit"))
_AUDIT_ROWS: Final = Statement(_LATEST)
_AUDIT_ROWS_OF: Final = Statement(_LATEST.where(given(_audit.c.event)))
_ENQUEUE: Final = adding(_outbox)
_CHANGES: Final = finding(_change)
_SQLITE_BUMP: Final = sqlite_insert(_change).values(topic=bindparam("topic"), value=1)
_POSTGRESQL_BUMP: Final = postgresql_insert(_change).values(topic=bindparam("topic"), value=1)
_BUMP: Final = Statement.per_dialect(
    sqlite=_SQLITE_BUMP.on_conflict_do_update(
        index_elements=["topic"], set_={"value": _change.c.value + 1}
    ),
    postgresql=_POSTGRESQL_BUMP.on_conflict_do_update(
        index_elements=["topic"], set_={"value": _change.c.value + 1}
    ),
)


async def bump(transaction: Transaction, topic: str) -> None:
    """Raise a change counter, and tell the other processes once this has committed."""
    await transaction.execute(_BUMP, topic=topic)
    await transaction.notify(CHANGES)


async def changes(scope: Scope) -> Mapping[str, int]:
    """The change counters; one that was never raised is absent."""
    if scope.locking:  # a transaction sees more than is committed: it asks for itself
        return await _read_changes(scope)
    known = scope.counters.values()
    if known is None:
        turn = scope.counters.turn()
        known = await _read_changes(scope)
        scope.counters.saw(known, turn)
    return known


async def _read_changes(scope: Scope) -> Mapping[str, int]:
    return dict(cast("list[tuple[str, int]]", await scope.reads.all(_CHANGES)))


async def add_audit(scope: Scope, event: str, facts: Mapping[str, object]) -> None:
    """Append to the audit trail: ``{"at": epoch ms, "event": …, "facts": {…}}``, canonical."""
    now_ms = scope.now_ms()
    body = json_bytes({"at": now_ms, "event": event, "facts": facts})
    await scope.writes.execute(
        _ADD_AUDIT,
        audit_id=ordered_id(now_ms, scope.random),
        recorded_at=now_ms,
        event=event,
        body=body,
        digest=hashlib.sha256(body).digest(),
    )


class SqlOperations(Repository):
    """``services.ports.Operations``."""

    __slots__ = ()

    async def keys(self) -> list[KeyRecord]:
        """Every key of every ring, oldest first."""
        return [_key_record(row) for row in await self._in.reads.all(_KEYS)]

    async def add_key(self, record: KeyRecord) -> None:
        """Add a key, and raise the counter ``keys``."""
        await self._in.writes.execute(
            _ADD_KEY,
            kid=record.kid,
            purpose=record.purpose,
            alg=record.alg,
            public_jwk=json_text(record.public_jwk),
            sealed_private=record.sealed_private,
            certificates=words(record.x5c),
            created_at=record.created_at,
            publish_at=record.publish_at,
            activate_at=record.activate_at,
            retire_at=record.retire_at,
            remove_at=record.remove_at,
            destroyed_at=record.destroyed_at,
        )
        await bump(self._in.writes, "keys")

    async def update_key(self, record: KeyRecord) -> None:
        """Write a key's instants, certificates and private part; raise the counter ``keys``."""
        await self._in.writes.execute(
            _UPDATE_KEY,
            kid=record.kid,
            sealed=record.sealed_private,
            chain=words(record.x5c),
            publish=record.publish_at,
            activate=record.activate_at,
            retire=record.retire_at,
            remove=record.remove_at,
            destroyed=record.destroyed_at,
        )
        await bump(self._in.writes, "keys")

    async def authorities(self) -> dict[str, AuthorityRow]:
        """The roots of the development authority, by name."""
        found = await self._in.reads.all(_AUTHORITIES)
        return {row[0]: AuthorityRow(*row) for row in found}

    async def add_authority(self, row: AuthorityRow) -> None:
        """Add a root, and raise the counter ``keys``; one of that name must not exist."""
        await self._in.writes.execute(
            _ADD_AUTHORITY,
            name=row.name,
            certificate=row.certificate,
            sealed_private=row.sealed_private,
            revocation_list=row.revocation_list,
            created_at=row.created_at,
        )
        await bump(self._in.writes, "keys")

    async def set_revocation_list(self, name: str, revocation_list: bytes) -> None:
        """Write a root's revocation list, and raise the counter ``keys``."""
        await self._in.writes.execute(_SET_REVOCATION_LIST, name=name, der=revocation_list)
        await bump(self._in.writes, "keys")

    async def secrets(self) -> dict[str, bytes]:
        """The sealed secrets by name."""
        return dict(cast("list[tuple[str, bytes]]", await self._in.reads.all(_SECRETS)))

    async def add_secret(self, name: str, sealed: bytes, now_ms: int) -> None:
        """Add a secret; one of that name must not exist (UniqueViolation)."""
        await self._in.writes.execute(_ADD_SECRET, name=name, sealed=sealed, created_at=now_ms)

    async def meta(self) -> dict[str, str]:
        """Facts about this database."""
        return dict(cast("list[tuple[str, str]]", await self._in.reads.all(_META)))

    async def set_meta(self, name: str, value: str) -> None:
        """Write a fact."""
        await self._in.writes.execute(_SET_META, name=name, value=value)

    async def audit(self, event: str, facts: Mapping[str, object]) -> None:
        """Append to the audit trail."""
        await add_audit(self._in, event, facts)

    async def audit_rows(self, limit: int, event: str | None = None) -> list[bytes]:
        """The latest entries, newest first."""
        limit = min(limit, MAX_ROWS)
        if event is None:
            rows = await self._in.reads.all(_AUDIT_ROWS, limit=limit)
        else:
            rows = await self._in.reads.all(_AUDIT_ROWS_OF, limit=limit, event=event)
        return [body for (body,) in rows]

    async def enqueue(self, message: OutboxMessage) -> None:
        """Add to the outbox."""
        await self._in.writes.execute(
            _ENQUEUE,
            message_id=message.message_id,
            topic=message.topic,
            recipient=message.recipient,
            body=message.body,
            created_at=message.created_at,
            due_at=message.due_at,
            attempts=0,
            delivered_at=None,
        )

    async def changes(self) -> Mapping[str, int]:
        """The change counters; one that was never raised is absent."""
        return await changes(self._in)

    async def bump(self, topic: str) -> None:
        """Raise a change counter."""
        await bump(self._in.writes, topic)


def _key_record(row: tuple[Any, ...]) -> KeyRecord:
    kid, purpose, alg, public_jwk, sealed_private, certificates, *instants = row
    return KeyRecord(
        kid,
        cast("Purpose", purpose),
        alg,
        orjson.loads(public_jwk),
        sealed_private,
        tuple(certificates.split()),
        *instants,
    )
