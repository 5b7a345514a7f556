"""Status lists as signed JWTs and CWTs (Token Status List, 8 and 9), from memory."""

import re
from typing import Final
from urllib.parse import parse_qs

import orjson

from keys.clock import Clock
from oidc.documents import matches
from oidc.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from oidc.issuer.ports import ServedStatusList, StatusTokens
from oidc.request import Receive, Scope, Send, header_values, require_method
from oidc.response import Headers, send_bytes, send_error

JWT: Final = b"application/statuslist+jwt"
CWT: Final = b"application/statuslist+cwt"
_PAST_AGE: Final = 86_400
"""Seconds that a past list may be cached: what was does not change."""
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_VARY: Final = (b"vary", b"Accept")
_JSON: Final = (b"content-type", b"application/json")


class StatusListEndpoint:
    """GET at ``…/status/{list_id}``; open to everybody, so the present one costs no disk, no key.

    With ``?time=`` it is the list as it was then (8.4).
    """

    def __init__(self, tokens: StatusTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
            at = _time(scope)
            served = self._present(scope) if at is None else await self._past(scope, at)
        except OAuthError as error:
            await send_error(send, error)
            return
        age = _PAST_AGE if at is not None else self._age(served)
        as_cwt = wants_cwt(scope)
        etag = served.cwt_etag if as_cwt else served.etag
        headers: Headers = [
            (b"content-type", CWT if as_cwt else JWT),
            (b"cache-control", b"public, max-age=%d" % age),
            (b"etag", etag),
            _VARY,
            _NO_SNIFF,
        ]
        if matches(scope, etag):
            await send_bytes(send, 304, headers[1:], b"")
            return
        body = served.cwt if as_cwt else served.body
        await send_bytes(send, 200, headers, b"" if scope["method"] == "HEAD" else body)

    def _age(self, served: ServedStatusList) -> int:
        return min(served.ttl, max(0, int(served.expires_at - self._clock())))

    def _present(self, scope: Scope) -> ServedStatusList:
        served = self._tokens.current(_list_id(scope))
        if served is None:
            raise InvalidRequest("there is no such status list", status=404)
        if self._clock() >= served.expires_at:
            # Stale is worse than none: a verifier must come out undetermined, not valid.
            raise TemporarilyUnavailable("the status list is being renewed: try again")
        return served

    async def _past(self, scope: Scope, at: int) -> ServedStatusList:
        list_id = _list_id(scope)
        if self._tokens.current(list_id) is None:
            raise InvalidRequest("there is no such status list", status=404)
        served = await self._tokens.past(list_id, at)
        if served is None:
            raise InvalidRequest("of that time no status list is known", status=404)
        return served


class StatusAggregationEndpoint:
    """GET at ``…/status``: the URIs of all lists (Token Status List, 9)."""

    def __init__(self, tokens: StatusTokens, max_age: int) -> None:
        self._tokens = tokens
        self._age = (b"cache-control", b"public, max-age=%d" % max_age)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
            return
        body = orjson.dumps({"status_lists": list(self._tokens.uris())})
        headers: Headers = [_JSON, self._age, _NO_SNIFF]
        await send_bytes(send, 200, headers, b"" if scope["method"] == "HEAD" else body)


def wants_cwt(scope: Scope) -> bool:
    """Whether Accept prefers the CWT (RFC 9110 12.5.1). In doubt it is the JWT."""
    quality = {JWT: -1.0, CWT: -1.0}
    for value in header_values(scope, b"accept"):
        for one in value.split(b","):
            name, _, parameters = one.partition(b";")
            kind = name.strip().lower()
            if kind in quality:
                quality[kind] = max(quality[kind], _quality(parameters))
    return quality[CWT] > max(0.0, quality[JWT])


def _quality(parameters: bytes) -> float:
    for one in parameters.split(b";"):
        name, _, value = one.partition(b"=")
        if name.strip().lower() == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _list_id(scope: Scope) -> str:
    return str(scope["path"]).rpartition("/")[2]


def _time(scope: Scope) -> int | None:
    query = scope.get("query_string", b"")
    if not query:
        return None
    found = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("time")
    if found is None:
        return None
    (text, *others) = found
    if others or _SECONDS.fullmatch(text) is None:
        raise InvalidRequest("time is one number of seconds since 1970")
    return int(text)
