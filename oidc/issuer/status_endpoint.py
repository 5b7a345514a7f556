"""Status lists as signed JWTs (Token Status List, section 8), from memory only."""

from typing import Final
from urllib.parse import parse_qs

from keys.clock import Clock
from oidc.documents import matches
from oidc.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from oidc.issuer.ports import ServedStatusList, StatusTokens
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import CORS, Headers, send_bytes, send_error

_MEDIA_TYPE: Final = (b"content-type", b"application/statuslist+jwt")


class StatusListEndpoint:
    """GET at ``…/status/{list_id}``; open to everybody, so it touches neither disk nor key."""

    def __init__(self, tokens: StatusTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            served = self._find(scope)
        except OAuthError as error:
            await send_error(send, error)
            return
        remaining = max(0, int(served.expires_at - self._clock()))
        headers: Headers = [
            _MEDIA_TYPE,
            (b"cache-control", b"public, max-age=%d" % min(served.ttl, remaining)),
            (b"etag", served.etag),
            (b"x-content-type-options", b"nosniff"),
            *CORS,
        ]
        if matches(scope, served.etag):
            await send_bytes(send, 304, headers[1:], b"")
            return
        await send_bytes(send, 200, headers, b"" if scope["method"] == "HEAD" else served.body)

    def _find(self, scope: Scope) -> ServedStatusList:
        require_method(scope, "GET", "HEAD")
        served = self._tokens.current(str(scope["path"]).rpartition("/")[2])
        if served is None:
            raise InvalidRequest("there is no such status list", status=404)
        query = scope.get("query_string", b"")
        if query and "time" in parse_qs(query.decode("latin-1"), keep_blank_values=True):
            # Section 8.4: an issuer that keeps no history says so.
            raise InvalidRequest("past status lists are not kept", status=501)
        if self._clock() >= served.expires_at:
            # Stale is worse than none: a verifier must come out undetermined, not valid.
            raise TemporarilyUnavailable("the status list is being renewed: try again")
        return served
