"""The authorization server's storage: oidc's ports over a scope."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import orjson

from corpid.storage import provider_statements as sql
from corpid.storage.change_counters import ChangeCounters
from corpid.storage.client_cache import ClientCache
from corpid.storage.interface import Database, Transaction
from corpid.storage.mapping import json_text, words
from corpid.storage.polled_requests import PolledReads, PolledWrites
from corpid.storage.provider_records import (
    access_token_and_grant,
    client,
    code_and_grant,
    grant,
    grant_columns,
    preauthorized_offer,
    refresh_token_and_grant,
)
from corpid.storage.repositories.authority import SqlAuthority
from corpid.storage.repositories.operations import add_audit, changes
from corpid.storage.scope import Scope
from keys.clock import Clock, Random
from oidc.ports import Detail, ProviderWrites
from oidc.records import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    Client,
    Grant,
    PreAuthorizedOffer,
    PushedRequest,
    RefreshToken,
)

T = TypeVar("T")


class SqlProviderReads(PolledReads):
    """``oidc.ports.ProviderReads``."""

    __slots__ = ()

    async def client(self, client_id: str) -> Client | None:
        """See ``ProviderReads.client``; parsed once per value of the change counter."""
        scope = self._in
        version = (await changes(scope)).get("clients", 0)
        known = scope.clients.get(client_id, version)
        if known is not None:
            return known
        row = await scope.reads.one(sql.CLIENT, client_id=client_id)
        if row is None:
            return None
        found = client(row[1:])
        if scope.writes is not scope.reads:  # a transaction's state may be rolled back
            scope.clients.put(found, row[0] or 0)
        return found

    async def pushed_request(self, request_hash: bytes) -> PushedRequest | None:
        """See ``ProviderReads.pushed_request``."""
        row = await self._in.reads.one(sql.PUSHED_REQUEST, request_hash=request_hash)
        if row is None:
            return None
        key, client_id, parameters, dpop_jkt, expires_at, used_at, counted = row
        return PushedRequest(
            key,
            client_id,
            orjson.loads(parameters),
            dpop_jkt,
            expires_at,
            used_at,
            counted=counted is not None,
        )

    async def code(self, code_hash: bytes) -> tuple[AuthorizationCode, Grant] | None:
        """See ``ProviderReads.code``."""
        row = await self._in.reads.one(sql.CODE, code_hash=code_hash)
        return None if row is None else code_and_grant(row)

    async def refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Grant] | None:
        """See ``ProviderReads.refresh_token``."""
        row = await self._in.reads.one(sql.REFRESH_TOKEN, token_hash=token_hash)
        return None if row is None else refresh_token_and_grant(row)

    async def access_token(self, token_hash: bytes) -> tuple[AccessToken, Grant | None] | None:
        """See ``ProviderReads.access_token``."""
        row = await self._in.reads.one(sql.ACCESS_TOKEN, token_hash=token_hash)
        if row is None:
            return None
        token, of = access_token_and_grant(row)
        if of is not None and of.authorization_details:
            # Here, so that nobody can forget that the token may have fewer of them.
            fewer = await self._in.reads.one(sql.NARROWED_TOKEN, token_hash=token_hash)
            if fewer is not None:
                of = replace(of, authorization_details=tuple(orjson.loads(fewer[1])))
        if of is not None and of.delegation is not None and token.ended_at is None:
            # Here, so that nobody can forget to ask the grants that the token rests on.
            token = replace(token, ended_at=await self._first_end(of.delegation.parents))
        return token, of

    async def _first_end(self, grant_ids: tuple[str, ...]) -> int | None:
        """When one of these grants ended; None while all of them live."""
        now = self._in.now_ms()
        for grant_id in grant_ids:
            row = await self._in.reads.one(sql.GRANT_END, grant_id=grant_id)
            if row is None:
                return now  # purged: it ended long ago
            ended_at, expires_at = row
            if ended_at is not None or expires_at <= now:
                return ended_at or expires_at  # type: ignore[no-any-return]
        return None

    async def offer(self, code_hash: bytes) -> PreAuthorizedOffer | None:
        """See ``ProviderReads.offer``."""
        row = await self._in.reads.one(sql.OFFER, code_hash=code_hash)
        if row is None:
            return None
        return preauthorized_offer(row)

    async def managed_grant(self, handle: str) -> Grant | None:
        """See ``ProviderReads.managed_grant``."""
        row = await self._in.reads.one(sql.MANAGED_GRANT, handle=handle)
        return None if row is None else grant(row)


class SqlProviderWrites(PolledWrites):
    """``oidc.ports.ProviderWrites``."""

    __slots__ = ()

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """See ``ProviderWrites.use_once``."""
        return bool(
            await self._in.writes.execute(sql.USE_ONCE, key_hash=key_hash, expires_at=expires_at)
        )

    async def add_pushed_request(self, request: PushedRequest) -> None:
        """See ``ProviderWrites.add_pushed_request``."""
        await self._in.writes.execute(
            sql.ADD_PUSHED_REQUEST,
            request_hash=request.request_hash,
            client_id=request.client_id,
            parameters=json_text(request.parameters),
            dpop_jkt=request.dpop_jkt,
            expires_at=request.expires_at,
            used_at=request.used_at,
            counted=1 if request.counted else None,
        )

    async def open_pushed_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        """See ``ProviderWrites.open_pushed_requests``."""
        row = await self._in.writes.one(
            sql.OPEN_PUSHED_REQUESTS, client_id=client_id, now=now_ms, at_most=at_most
        )
        return 0 if row is None else int(row[0])

    async def claim_pushed_request(self, request_hash: bytes, now_ms: int) -> bool:
        """See ``ProviderWrites.claim_pushed_request``."""
        return bool(
            await self._in.writes.execute(
                sql.CLAIM_PUSHED_REQUEST, request_hash=request_hash, now=now_ms
            )
        )

    async def add_grant(self, grant: Grant) -> None:
        """See ``ProviderWrites.add_grant``."""
        await self._in.writes.execute(sql.ADD_GRANT, **grant_columns(grant))

    async def end_grant(self, grant_id: str, now_ms: int, reason: str) -> None:
        """See ``ProviderWrites.end_grant``."""
        await self._in.writes.execute(sql.END_GRANT, grant_id=grant_id, now=now_ms, reason=reason)

    async def add_handle(self, grant: Grant) -> None:
        """See ``ProviderWrites.add_handle``."""
        await self._in.writes.execute(
            sql.ADD_MANAGED_GRANT,
            handle=grant.handle,
            grant_id=grant.grant_id,
            expires_at=grant.expires_at,
            ended_at=None,
        )

    async def take_place(self, grant: Grant, old_id: str, now_ms: int, reason: str) -> bool:
        """See ``ProviderWrites.take_place``."""
        execute = self._in.writes.execute
        taken = await execute(
            sql.TAKE_PLACE,
            handle=grant.handle,
            old_id=old_id,
            new_id=grant.grant_id,
            until=grant.expires_at,
        )
        # The grant may have ended without its handle: with its authority, or its session.
        return bool(taken) and bool(
            await execute(sql.END_GRANT, grant_id=old_id, now=now_ms, reason=reason)
        )

    async def end_handle(self, handle: str, now_ms: int, reason: str) -> str | None:
        """See ``ProviderWrites.end_handle``."""
        row = await self._in.writes.one(sql.END_MANAGED_GRANT, handle=handle, now=now_ms)
        if row is None:
            return None
        (grant_id,) = row
        ended = await self._in.writes.execute(
            sql.END_GRANT, grant_id=grant_id, now=now_ms, reason=reason
        )
        return str(grant_id) if ended else None

    async def add_code(self, code: AuthorizationCode) -> None:
        """See ``ProviderWrites.add_code``."""
        await self._in.writes.execute(
            sql.ADD_CODE,
            code_hash=code.code_hash,
            grant_id=code.grant_id,
            redirect_uri=code.redirect_uri,
            code_challenge=code.code_challenge,
            dpop_jkt=code.dpop_jkt,
            expires_at=code.expires_at,
            used_at=code.used_at,
        )

    async def claim_code(self, code_hash: bytes, now_ms: int) -> bool:
        """See ``ProviderWrites.claim_code``."""
        return bool(await self._in.writes.execute(sql.CLAIM_CODE, code_hash=code_hash, now=now_ms))

    async def add_access_token(self, token: AccessToken) -> None:
        """See ``ProviderWrites.add_access_token``."""
        await self._in.writes.execute(
            sql.ADD_ACCESS_TOKEN,
            token_hash=token.token_hash,
            grant_id=token.grant_id,
            client_id=token.client_id,
            scope=words(token.scope),
            audience=token.audience,
            jkt=token.jkt,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            ended_at=token.ended_at,
            x5t=token.x5t,
        )

    async def end_access_token(self, token_hash: bytes, now_ms: int) -> None:
        """See ``ProviderWrites.end_access_token``."""
        await self._in.writes.execute(sql.END_ACCESS_TOKEN, token_hash=token_hash, now=now_ms)

    async def narrow_access_token(self, token: AccessToken, details: Sequence[Detail]) -> None:
        """See ``ProviderWrites.narrow_access_token``."""
        await self._in.writes.execute(
            sql.ADD_NARROWED_TOKEN,
            token_hash=token.token_hash,
            details=json_text(details),
            expires_at=token.expires_at,
        )

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """See ``ProviderWrites.add_refresh_token``."""
        await self._in.writes.execute(
            sql.ADD_REFRESH_TOKEN,
            token_hash=token.token_hash,
            grant_id=token.grant_id,
            jkt=token.jkt,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            rotated_at=token.rotated_at,
        )

    async def claim_refresh_token(self, token_hash: bytes, now_ms: int) -> bool:
        """See ``ProviderWrites.claim_refresh_token``."""
        return bool(
            await self._in.writes.execute(
                sql.CLAIM_REFRESH_TOKEN, token_hash=token_hash, now=now_ms
            )
        )

    async def claim_offer(self, offer_id: str, now_ms: int) -> bool:
        """See ``ProviderWrites.claim_offer``."""
        return bool(await self._in.writes.execute(sql.CLAIM_OFFER, offer_id=offer_id, now=now_ms))

    async def count_wrong_transaction_code(
        self, offer_id: str, now_ms: int, limit: int, next_try_at: int
    ) -> bool:
        """See ``ProviderWrites.count_wrong_transaction_code``."""
        row = await self._in.writes.one(
            sql.COUNT_WRONG_TRANSACTION_CODE,
            offer_id=offer_id,
            now=now_ms,
            limit=limit,
            next_try_at=next_try_at,
        )
        return row is None or row[0] is not None

    async def standing(self, subject: str, actor: str, authority: str) -> object | None:
        """See ``ProviderWrites.standing``."""
        return await SqlAuthority(self._in).standing(subject, actor, authority)

    async def audit(self, event: AuditEvent) -> None:
        """See ``ProviderWrites.audit``."""
        await add_audit(self._in, event.event, event.facts)


class SqlProviderStore:
    """``oidc.ports.ProviderStore``."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        random: Random,
        clients: ClientCache,
        counters: ChangeCounters,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random
        self._clients = clients
        self._counters = counters
        self.read = SqlProviderReads(Scope(database, None, clock, random, clients, counters))

    async def write(self, work: Callable[[ProviderWrites], Awaitable[T]]) -> T:
        """See ``ProviderStore.write``."""

        def unit(transaction: Transaction) -> Awaitable[T]:
            scope = Scope(
                transaction, transaction, self._clock, self._random, self._clients, self._counters
            )
            return work(SqlProviderWrites(scope))

        return await self._database.write(unit)
