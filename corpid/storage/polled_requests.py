"""The part of the authorization server's storage that keeps what waits for a person."""

from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, bindparam, case, select, update

from corpid.storage.constructs import adding_once, changing, counting, finding, given, table
from corpid.storage.mapping import json_text
from corpid.storage.provider_records import grant
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement
from oidc.records import Grant, PolledRequest

MAX_WAITING: Final = 50
"""Requests that one person is shown at once."""

_EARLY_MS: Final = 1000
_polled = table("polled_request")
_grant = table("authorization_grant")
_COLUMNS: Final = len(_polled.c)

_BY_CODE: Final = Statement(
    select(*_polled.c, *_grant.c)
    .join_from(_polled, _grant, _polled.c.grant_id == _grant.c.grant_id, isouter=True)
    .where(given(_polled.c.code_hash))
)
_BY_USER_CODE: Final = finding(_polled, given(_polled.c.user_code_hash))
_ADD: Final = adding_once(_polled)
_SLOWER: Final = case(
    (
        bindparam("now") < _polled.c.next_poll_at,
        _polled.c.interval + bindparam("slower_by"),
    ),
    else_=_polled.c.interval,
)
_POLL: Final = Statement(
    update(_polled)
    .where(given(_polled.c.code_hash))
    .values(interval=_SLOWER, next_poll_at=bindparam("now") + _SLOWER - _EARLY_MS)
    .returning(_polled.c.interval)
)
_OPEN: Final = (
    _polled.c.grant_id.is_(None),
    _polled.c.refused_at.is_(None),
    _polled.c.expires_at > bindparam("now"),
)
_APPROVE: Final = changing(
    _polled, given(_polled.c.code_hash), *_OPEN, grant_id=bindparam("granted")
)
_REFUSE: Final = changing(_polled, given(_polled.c.code_hash), *_OPEN, refused_at=bindparam("now"))
_CLAIM: Final = changing(
    _polled, given(_polled.c.code_hash), _polled.c.used_at.is_(None), used_at=bindparam("now")
)


_OPEN_OF: Final = counting(_polled, given(_polled.c.client_id), *_OPEN)
_OPEN_TO_PERSON: Final = counting(
    _polled, given(_polled.c.actor), given(_polled.c.client_id), *_OPEN
)
_OPEN_TO_BUSINESS: Final = counting(
    _polled, given(_polled.c.subject), given(_polled.c.client_id), _polled.c.actor.is_(None), *_OPEN
)


def _waiting(*whose: ColumnElement[bool]) -> Statement:
    return Statement(
        select(*_polled.c)
        .where(*whose, given(_polled.c.grant_type), *_OPEN)
        .order_by(_polled.c.created_at)
        .limit(MAX_WAITING)
    )


_WAITING_FOR: Final = _waiting(given(_polled.c.actor))
_WAITING_AT: Final = _waiting(_polled.c.actor.is_(None), given(_polled.c.subject))


class PolledReads(Repository):
    """What of ``oidc.ports.ProviderReads`` is about them."""

    __slots__ = ()

    async def polled_request(self, code_hash: bytes) -> tuple[PolledRequest, Grant | None] | None:
        """See ``ProviderReads.polled_request``."""
        row = await self._in.reads.one(_BY_CODE, code_hash=code_hash)
        if row is None:
            return None
        found = _record(row[:_COLUMNS])
        return found, None if row[_COLUMNS] is None else grant(row[_COLUMNS:])

    async def polled_request_of(self, user_code_hash: bytes) -> PolledRequest | None:
        """See ``ProviderReads.polled_request_of``."""
        row = await self._in.reads.one(_BY_USER_CODE, user_code_hash=user_code_hash)
        return None if row is None else _record(row)


class SqlPolled(Repository):
    """``services.polled.PolledRequests``."""

    __slots__ = ()

    async def waiting_for(
        self, grant_type: str, person_id: str, now_ms: int
    ) -> list[PolledRequest]:
        """See ``PolledRequests.waiting_for``."""
        rows = await self._in.reads.all(
            _WAITING_FOR, actor=person_id, grant_type=grant_type, now=now_ms
        )
        return [_record(row) for row in rows]

    async def waiting_at(
        self, grant_type: str, organisation_id: str, now_ms: int
    ) -> list[PolledRequest]:
        """See ``PolledRequests.waiting_at``."""
        rows = await self._in.reads.all(
            _WAITING_AT, subject=organisation_id, grant_type=grant_type, now=now_ms
        )
        return [_record(row) for row in rows]


class PolledWrites(Repository):
    """What of ``oidc.ports.ProviderWrites`` is about them."""

    __slots__ = ()

    async def add_polled_request(self, request: PolledRequest) -> bool:
        """See ``ProviderWrites.add_polled_request``."""
        columns = {column.name: getattr(request, column.name) for column in _polled.c}
        columns["parameters"] = json_text(request.parameters)
        return bool(await self._in.writes.execute(_ADD, **columns))

    async def open_polled_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        """See ``ProviderWrites.open_polled_requests``."""
        row = await self._in.writes.one(_OPEN_OF, client_id=client_id, now=now_ms, at_most=at_most)
        return 0 if row is None else int(row[0])

    async def open_polled_requests_like(self, request: PolledRequest, at_most: int) -> int:
        """See ``ProviderWrites.open_polled_requests_like``."""
        whom: dict[str, Any] = {"actor": request.actor}
        statement = _OPEN_TO_PERSON
        if request.actor is None:
            whom, statement = {"subject": request.subject}, _OPEN_TO_BUSINESS
        row = await self._in.writes.one(
            statement,
            client_id=request.client_id,
            now=request.created_at,
            at_most=at_most,
            **whom,
        )
        return 0 if row is None else int(row[0])

    async def count_poll(self, code_hash: bytes, now_ms: int, slower_by: int) -> int:
        """See ``ProviderWrites.count_poll``."""
        row = await self._in.writes.one(_POLL, code_hash=code_hash, now=now_ms, slower_by=slower_by)
        return 0 if row is None else int(row[0])

    async def approve_polled_request(self, code_hash: bytes, grant_id: str, now_ms: int) -> bool:
        """See ``ProviderWrites.approve_polled_request``."""
        return bool(
            await self._in.writes.execute(
                _APPROVE, code_hash=code_hash, granted=grant_id, now=now_ms
            )
        )

    async def refuse_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        """See ``ProviderWrites.refuse_polled_request``."""
        return bool(await self._in.writes.execute(_REFUSE, code_hash=code_hash, now=now_ms))

    async def claim_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        """See ``ProviderWrites.claim_polled_request``."""
        return bool(await self._in.writes.execute(_CLAIM, code_hash=code_hash, now=now_ms))


def _record(row: tuple[Any, ...]) -> PolledRequest:
    values = dict(zip(_polled.c.keys(), row, strict=True))
    return PolledRequest(**{**values, "parameters": orjson.loads(values["parameters"])})
