"""Issuance records; with offers, the port's other half."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Text,
    bindparam,
    func,
    insert,
    or_,
    select,
)

from corpid.domain.credential import (
    FINAL,
    Credential,
    CredentialChange,
    CredentialState,
    StatusEntry,
)
from corpid.services.records import BY_WALLET, WALLET, CredentialRow
from corpid.storage.constructs import MAX_ROWS, adding, changing, given, table
from corpid.storage.credential_rows import WHOLE, credential_of, values_of
from corpid.storage.repositories.credential_lines import SqlCredentialLines
from corpid.storage.statement import Statement

_credential = table("credential")
_change = table("credential_change")
_grant = table("authorization_grant")
_mandate = table("mandate")

_FINAL: Final = sorted(FINAL)

_BY_ID: Final = Statement(WHOLE.where(given(_credential.c.credential_id)))
_BY_ENTRY: Final = Statement(
    WHOLE.where(given(_credential.c.list_id), given(_credential.c.list_index))
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


class SqlCredentials(SqlCredentialLines):
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
