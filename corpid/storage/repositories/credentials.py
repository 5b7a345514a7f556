"""Issuance records; with offers, the port's other half."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Text, and_, bindparam, func, insert, or_, select

from corpid.domain.credential import (
    FINAL,
    Credential,
    CredentialChange,
    CredentialState,
    StatusEntry,
)
from corpid.services.records import BY_OPERATOR, BY_WALLET, WALLET, CredentialRow
from corpid.storage.constructs import MAX_ROWS, adding, changing, given, holding, table
from corpid.storage.credential_rows import credential_of, values_of
from corpid.storage.repositories.offers import SqlOffers
from corpid.storage.statement import Statement, any_of

_credential = table("credential")
_change = table("credential_change")
_grant = table("authorization_grant")
_mandate = table("mandate")

_FINAL: Final = sorted(FINAL)

# The mandate's own id is there only when the authority is a mandate, not a representation.
WHOLE: Final = select(
    _credential.c.credential_id,
    _credential.c.credential_type,
    _credential.c.type_version,
    _credential.c.credential_format,
    _credential.c.organisation_id,
    _credential.c.person_id,
    _credential.c.authority,
    _mandate.c.mandate_id,
    _credential.c.holder_thumbprint,
    _credential.c.list_id,
    _credential.c.list_index,
    _credential.c.state,
    _credential.c.payload_digest,
    _credential.c.issued_at,
    _credential.c.expires_at,
    _credential.c.changed_at,
    _credential.c.on_hold_since,
).join_from(_credential, _mandate, _credential.c.authority == _mandate.c.mandate_id, isouter=True)
_BY_ID: Final = Statement(WHOLE.where(given(_credential.c.credential_id)))
_BY_ENTRY: Final = Statement(
    WHOLE.where(given(_credential.c.list_id), given(_credential.c.list_index))
)
# Two requests for the same credential line up here, so that the later one sees the earlier's.
_LOCK_GRANT: Final = Statement(
    select(_grant.c.grant_id).where(given(_grant.c.grant_id)).with_for_update()
)
# What a wallet itself said that it does not have may be asked for again; what was revoked may not.
_COUNTS: Final = or_(
    _credential.c.state.not_in(_FINAL),
    and_(
        _credential.c.state == CredentialState.REVOKED.value,
        _credential.c.change_reason.not_like(f"{BY_WALLET}%"),
    ),
)
_OF_GRANT: Final = WHOLE.where(
    given(_credential.c.grant_id),
    given(_credential.c.credential_type),
    given(_credential.c.credential_format),
    _COUNTS,
).order_by(_credential.c.issued_at, _credential.c.credential_id)
_EARLIER: Final = Statement(_OF_GRANT.where(given(_credential.c.holder_thumbprint)))
_EARLIER_OF: Final = Statement(_OF_GRANT.where(any_of(_credential.c.holder_thumbprint, "keys")))
_one = _credential.alias("one")
_LOCK_GRANT_OF: Final = Statement(
    select(_grant.c.grant_id)
    .join_from(_grant, _one, _grant.c.grant_id == _one.c.grant_id)
    .where(given(_one.c.credential_id))
    .with_for_update(of=_grant)
)
# Where an operator issued there is no grant's row, and perhaps no credential yet: its name is held.
_HOLD_LINE: Final = Statement(holding(bindparam("grant_id", type_=Text())))
_HOLD_LINE_OF: Final = Statement(
    holding(_one.c.grant_id).where(
        given(_one.c.credential_id), _one.c.grant_id.like(f"{BY_OPERATOR}%")
    )
)
_BESIDE: Final = (
    WHOLE.join(
        _one,
        and_(
            _one.c.grant_id == _credential.c.grant_id,
            _one.c.credential_type == _credential.c.credential_type,
            _one.c.credential_format == _credential.c.credential_format,
            _one.c.holder_thumbprint == _credential.c.holder_thumbprint,
            _one.c.credential_id != _credential.c.credential_id,
        ),
    )
    .where(given(_one.c.credential_id), _credential.c.state.not_in(_FINAL))
    .order_by(_credential.c.issued_at, _credential.c.credential_id)
)
_SAME_KEY: Final = Statement(_BESIDE)
_GIVING_WAY: Final = Statement(_BESIDE.where(_credential.c.ends_at.is_not(None)))
_DUE: Final = Statement(
    WHOLE.where(_credential.c.ends_at <= bindparam("now"), _credential.c.state.not_in(_FINAL))
    .order_by(_credential.c.ends_at, _credential.c.credential_id)
    .limit(bindparam("limit"))
)
_SET_END: Final = changing(
    _credential, given(_credential.c.credential_id), ends_at=bindparam("at", type_=BigInteger())
)
_HELD_UNDER: Final = Statement(
    WHOLE.where(given(_credential.c.authority), _credential.c.state.not_in(_FINAL)).order_by(
        _credential.c.issued_at, _credential.c.credential_id
    )
)


def _optional(name: str) -> Any:
    column = _credential.c[name]
    wanted = bindparam(name, type_=column.type)
    return or_(wanted.is_(None), column == wanted)


_LATEST_FIRST: Final = (
    WHOLE.where(_optional("state"))
    .order_by(_credential.c.issued_at.desc(), _credential.c.credential_id)
    .limit(bindparam("limit"))
)
# One statement per index, because "parameter is null or equal" keeps the planner from using it.
_FIND: Final = Statement(_LATEST_FIRST)
_FIND_BY_ORGANISATION: Final = Statement(
    _LATEST_FIRST.where(given(_credential.c.organisation_id), _optional("person_id"))
)
_FIND_BY_PERSON: Final = Statement(_LATEST_FIRST.where(given(_credential.c.person_id)))
_GOING_ON_AFTER: Final = (
    select(_credential.c.credential_id)
    .where(
        _credential.c.credential_id > bindparam("after"),
        _credential.c.state.not_in(_FINAL),
        _optional("credential_type"),
    )
    .order_by(_credential.c.credential_id)
    .limit(bindparam("limit"))
)
_GOING_ON: Final = Statement(_GOING_ON_AFTER)
_GOING_ON_OF: Final = Statement(_GOING_ON_AFTER.where(given(_credential.c.organisation_id)))
_ADD: Final = adding(_credential)
_CHANGED: Final[dict[str, Any]] = {
    "state": bindparam("new_state"),
    "changed_at": bindparam("now"),
    "change_reason": bindparam("reason"),
}
_CHANGE_STATE: Final = changing(
    _credential,
    given(_credential.c.credential_id),
    _credential.c.state.not_in(_FINAL),
    **_CHANGED,
)
_CHANGE_STATE_OF: Final = changing(
    _credential,
    given(_credential.c.credential_id),
    _credential.c.state.not_in(_FINAL),
    given(_credential.c.state, "old_state"),
    **_CHANGED,
)
# The credential's row was written before it in the same transaction: no number is taken twice.
_ADD_CHANGE: Final = Statement(
    insert(_change).from_select(
        ["credential_id", "number", "state", "changed_at", "reason", "actor"],
        select(
            bindparam("credential_id", type_=Text()),
            func.coalesce(func.max(_change.c.number), 0) + 1,
            bindparam("new_state", type_=Text()),
            bindparam("now", type_=BigInteger()),
            bindparam("reason", type_=Text()),
            bindparam("actor", type_=Text()),
        ).where(given(_change.c.credential_id)),
    )
)
_CHANGES: Final = Statement(
    select(_change.c.state, _change.c.changed_at, _change.c.reason, _change.c.actor)
    .where(given(_change.c.credential_id))
    .order_by(_change.c.number)
)
_SET_HOLD: Final = changing(
    _credential,
    given(_credential.c.credential_id),
    on_hold_since=bindparam("since", type_=BigInteger()),
)


class SqlCredentials(SqlOffers):
    """``services.ports.Credentials``."""

    __slots__ = ()

    async def by_id(self, credential_id: str) -> Credential | None:
        """A credential in whatever state."""
        row = await self._in.reads.one(_BY_ID, credential_id=credential_id)
        return None if row is None else credential_of(row)

    async def by_entry(self, entry: StatusEntry) -> Credential | None:
        """The credential that has this status entry."""
        row = await self._in.reads.one(_BY_ENTRY, list_id=entry.list_id, list_index=entry.index)
        return None if row is None else credential_of(row)

    async def earlier(
        self,
        grant_id: str,
        credential_type: str,
        credential_format: str,
        holder_thumbprints: Sequence[str],
    ) -> list[Credential]:
        """Issued under this grant to one of these keys: live, suspended, or revoked by us.

        Inside a write, no other transaction gets past this for the grant until that is over.
        """
        if self._in.locking:
            by_operator = grant_id.startswith(BY_OPERATOR)
            lock = _HOLD_LINE if by_operator else _LOCK_GRANT
            await self._in.writes.lock(lock, grant_id=grant_id)
        wanted = {
            "grant_id": grant_id,
            "credential_type": credential_type,
            "credential_format": credential_format,
        }
        if len(holder_thumbprints) == 1:
            (only,) = holder_thumbprints
            found = await self._in.reads.all(_EARLIER, holder_thumbprint=only, **wanted)
        else:
            found = await self._in.reads.all(_EARLIER_OF, keys=holder_thumbprints, **wanted)
        return [credential_of(row) for row in found]

    async def same_key(self, credential_id: str) -> list[Credential]:
        """What else of its grant, type, format and key is not over, oldest first.

        Inside a write, nothing is issued under that grant until that is over.
        """
        if self._in.locking:
            await self._in.writes.lock(_LOCK_GRANT_OF, credential_id=credential_id)
            await self._in.writes.lock(_HOLD_LINE_OF, credential_id=credential_id)
        found = await self._in.reads.all(_SAME_KEY, credential_id=credential_id)
        return [credential_of(row) for row in found]

    async def giving_way(self, credential_id: str) -> list[Credential]:
        """Those of them that this one renews."""
        found = await self._in.reads.all(_GIVING_WAY, credential_id=credential_id)
        return [credential_of(row) for row in found]

    async def due(self, now_ms: int, limit: int) -> list[Credential]:
        """Those that have given way long enough."""
        found = await self._in.reads.all(_DUE, now=now_ms, limit=limit)
        return [credential_of(row) for row in found]

    async def give_way(self, credential_id: str, ends_at: int | None) -> None:
        """Set when it ends in favour of another; None: it does not."""
        await self._in.writes.execute(_SET_END, credential_id=credential_id, at=ends_at)

    async def held_under(self, authority: str) -> list[Credential]:
        """Not revoked nor replaced, issued for this mandate or representation."""
        found = await self._in.reads.all(_HELD_UNDER, authority=authority)
        return [credential_of(row) for row in found]

    async def find(
        self,
        *,
        organisation_id: str | None = None,
        person_id: str | None = None,
        state: CredentialState | None = None,
        limit: int = 200,
    ) -> list[Credential]:
        """Those that fit everything given, the latest first."""
        wanted: dict[str, Any] = {
            "state": None if state is None else state.value,
            "limit": min(limit, MAX_ROWS),
        }
        if organisation_id is not None:
            statement = _FIND_BY_ORGANISATION
            wanted |= {"organisation_id": organisation_id, "person_id": person_id}
        elif person_id is not None:
            statement = _FIND_BY_PERSON
            wanted |= {"person_id": person_id}
        else:
            statement = _FIND
        return [credential_of(row) for row in await self._in.reads.all(statement, **wanted)]

    async def going_on(
        self,
        after: str,
        limit: int,
        *,
        organisation_id: str | None = None,
        credential_type: str | None = None,
    ) -> list[str]:
        """Ids of those that are not over and fit what is given, in order, beyond ``after``."""
        wanted = {"after": after, "limit": limit, "credential_type": credential_type}
        if organisation_id is None:
            found = await self._in.reads.all(_GOING_ON, **wanted)
        else:
            found = await self._in.reads.all(
                _GOING_ON_OF, **wanted, organisation_id=organisation_id
            )
        return [name for (name,) in found]

    async def add(self, row: CredentialRow) -> None:
        """Add an issuance record.

        Raises:
            ValueError: the credential rests on neither or both of mandate and representation.
            UniqueViolation: its status entry belongs to another credential.
        """
        await self._in.writes.execute(_ADD, **values_of(row))

    async def add_all(self, rows: Sequence[CredentialRow]) -> None:
        """Add several; see ``add``."""
        if len(rows) == 1:
            await self.add(rows[0])
        else:
            await self._in.writes.many(_ADD, [values_of(row) for row in rows])

    async def change_state(
        self,
        credential_id: str,
        state: CredentialState,
        now_ms: int,
        reason: str = "",
        actor: str = "",
        instead_of: CredentialState | None = None,
    ) -> bool:
        """Write a credential's state, and the change into its history.

        A final state (replaced, revoked) stays as it is. So of two transactions that end a
        credential the second changes nothing, and a wallet's late notification does not bring a
        revoked one back. False when nothing was changed, also where it is not ``instead_of``.
        """
        values = {"credential_id": credential_id, "new_state": state.value, "now": now_ms}
        execute = self._in.writes.execute
        # Here nobody else's words look like a wallet's, whose own may be asked for again.
        own = reason
        if actor != WALLET and reason.startswith(BY_WALLET):
            own = f"by {actor}: {reason}"
        if instead_of is None:
            changed = await execute(_CHANGE_STATE, **values, reason=own)
        else:
            old = instead_of.value
            changed = await execute(_CHANGE_STATE_OF, **values, reason=own, old_state=old)
        if changed != 1:
            return False
        await execute(_ADD_CHANGE, **values, reason=reason, actor=actor)
        return True

    async def hold(self, credential_id: str, since_ms: int | None) -> None:
        """Write since when it is suspended by itself; None: it is not any more."""
        await self._in.writes.execute(_SET_HOLD, credential_id=credential_id, since=since_ms)

    async def changes_of(self, credential_id: str) -> list[CredentialChange]:
        """What became of it after it was issued, in order."""
        found = await self._in.reads.all(_CHANGES, credential_id=credential_id)
        return [
            CredentialChange(CredentialState(state), at, reason, actor)
            for state, at, reason, actor in found
        ]
