"""Self-registered clients and the initial access tokens that let them in."""

from typing import Any, Final

import orjson
from sqlalchemy import bindparam, func, select

from corpid.services.records import InitialToken, SelfRegistration
from corpid.storage.constructs import (
    MAX_ROWS,
    adding,
    adding_once,
    changing,
    finding,
    given,
    table,
)
from corpid.storage.mapping import json_text
from corpid.storage.scope import Repository
from corpid.storage.statement import Statement

_token = table("registration_token")
_registration = table("client_registration")

_TOKEN: Final = finding(_token, given(_token.c.token_hash))
_TOKENS: Final = Statement(
    select(*_token.c)
    .order_by(_token.c.created_at.desc(), _token.c.token_id)
    .limit(bindparam("limit"))
)
_ADD_TOKEN: Final = adding(_token)
_USE_TOKEN: Final = changing(
    _token,
    given(_token.c.token_id),
    _token.c.uses_left > 0,
    _token.c.expires_at > bindparam("now"),
    _token.c.ended_at.is_(None),
    uses_left=_token.c.uses_left - 1,
)
_END_TOKEN: Final = changing(
    _token, given(_token.c.token_id), _token.c.ended_at.is_(None), ended_at=bindparam("now")
)
_OF: Final = finding(_registration, given(_registration.c.client_id))
_ADD_ONCE: Final = adding_once(_registration)
_SINCE: Final = (
    select(func.count())
    .select_from(_registration)
    .where(_registration.c.registered_at > bindparam("since"))
)
_OF_DOCUMENT: Final = _registration.c.client_id.startswith("https://")
_COUNT: Final = Statement(_SINCE.where(~_OF_DOCUMENT))
_COUNT_DOCUMENTS: Final = Statement(_SINCE.where(_OF_DOCUMENT))


class SqlRegistrations(Repository):
    """``services.ports.Registrations``."""

    __slots__ = ()

    async def initial_token(self, token_hash: bytes) -> InitialToken | None:
        """By the hash of the token."""
        row = await self._in.reads.one(_TOKEN, token_hash=token_hash)
        return None if row is None else _initial(row)

    async def initial_tokens(self, limit: int = MAX_ROWS) -> list[InitialToken]:
        """The newest first."""
        return [_initial(row) for row in await self._in.reads.all(_TOKENS, limit=limit)]

    async def add_initial_token(self, token: InitialToken) -> None:
        """Keep a token."""
        await self._in.writes.execute(
            _ADD_TOKEN,
            token_id=token.token_id,
            token_hash=token.token_hash,
            label=token.label,
            policy=None if token.policy is None else json_text(token.policy),
            uses_left=token.uses_left,
            created_at=token.created_at,
            expires_at=token.expires_at,
            ended_at=token.ended_at,
        )

    async def use_initial_token(self, token_id: str, now_ms: int) -> bool:
        """Count a use; False when none is left, or it has ended."""
        return bool(await self._in.writes.execute(_USE_TOKEN, token_id=token_id, now=now_ms))

    async def end_initial_token(self, token_id: str, now_ms: int) -> bool:
        """Revoke; False when it was before, or is not known."""
        return bool(await self._in.writes.execute(_END_TOKEN, token_id=token_id, now=now_ms))

    async def of(self, client_id: str) -> SelfRegistration | None:
        """How this client registered itself, if it did."""
        row = await self._in.reads.one(_OF, client_id=client_id)
        if row is None:
            return None
        name, token_hash, initial, policy, registered_at = row
        return SelfRegistration(name, token_hash, initial, orjson.loads(policy), registered_at)

    async def add(self, registration: SelfRegistration) -> bool:
        """Keep how a client registered itself; False when it has already.

        Another process that adds the same client is waited for.
        """
        added = await self._in.writes.execute(
            _ADD_ONCE,
            client_id=registration.client_id,
            token_hash=registration.token_hash,
            initial_token_id=registration.initial_token_id,
            policy=json_text(registration.policy),
            registered_at=registration.registered_at,
        )
        return added == 1

    async def count_since(self, at_ms: int) -> int:
        """How many that are kept registered after that instant, by request."""
        row = await self._in.reads.one(_COUNT, since=at_ms)
        return 0 if row is None else int(row[0])

    async def count_documents_since(self, at_ms: int) -> int:
        """The same of those whose id is the address of their metadata."""
        row = await self._in.reads.one(_COUNT_DOCUMENTS, since=at_ms)
        return 0 if row is None else int(row[0])


def _initial(row: tuple[Any, ...]) -> InitialToken:
    token_id, token_hash, label, policy, uses_left, created_at, expires_at, ended_at = row
    return InitialToken(
        token_id,
        token_hash,
        label,
        None if policy is None else orjson.loads(policy),
        uses_left,
        created_at,
        expires_at,
        ended_at,
    )
