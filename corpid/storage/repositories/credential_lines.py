"""The lines of credentials: what one key got under one grant, of which the next renews the last.

Where operators issue there is no grant: what one key gets by them under one authority is a line.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from corpid.domain.credential import FINAL, Credential, CredentialState
from corpid.services.records import BY_OPERATOR, BY_WALLET, Beside
from corpid.storage.constructs import changing, given, holding, table
from corpid.storage.credential_rows import COLUMNS, IS_MANDATE, WHOLE, credential_of
from corpid.storage.repositories.offers import SqlOffers
from corpid.storage.statement import Statement, any_of

_credential = table("credential")
_grant = table("authorization_grant")
_mandate = table("mandate")

_FINAL: Final = sorted(FINAL)
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
_other = _credential.alias("other")
# Live under a grant, of a type, and to go on: what gives way to a renewal does not count.
_LIVE: Final = (
    select(func.count())
    .select_from(_other)
    .where(
        given(_other.c.grant_id),
        given(_other.c.credential_type),
        _other.c.state.not_in(_FINAL),
        _other.c.ends_at.is_(None),
        _other.c.expires_at > bindparam("now"),
    )
)
_LIVE_UNDER: Final = Statement(_LIVE)


def _beside(one_key: ColumnElement[bool], other_keys: ColumnElement[bool]) -> Statement:
    """One row at least: whether the grant goes on and what other keys have, or these in another
    format, each time the same; beside it what these keys got before, if anything.
    """
    goes_on: Select[Any] = select(literal_column("1")).where(
        given(_grant.c.grant_id),
        _grant.c.ended_at.is_(None),
        _grant.c.expires_at > bindparam("now"),
    )
    others = _LIVE.where(
        or_(other_keys, _other.c.credential_format != bindparam("credential_format"))
    )
    before = and_(
        given(_credential.c.grant_id),
        given(_credential.c.credential_type),
        given(_credential.c.credential_format),
        one_key,
        _COUNTS,
    )
    always = select(literal_column("1")).subquery("always")
    return Statement(
        select(goes_on.scalar_subquery(), others.scalar_subquery(), *COLUMNS)
        .select_from(
            always.join(_credential, before, isouter=True).join(_mandate, IS_MANDATE, isouter=True)
        )
        .order_by(_credential.c.issued_at, _credential.c.credential_id)
    )


_BESIDE_ONE: Final = _beside(
    given(_credential.c.holder_thumbprint),
    _other.c.holder_thumbprint != bindparam("holder_thumbprint"),
)
_BESIDE_SOME: Final = _beside(
    any_of(_credential.c.holder_thumbprint, "keys"),
    ~any_of(_other.c.holder_thumbprint, "keys"),
)
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
_OF_SAME_KEY: Final = (
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
_SAME_KEY: Final = Statement(_OF_SAME_KEY)
_GIVING_WAY: Final = Statement(_OF_SAME_KEY.where(_credential.c.ends_at.is_not(None)))
_DUE: Final = Statement(
    WHOLE.where(_credential.c.ends_at <= bindparam("now"), _credential.c.state.not_in(_FINAL))
    .order_by(_credential.c.ends_at, _credential.c.credential_id)
    .limit(bindparam("limit"))
)
_ends_at = bindparam("at", type_=BigInteger())
# Whoever renews again puts no end off that was set before.
_SET_END: Final = changing(
    _credential,
    given(_credential.c.credential_id),
    or_(_ends_at.is_(None), _credential.c.ends_at.is_(None), _credential.c.ends_at > _ends_at),
    ends_at=_ends_at,
)
_GRANT_OF: Final = Statement(
    select(_credential.c.grant_id).where(given(_credential.c.credential_id))
)
_GOING_ON_UNDER: Final = Statement(
    WHOLE.where(given(_credential.c.grant_id), _credential.c.state.not_in(_FINAL)).order_by(
        _credential.c.issued_at, _credential.c.credential_id
    )
)


class SqlCredentialLines(SqlOffers):
    """What ``services.credential_ports.Credentials`` says of renewals and of grants."""

    __slots__ = ()

    async def beside(
        self,
        grant_id: str,
        credential_type: str,
        credential_format: str,
        holder_thumbprints: Sequence[str],
        now_ms: int,
    ) -> Beside:
        """See ``Credentials.beside``."""
        by_operator = grant_id.startswith(BY_OPERATOR)
        if self._in.locking:
            lock = _HOLD_LINE if by_operator else _LOCK_GRANT
            await self._in.writes.lock(lock, grant_id=grant_id)
        wanted = {
            "grant_id": grant_id,
            "credential_type": credential_type,
            "credential_format": credential_format,
            "now": now_ms,
        }
        if len(holder_thumbprints) == 1:
            (only,) = holder_thumbprints
            found = await self._in.reads.all(_BESIDE_ONE, holder_thumbprint=only, **wanted)
        else:
            found = await self._in.reads.all(_BESIDE_SOME, keys=holder_thumbprints, **wanted)
        goes_on, others = found[0][:2]
        return Beside(
            goes_on=by_operator or goes_on is not None,
            others=others,
            earlier=[credential_of(row[2:]) for row in found if row[2] is not None],
        )

    async def grant_of(self, credential_id: str) -> str | None:
        """The id of the grant, or of the operators' line, that it was issued under."""
        row = await self._in.reads.one(_GRANT_OF, credential_id=credential_id)
        return None if row is None else str(row[0])

    async def going_on_under(self, grant_id: str) -> list[Credential]:
        """Those of a grant, or of an operators' line, that are not over, oldest first."""
        found = await self._in.reads.all(_GOING_ON_UNDER, grant_id=grant_id)
        return [credential_of(row) for row in found]

    async def live_under(self, grant_id: str, credential_type: str, now_ms: int) -> int:
        """See ``Credentials.live_under``."""
        row = await self._in.reads.one(
            _LIVE_UNDER, grant_id=grant_id, credential_type=credential_type, now=now_ms
        )
        assert row is not None
        return int(row[0])

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
        """See ``Credentials.give_way``."""
        await self._in.writes.execute(_SET_END, credential_id=credential_id, at=ends_at)
