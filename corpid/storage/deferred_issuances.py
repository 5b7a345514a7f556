"""Issuances that wait for an operator."""

from typing import Any, Final

import orjson
from sqlalchemy import bindparam, select

from corpid.services.deferred import DeferredIssuance
from corpid.storage.constructs import MAX_ROWS, adding, changing, finding, given, table
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement
from oidc.issuer.ports import DeferralState

_deferred = table("deferred_issuance")
_person = table("person")

_BY_ID: Final = finding(_deferred, given(_deferred.c.deferral_id))
_NOT_OVER: Final = (_deferred.c.taken_at.is_(None), _deferred.c.expires_at > bindparam("now"))
_WAITS: Final = _deferred.c.state == DeferralState.WAITING.value
_OLDEST_FIRST: Final = select(*_deferred.c).order_by(
    _deferred.c.created_at, _deferred.c.deferral_id
)
_OPEN_OF: Final = Statement(
    _OLDEST_FIRST.where(
        given(_deferred.c.person_id),
        _deferred.c.state != DeferralState.DENIED.value,
        *_NOT_OVER,
    ).limit(MAX_ROWS)
)
_ALL: Final = Statement(_OLDEST_FIRST.limit(bindparam("limit")))
_WAITING: Final = Statement(_OLDEST_FIRST.where(_WAITS, *_NOT_OVER).limit(bindparam("limit")))
_LOCK_PERSON: Final = Statement(
    select(_person.c.person_id).where(given(_person.c.person_id)).with_for_update()
)
_ADD: Final = adding(_deferred)
_DECIDE: Final = changing(
    _deferred,
    given(_deferred.c.deferral_id),
    _WAITS,
    *_NOT_OVER,
    state=bindparam("new_state"),
    decided_at=bindparam("now"),
    decided_by=bindparam("by"),
    reason=bindparam("why"),
)
_TAKE: Final = changing(
    _deferred,
    given(_deferred.c.deferral_id),
    _deferred.c.state == DeferralState.APPROVED.value,
    *_NOT_OVER,
    taken_at=bindparam("now"),
)


class SqlDeferredIssuances(Repository):
    """``services.deferred.DeferredIssuances``."""

    __slots__ = ()

    async def by_id(self, deferral_id: str) -> DeferredIssuance | None:
        """One of them, whatever became of it."""
        row = await self._in.reads.one(_BY_ID, deferral_id=deferral_id)
        return None if row is None else _issuance(row)

    async def open_of(self, person_id: str, now_ms: int) -> list[DeferredIssuance]:
        """See ``DeferredIssuances.open_of``."""
        if self._in.locking:
            await self._in.writes.lock(_LOCK_PERSON, person_id=person_id)
        found = await self._in.reads.all(_OPEN_OF, person_id=person_id, now=now_ms)
        return [_issuance(row) for row in found]

    async def find(self, now_ms: int | None, limit: int) -> list[DeferredIssuance]:
        """See ``DeferredIssuances.find``."""
        limit = min(limit, MAX_ROWS)
        if now_ms is None:
            found = await self._in.reads.all(_ALL, limit=limit)
        else:
            found = await self._in.reads.all(_WAITING, now=now_ms, limit=limit)
        return [_issuance(row) for row in found]

    async def add(self, one: DeferredIssuance) -> None:
        """Add one."""
        await self._in.writes.execute(
            _ADD,
            deferral_id=one.deferral_id,
            client_id=one.client_id,
            organisation_id=one.organisation_id,
            person_id=one.person_id,
            configuration_id=one.configuration_id,
            dataset=one.dataset,
            holders=orjson.dumps([dict(jwk) for jwk in one.holders]).decode(),
            state=one.state.value,
            created_at=one.created_at,
            expires_at=one.expires_at,
            decided_at=one.decided_at,
            taken_at=one.taken_at,
            decided_by=one.decided_by,
            reason=one.reason,
        )

    async def decide(
        self, deferral_id: str, state: DeferralState, now_ms: int, by: str, reason: str
    ) -> bool:
        """See ``DeferredIssuances.decide``."""
        changed = await self._in.writes.execute(
            _DECIDE,
            deferral_id=deferral_id,
            new_state=state.value,
            now=now_ms,
            by=by,
            why=reason,
        )
        return changed == 1

    async def take(self, deferral_id: str, now_ms: int) -> bool:
        """See ``DeferredIssuances.take``."""
        return bool(await self._in.writes.execute(_TAKE, deferral_id=deferral_id, now=now_ms))


def _issuance(row: tuple[Any, ...]) -> DeferredIssuance:
    deferral_id, client_id, organisation_id, person_id, configuration_id, *others = row
    dataset, holders, state, *rest = others
    return DeferredIssuance(
        deferral_id,
        client_id,
        organisation_id,
        person_id,
        configuration_id,
        dataset,
        tuple(orjson.loads(holders)),
        DeferralState(state),
        *rest,
    )
