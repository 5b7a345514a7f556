"""The end session endpoint (OpenID Connect RP-Initiated Logout 1.0): GET and POST.

What the relying party says is checked here; whether the session ends at once, or the person is
asked, is the host's decision (``Logouts``). Nothing is redirected to but what the client that is
named, or that an ID token of ours names, has registered.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from keys import jws, jwt
from keys.errors import KeysError
from keys.jwk import JwkSet
from keys.record import record
from oidc.errors import InvalidRequest, OAuthError
from oidc.logout_ports import LogoutRequest, Logouts
from oidc.ports import Redirect
from oidc.profiles import PROFILES
from oidc.provider.authorization_request import MAX_STATE
from oidc.provider.authorize import accept_language
from oidc.provider.context import Provider
from oidc.provider.tokens import session_identifier
from oidc.records import Client
from oidc.request import (
    Receive,
    Scope,
    Send,
    parse_parameters,
    read_cookies,
    read_form,
    require_method,
)
from oidc.response import ERROR_PAGE_POLICY, page_headers, send_bytes, send_redirect

PARAMETERS: Final = (
    "id_token_hint",
    "logout_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "ui_locales",
)
_ALGS: Final = frozenset(alg for one in PROFILES.values() for alg in one.id_token_algs)
_ID_TOKEN_TYPE: Final = "JWT"


@record
class _Hint:
    """An ID token that was issued here, however long ago."""

    client: Client
    sid: str | None


class EndSessionEndpoint:
    """GET and POST /end-session."""

    def __init__(self, provider: Provider, logouts: Logouts) -> None:
        self._provider = provider
        self._logouts = logouts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Every error is a page: no address is trusted with one."""
        parameters: Mapping[str, str] = {}
        try:
            parameters = await _read(scope, receive)
            request = await self._check(parameters, posted=scope["method"] == "POST")
            answer = await self._logouts.end(request, read_cookies(scope), accept_language(scope))
        except OAuthError as error:
            await self._show_error(scope, send, error, parameters)
            return
        if isinstance(answer, Redirect):
            await send_redirect(send, answer.location, answer.cookies)
            return
        cookies = [(b"set-cookie", cookie.encode("latin-1")) for cookie in answer.cookies]
        headers = [*page_headers(answer.page.content_security_policy), *cookies]
        await send_bytes(send, answer.status, headers, answer.page.body)

    async def _check(self, parameters: Mapping[str, str], *, posted: bool) -> LogoutRequest:
        """The request's checks, in this order.

        Raises:
            InvalidRequest: the hint is not an ID token of ours, or not the named client's; the
                client is unknown; the address is not registered; state is too long.
        """
        hint = await self._hint(parameters.get("id_token_hint"))
        client = await self._client(parameters.get("client_id"), hint)
        location = _location(parameters, client)
        return LogoutRequest(
            client=client,
            location=location,
            hinted=hint is not None,
            is_session=lambda session_id: self._is_session(hint, session_id),
            ui_locales=tuple(parameters.get("ui_locales", "").split()),
            parameters={name: parameters[name] for name in PARAMETERS if name in parameters},
            posted=posted,
            # What our own page adds when it asks. Never taken from an address.
            csrf=parameters.get("csrf", "") if posted else "",
            action=parameters.get("action", "") if posted else "",
        )

    async def _hint(self, compact: str | None) -> _Hint | None:
        """Who an ID token is for, and of which session (RP-Initiated Logout 1.0, 2).

        The client is looked up by an audience that is not verified yet, and the token is then
        verified to be for that very client.
        """
        if compact is None:
            return None
        provider = self._provider
        try:
            audience = jwt.unverified_claims(compact).get("aud")
            client = await self._named(audience)
            if client is None:
                raise InvalidRequest("the client of the id_token_hint is not registered")
            keys = JwkSet.parse(provider.signers.jwks())
            # A logout token is for the client too, and a signed UserInfo response.
            verified = jws.verify(jws.parse(compact), keys, algs=_ALGS, typ=_ID_TOKEN_TYPE)
            claims = jwt.parse_claims(verified.payload)
            issued = claims.get("iat")
            jwt.check_claims(
                claims,
                issuer=provider.config.issuer,
                audience=client.client_id,
                now=issued if isinstance(issued, int) else 0,  # expired is as good as fresh
                require=("exp", "iat", "sub"),
            )
        except KeysError:
            raise InvalidRequest("id_token_hint is not an ID token that was issued here") from None
        return _Hint(client, _text(claims.get("sid")))

    async def _client(self, client_id: str | None, hint: _Hint | None) -> Client | None:
        if hint is not None:
            if client_id not in {None, hint.client.client_id}:
                raise InvalidRequest("client_id is not the client of the id_token_hint")
            return hint.client
        if client_id is None:
            return None
        client = await self._named(client_id)
        if client is None:
            raise InvalidRequest("no relying party is registered under this client_id")
        return client

    async def _named(self, client_id: Any) -> Client | None:
        if not isinstance(client_id, str) or "\0" in client_id:
            return None
        return await self._provider.store.read.client(client_id)

    def _is_session(self, hint: _Hint | None, session_id: str) -> bool:
        if hint is None or hint.sid is None:
            return False
        return session_identifier(self._provider, hint.client, session_id) == hint.sid

    async def _show_error(
        self, scope: Scope, send: Send, error: OAuthError, parameters: Mapping[str, str]
    ) -> None:
        page = await self._provider.interactions.error_page(
            error.code,
            error.description,
            tuple(parameters.get("ui_locales", "").split()),
            accept_language(scope),
        )
        extra = [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        await send_bytes(send, error.status, [*page_headers(ERROR_PAGE_POLICY), *extra], page)


def _location(parameters: Mapping[str, str], client: Client | None) -> str | None:
    """Where the browser may go afterwards; None where nobody vouches for an address."""
    state = parameters.get("state")
    if state is not None and len(state) > MAX_STATE:
        raise InvalidRequest(f"state is longer than {MAX_STATE} characters")
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None or client is None:
        return None
    if uri not in client.post_logout_redirect_uris:  # as a string, port and all
        raise InvalidRequest("this client has not registered this post_logout_redirect_uri")
    if state is None:
        return uri
    query = urlencode({"state": state})
    if "?" not in uri:
        return f"{uri}?{query}"
    return f"{uri}{query}" if uri.endswith(("?", "&")) else f"{uri}&{query}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


async def _read(scope: Scope, receive: Receive) -> dict[str, str]:
    require_method(scope, "GET", "POST")
    if scope["method"] == "POST":
        return await read_form(scope, receive)
    return parse_parameters(scope.get("query_string", b""))
