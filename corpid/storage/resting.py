"""What rests on an organisation: found for some organisations, or among those that have ended."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, select, union

from corpid.domain.credential import CredentialState
from corpid.domain.mandate import HolderKind, MandateState
from corpid.domain.register_entry import EntityStatus
from corpid.storage.constructs import table
from corpid.storage.interface import Connection
from corpid.storage.statement import Statement, any_of

_consent = table("consent")
_credential = table("credential")
_grant = table("authorization_grant")
_mandate = table("mandate")
_registration = table("registration")
_representation = table("representation")

_NOT_OVER: Final = _mandate.c.state.not_in([MandateState.ENDED.value, MandateState.DECLINED.value])
# The column that names the organisation, and what makes the row one that something rests on.
_RESTING: Final[tuple[tuple[Any, tuple[ColumnElement[bool], ...]], ...]] = (
    (_representation.c.organisation_id, (_representation.c.ended_at.is_(None),)),
    (_mandate.c.organisation_id, (_NOT_OVER,)),
    (
        _mandate.c.holder_id,
        (_mandate.c.holder_kind == HolderKind.ORGANISATION.value, _NOT_OVER),
    ),
    (
        _credential.c.organisation_id,
        (
            _credential.c.state.not_in(
                [CredentialState.REPLACED.value, CredentialState.REVOKED.value]
            ),
        ),
    ),
    (
        _grant.c.subject,
        (_grant.c.ended_at.is_(None), _grant.c.expires_at > bindparam("now")),
    ),
    (_consent.c.organisation_id, (_consent.c.ended_at.is_(None),)),
)
_OF_SOME: Final = Statement(
    union(*(select(named).where(any_of(named, "ids"), *holds) for named, holds in _RESTING))
)
_ENDED: Final = [status.value for status in EntityStatus if status.has_ended]
# From the few rows that may rest on something to the many that registers have.
_ANY: Final = union(
    *(select(named.label("organisation_id")).where(*holds) for named, holds in _RESTING)
).subquery("resting")
_OF_ENDED: Final = Statement(
    select(_any_id := _ANY.c.organisation_id)
    .join(_registration, _registration.c.organisation_id == _any_id)
    .where(
        _registration.c.ended_at.is_(None),
        _registration.c.status.in_(_ENDED),
        _any_id > bindparam("after"),
    )
    .order_by(_any_id)
    .limit(bindparam("limit"))
)


async def resting(connection: Connection, organisation_ids: Sequence[str], now_ms: int) -> set[str]:
    """Those of these on which something rests; see ``RegisterRows.resting``."""
    found = await connection.all(_OF_SOME, ids=list(organisation_ids), now=now_ms)
    return {organisation_id for (organisation_id,) in found}


async def ended_but_resting(
    connection: Connection, after: str, limit: int, now_ms: int
) -> list[str]:
    """See ``RegisterRows.ended_but_resting``."""
    found = await connection.all(_OF_ENDED, after=after, limit=limit, now=now_ms)
    return [organisation_id for (organisation_id,) in found]
