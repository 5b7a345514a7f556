"""A ProviderStore in memory: the rules of the real one, without its cost.

Every read gives other tasks a turn, so that races happen; every write is atomic and one at a
time; an exception rolls it back.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from oidc.ports import Detail
from oidc.records import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    Client,
    Grant,
    PolledRequest,
    PreAuthorizedOffer,
    PushedRequest,
    RefreshToken,
)

T = TypeVar("T")


@dataclass
class Tables:
    clients: dict[str, Client] = field(default_factory=dict)
    pushed: dict[bytes, PushedRequest] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    polled: dict[bytes, PolledRequest] = field(default_factory=dict)
    codes: dict[bytes, AuthorizationCode] = field(default_factory=dict)
    access_tokens: dict[bytes, AccessToken] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    narrowed: dict[bytes, tuple[Detail, ...]] = field(default_factory=dict)
    offers: dict[str, PreAuthorizedOffer] = field(default_factory=dict)
    used: dict[bytes, int] = field(default_factory=dict)
    events: list[AuditEvent] = field(default_factory=list)
    end_reasons: dict[str, str] = field(default_factory=dict)
    standing: dict[str, object] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)

    def snapshot(self) -> "Tables":
        return Tables(**{name: copy.copy(value) for name, value in vars(self).items()})


class MemoryStore:
    """``tables`` is there to be looked at and filled by tests."""

    def __init__(self) -> None:
        self.tables = Tables()
        self._lock = asyncio.Lock()

    @property
    def read(self) -> "Reads":
        return Reads(self.tables)

    async def write(self, work: Callable[["Writes"], Awaitable[T]]) -> T:
        async with self._lock:
            before = self.tables.snapshot()
            try:
                return await work(Writes(self.tables))
            except BaseException:
                self.tables = before
                raise


class Reads:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def client(self, client_id: str) -> Client | None:
        await asyncio.sleep(0)
        return self._tables.clients.get(client_id)

    async def pushed_request(self, request_hash: bytes) -> PushedRequest | None:
        await asyncio.sleep(0)
        return self._tables.pushed.get(request_hash)

    async def code(self, code_hash: bytes) -> tuple[AuthorizationCode, Grant] | None:
        await asyncio.sleep(0)
        code = self._tables.codes.get(code_hash)
        return (code, self._tables.grants[code.grant_id]) if code else None

    async def polled_request(self, code_hash: bytes) -> tuple[PolledRequest, Grant | None] | None:
        await asyncio.sleep(0)
        found = self._tables.polled.get(code_hash)
        if found is None:
            return None
        return found, None if found.grant_id is None else self._tables.grants[found.grant_id]

    async def polled_request_of(self, user_code_hash: bytes) -> PolledRequest | None:
        await asyncio.sleep(0)
        for one in self._tables.polled.values():
            if one.user_code_hash == user_code_hash:
                return one
        return None

    async def refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Grant] | None:
        await asyncio.sleep(0)
        token = self._tables.refresh_tokens.get(token_hash)
        return (token, self._tables.grants[token.grant_id]) if token else None

    async def access_token(self, token_hash: bytes) -> tuple[AccessToken, Grant | None] | None:
        await asyncio.sleep(0)
        token = self._tables.access_tokens.get(token_hash)
        if token is None:
            return None
        grant = self._tables.grants[token.grant_id] if token.grant_id else None
        fewer = self._tables.narrowed.get(token_hash)
        if grant is not None and fewer is not None:
            grant = replace(grant, authorization_details=fewer)
        if grant is not None and grant.delegation is not None:
            parents = [self._tables.grants[one] for one in grant.delegation.parents]
            ends = [one.ended_at for one in parents if one.ended_at is not None]
            token = replace(token, ended_at=min(ends, default=token.ended_at))
        return token, grant

    async def offer(self, code_hash: bytes) -> PreAuthorizedOffer | None:
        await asyncio.sleep(0)
        found = [one for one in self._tables.offers.values() if one.code_hash == code_hash]
        return found[0] if found else None

    async def managed_grant(self, handle: str) -> Grant | None:
        await asyncio.sleep(0)
        grant_id = self._tables.handles.get(handle)
        return self._tables.grants[grant_id] if grant_id else None


class Writes:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        if key_hash in self._tables.used:
            return False
        self._tables.used[key_hash] = expires_at
        return True

    async def add_pushed_request(self, request: PushedRequest) -> None:
        self._tables.pushed[request.request_hash] = request

    async def open_pushed_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        found = [
            one
            for one in self._tables.pushed.values()
            if one.client_id == client_id
            and one.counted
            and one.used_at is None
            and now_ms < one.expires_at
        ]
        return min(len(found), at_most)

    async def claim_pushed_request(self, request_hash: bytes, now_ms: int) -> bool:
        pushed = self._tables.pushed[request_hash]
        if pushed.used_at is not None:
            return False
        self._tables.pushed[request_hash] = replace(pushed, used_at=now_ms)
        return True

    async def add_grant(self, grant: Grant) -> None:
        self._tables.grants[grant.grant_id] = grant

    async def end_grant(self, grant_id: str, now_ms: int, reason: str) -> None:
        tables = self._tables
        tables.grants[grant_id] = replace(tables.grants[grant_id], ended_at=now_ms)
        tables.end_reasons[grant_id] = reason
        for key, token in tables.access_tokens.items():
            if token.grant_id == grant_id:
                tables.access_tokens[key] = replace(token, ended_at=now_ms)

    async def add_handle(self, grant: Grant) -> None:
        assert grant.handle is not None
        self._tables.handles[grant.handle] = grant.grant_id

    async def take_place(self, grant: Grant, old_id: str, now_ms: int, reason: str) -> bool:
        assert grant.handle is not None
        stands_for = self._tables.handles.get(grant.handle)
        if stands_for != old_id or self._tables.grants[old_id].ended_at is not None:
            return False
        self._tables.handles[grant.handle] = grant.grant_id
        await self.end_grant(old_id, now_ms, reason)
        return True

    async def end_handle(self, handle: str, now_ms: int, reason: str) -> str | None:
        grant_id = self._tables.handles.pop(handle, None)
        if grant_id is None or self._tables.grants[grant_id].ended_at is not None:
            return None
        await self.end_grant(grant_id, now_ms, reason)
        return grant_id

    async def add_code(self, code: AuthorizationCode) -> None:
        self._tables.codes[code.code_hash] = code

    async def claim_code(self, code_hash: bytes, now_ms: int) -> bool:
        code = self._tables.codes[code_hash]
        if code.used_at is not None:
            return False
        self._tables.codes[code_hash] = replace(code, used_at=now_ms)
        return True

    async def add_polled_request(self, request: PolledRequest) -> bool:
        taken = {one.user_code_hash for one in self._tables.polled.values()} - {None}
        if request.user_code_hash in taken:
            return False
        self._tables.polled[request.code_hash] = request
        return True

    async def open_polled_requests(self, client_id: str, now_ms: int, at_most: int) -> int:
        found = [
            one
            for one in self._tables.polled.values()
            if one.client_id == client_id and one.is_open(now_ms)
        ]
        return min(len(found), at_most)

    async def open_polled_requests_like(self, request: PolledRequest, at_most: int) -> int:
        whom = (request.client_id, request.actor, request.subject if request.actor is None else "")
        found = [
            one
            for one in self._tables.polled.values()
            if (one.client_id, one.actor, one.subject if one.actor is None else "") == whom
            and one.is_open(request.created_at)
        ]
        return min(len(found), at_most)

    async def count_poll(self, code_hash: bytes, now_ms: int, slower_by: int) -> int:
        found = self._tables.polled[code_hash]
        interval = found.interval + (slower_by if now_ms < found.next_poll_at else 0)
        next_poll_at = now_ms + interval - 1000
        self._tables.polled[code_hash] = replace(
            found, interval=interval, next_poll_at=next_poll_at
        )
        return interval

    async def approve_polled_request(self, code_hash: bytes, grant_id: str, now_ms: int) -> bool:
        found = self._tables.polled[code_hash]
        if not found.is_open(now_ms):
            return False
        self._tables.polled[code_hash] = replace(found, grant_id=grant_id)
        return True

    async def refuse_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        found = self._tables.polled[code_hash]
        if not found.is_open(now_ms):
            return False
        self._tables.polled[code_hash] = replace(found, refused_at=now_ms)
        return True

    async def claim_polled_request(self, code_hash: bytes, now_ms: int) -> bool:
        found = self._tables.polled[code_hash]
        if found.used_at is not None:
            return False
        self._tables.polled[code_hash] = replace(found, used_at=now_ms)
        return True

    async def add_access_token(self, token: AccessToken) -> None:
        self._tables.access_tokens[token.token_hash] = token

    async def end_access_token(self, token_hash: bytes, now_ms: int) -> None:
        token = self._tables.access_tokens[token_hash]
        self._tables.access_tokens[token_hash] = replace(token, ended_at=now_ms)

    async def narrow_access_token(self, token: AccessToken, details: Sequence[Detail]) -> None:
        self._tables.narrowed[token.token_hash] = tuple(details)

    async def add_refresh_token(self, token: RefreshToken) -> None:
        self._tables.refresh_tokens[token.token_hash] = token

    async def claim_refresh_token(self, token_hash: bytes, now_ms: int) -> bool:
        token = self._tables.refresh_tokens[token_hash]
        if token.rotated_at is not None:
            return False
        self._tables.refresh_tokens[token_hash] = replace(token, rotated_at=now_ms)
        return True

    async def claim_offer(self, offer_id: str, now_ms: int) -> bool:
        offer = self._tables.offers[offer_id]
        if offer.used_at is not None or offer.ended_at is not None:
            return False
        self._tables.offers[offer_id] = replace(offer, used_at=now_ms)
        return True

    async def count_wrong_transaction_code(
        self, offer_id: str, now_ms: int, limit: int, next_try_at: int
    ) -> bool:
        offer = self._tables.offers[offer_id]
        tries = offer.wrong_tries + 1
        ended = now_ms if tries >= limit else offer.ended_at
        self._tables.offers[offer_id] = replace(
            offer, wrong_tries=tries, ended_at=ended, next_try_at=next_try_at
        )
        return ended is not None

    async def standing(self, subject: str, actor: str, authority: str) -> object | None:
        return self._tables.standing.get(authority)

    async def audit(self, event: AuditEvent) -> None:
        self._tables.events.append(event)
