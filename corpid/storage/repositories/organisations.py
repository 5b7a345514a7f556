"""Businesses, their numbers, and what registers say of them."""

import re
from typing import Final

from sqlalchemy import and_, bindparam, or_, select

from corpid.domain.organisation import (
    Branch,
    Identifier,
    IdentifierScheme,
    Organisation,
    Registration,
)
from corpid.storage import organisation_rows as rows
from corpid.storage.constructs import (
    adding,
    adding_once,
    adding_or_replacing,
    changing,
    given,
    removing,
    shared,
    table,
)
from corpid.storage.mapping import name_columns
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement, any_of

MAX_FOUND: Final = 100
"""Organisations that a search returns at most."""

_LONGEST_NUMBER: Final = 20
_LAST_CHARACTER: Final = "\U0010ffff"
_NUMBER: Final = re.compile(r"[A-Z]{0,2}[0-9]{1,20}|[0-9A-Z]{18,20}")

_organisation = table("organisation")
_identifier = table("identifier")
_registration = table("registration")
_name = table("organisation_name")
_branch = table("branch")

_WHOLE: Final = (
    select(
        _organisation.c.suspended_at,
        _identifier.c.scheme,
        _identifier.c.value,
        _identifier.c.valid_to,
        *_registration.c,
    )
    .join_from(
        _organisation,
        _identifier,
        and_(
            _identifier.c.organisation_id == _organisation.c.organisation_id,
            _identifier.c.ended_at.is_(None),
        ),
    )
    .join(
        _registration,
        and_(
            _registration.c.organisation_id == _organisation.c.organisation_id,
            _registration.c.ended_at.is_(None),
        ),
    )
)
_BY_ID: Final = shared(
    _WHOLE.where(given(_organisation.c.organisation_id)), _organisation, _registration
)
_BY_IDS: Final = Statement(_WHOLE.where(any_of(_organisation.c.organisation_id, "ids")))
_THE_NUMBER: Final = and_(
    given(_identifier.c.scheme), given(_identifier.c.value), _identifier.c.ended_at.is_(None)
)
_OF_NUMBER: Final = Statement(
    select(_identifier.c.organisation_id).where(_THE_NUMBER, _identifier.c.valid_to.is_(None))
)
_OF_PAST_NUMBER: Final = Statement(
    select(_identifier.c.organisation_id)
    .where(_THE_NUMBER, _identifier.c.valid_to.is_not(None))
    .order_by(_identifier.c.valid_to.desc())
    .limit(1)
)
_WITH_NUMBER: Final = Statement(
    select(_identifier.c.organisation_id)
    .where(
        given(_identifier.c.scheme),
        _identifier.c.value >= bindparam("low"),
        _identifier.c.value <= bindparam("high"),
        _identifier.c.valid_to.is_(None),
        _identifier.c.ended_at.is_(None),
    )
    .order_by(_identifier.c.value)
    .limit(bindparam("limit"))
)
_WITH_NAME: Final = Statement(
    select(_name.c.organisation_id)
    .where(_name.c.folded >= bindparam("low"), _name.c.folded < bindparam("high"))
    .order_by(_name.c.folded, _name.c.organisation_id)
    .limit(bindparam("limit"))
)
_IDENTIFIERS: Final = Statement(
    select(
        _identifier.c.scheme,
        _identifier.c.value,
        _identifier.c.valid_from,
        _identifier.c.valid_to,
        _identifier.c.source,
        _identifier.c.as_of,
    )
    .where(given(_identifier.c.organisation_id), _identifier.c.ended_at.is_(None))
    .order_by(_identifier.c.valid_from, _identifier.c.scheme, _identifier.c.value)
)
_BRANCHES: Final = Statement(
    select(
        _branch.c.organisation_id,
        _branch.c.code,
        _branch.c.name_en,
        _branch.c.name_zh_hant,
        _branch.c.name_zh_hans,
        _branch.c.address,
        _branch.c.source,
        _branch.c.as_of,
    )
    .where(given(_branch.c.organisation_id), _branch.c.ended_at.is_(None))
    .order_by(_branch.c.code)
)
_REGISTRATION_AT: Final = Statement(
    select(*_registration.c)
    .where(
        given(_registration.c.organisation_id),
        _registration.c.recorded_at <= bindparam("at"),
        or_(_registration.c.ended_at.is_(None), _registration.c.ended_at > bindparam("at")),
    )
    .order_by(_registration.c.recorded_at.desc())
    .limit(1)
)
_ADD: Final = adding(_organisation)
_ADD_IDENTIFIER: Final = adding_or_replacing(_identifier, ["valid_to"])
ADD_REGISTRATION: Final = adding_or_replacing(_registration)
END_REGISTRATION: Final = changing(
    _registration,
    given(_registration.c.organisation_id),
    _registration.c.ended_at.is_(None),
    _registration.c.recorded_at != bindparam("now"),
    ended_at=bindparam("now"),
)
NAMES: Final = Statement(
    select(
        _registration.c.organisation_id,
        _registration.c.name_en,
        _registration.c.name_zh_hant,
        _registration.c.name_zh_hans,
    ).where(any_of(_registration.c.organisation_id, "ids"), _registration.c.ended_at.is_(None))
)
REMOVE_NAME: Final = removing(_name, given(_name.c.folded), given(_name.c.organisation_id))
ADD_NAME: Final = adding_once(_name)
_END_BRANCH: Final = changing(
    _branch,
    given(_branch.c.organisation_id),
    given(_branch.c.code),
    _branch.c.ended_at.is_(None),
    _branch.c.recorded_at != bindparam("now"),
    ended_at=bindparam("now"),
)
_ADD_BRANCH: Final = adding_or_replacing(_branch)
_SUSPEND: Final = changing(
    _organisation,
    given(_organisation.c.organisation_id),
    _organisation.c.suspended_at.is_(None),
    suspended_at=bindparam("now"),
)
_RESUME: Final = changing(
    _organisation,
    given(_organisation.c.organisation_id),
    _organisation.c.suspended_at.is_not(None),
    suspended_at=None,
)


class SqlOrganisations(Repository):
    """``services.ports.Organisations``."""

    __slots__ = ()

    async def by_id(self, organisation_id: str) -> Organisation | None:
        """The organisation with its current number and registration."""
        found = await self._in.reads.all(_BY_ID[self._in.locking], organisation_id=organisation_id)
        return rows.organisations(found).get(organisation_id)

    async def by_number(self, scheme: IdentifierScheme, value: str) -> Organisation | None:
        """The organisation that has this number, or else had it last before another came."""
        for statement in (_OF_NUMBER, _OF_PAST_NUMBER):
            row = await self._in.reads.one(statement, scheme=scheme.value, value=value)
            if row is not None:
                return await self.by_id(row[0])
        return None

    async def search(self, text: str, limit: int) -> list[Organisation]:
        """By the beginning of a Hong Kong number, or of a name in any script; numbers first."""
        limit = min(limit, MAX_FOUND)
        folded = rows.fold(text)
        if not folded or limit < 1:
            return []
        ids = await self._ids_by_number(folded.replace(" ", "").upper(), limit)
        if len(ids) < limit:
            found = await self._in.reads.all(
                # Two names of one organisation may begin alike, so twice as many are asked for.
                _WITH_NAME,
                low=folded,
                high=folded + _LAST_CHARACTER,
                limit=limit * 3,
            )
            ids = list(dict.fromkeys([*ids, *(row[0] for row in found)]))[:limit]
        whole = rows.organisations(await self._in.reads.all(_BY_IDS, ids=ids))
        return [whole[one] for one in ids if one in whole]

    async def _ids_by_number(self, number: str, limit: int) -> list[str]:
        if not _NUMBER.fullmatch(number):
            return []
        ids: list[str] = []
        for scheme in IdentifierScheme:
            found = await self._in.reads.all(
                _WITH_NUMBER,
                scheme=scheme.value,
                low=number,
                high=number + "Z" * _LONGEST_NUMBER,
                limit=limit,
            )
            ids += [row[0] for row in found]
        return list(dict.fromkeys(ids))[:limit]

    async def identifiers(self, organisation_id: str) -> list[Identifier]:
        """Every number that it has or had."""
        found = await self._in.reads.all(_IDENTIFIERS, organisation_id=organisation_id)
        return [rows.identifier(row) for row in found]

    async def branches(self, organisation_id: str) -> list[Branch]:
        """Its branches as they are known now."""
        found = await self._in.reads.all(_BRANCHES, organisation_id=organisation_id)
        return [rows.branch(row) for row in found]

    async def registration_at(self, organisation_id: str, at_ms: int) -> Registration | None:
        """What was recorded as known at that instant."""
        row = await self._in.reads.one(_REGISTRATION_AT, organisation_id=organisation_id, at=at_ms)
        return None if row is None else rows.registration(row)

    async def add(
        self, organisation_id: str, identifier: Identifier, registration: Registration
    ) -> None:
        """Add an organisation with its first number and registration.

        Raises:
            UniqueViolation: another organisation has the number.
        """
        await self._in.writes.execute(
            _ADD,
            organisation_id=organisation_id,
            created_at=registration.recorded_at,
            suspended_at=None,
        )
        await self.add_identifier(organisation_id, identifier)
        await self._add_registration(registration)

    async def add_identifier(self, organisation_id: str, identifier: Identifier) -> None:
        """Add a number; the same number with the same beginning again writes its end.

        Raises:
            UniqueViolation: another organisation has the number.
        """
        await self._in.writes.execute(
            _ADD_IDENTIFIER,
            **rows.identifier_columns(organisation_id, identifier, self._in.now_ms()),
        )

    async def replace_registration(self, registration: Registration) -> None:
        """End the open row at ``registration.recorded_at`` and add this one."""
        writes = self._in.writes
        for known in await writes.all(NAMES, ids=[registration.organisation_id]):
            await writes.many(REMOVE_NAME, rows.folded_names(*known))
        await writes.execute(
            END_REGISTRATION,
            organisation_id=registration.organisation_id,
            now=registration.recorded_at,
        )
        await self._add_registration(registration)

    async def _add_registration(self, registration: Registration) -> None:
        await self._in.writes.execute(ADD_REGISTRATION, **rows.registration_columns(registration))
        await self._in.writes.many(ADD_NAME, rows.folded_names_of(registration))

    async def add_branch(self, branch: Branch, now_ms: int) -> None:
        """Add a branch, or replace what is known of it."""
        key = {"organisation_id": branch.organisation_id, "code": branch.code}
        await self._in.writes.execute(_END_BRANCH, **key, now=now_ms)
        await self._in.writes.execute(
            _ADD_BRANCH,
            **key,
            recorded_at=now_ms,
            ended_at=None,
            **name_columns(branch.names),
            address=branch.address,
            source=branch.source,
            as_of=branch.as_of,
        )

    async def suspend(self, organisation_id: str, now_ms: int) -> bool:
        """Suspend it; False when it is suspended already or not known."""
        changed = await self._in.writes.execute(
            _SUSPEND, organisation_id=organisation_id, now=now_ms
        )
        return changed == 1

    async def resume(self, organisation_id: str) -> bool:
        """Lift the suspension; False when there is none."""
        return await self._in.writes.execute(_RESUME, organisation_id=organisation_id) == 1
