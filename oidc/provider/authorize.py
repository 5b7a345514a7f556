"""The authorization endpoint (RFC 6749 3.1, RFC 9101, 9126 4, 9207, OpenID Connect Core 3.1.2).

An error goes to the client only once its redirect URI is trusted; before that it is a page.
The host decides who acts for whom: at once, or after its own pages, which end in ``prepare``.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from keys.record import record
from oidc import dated
from oidc.errors import (
    InvalidClient,
    InvalidRequest,
    InvalidRequestUri,
    OAuthError,
    RequestNotSupported,
)
from oidc.ports import Approval, AuthorizationRequest, ProviderWrites, Redirect
from oidc.profiles import PROFILES
from oidc.provider import authorization_details, managed_grants, request_object
from oidc.provider.authorization_request import (
    MAX_STATE,
    require_signed,
    trusted_redirect_uri,
    validate,
)
from oidc.provider.authorization_response import (
    AuthorizationResponse,
    make_response,
    mode_for_errors,
)
from oidc.provider.client_documents import find_client
from oidc.provider.context import Provider
from oidc.provider.resources import REPEATABLE
from oidc.records import AuditEvent, AuthorizationCode, Client, Grant, PushedRequest
from oidc.request import (
    Receive,
    Scope,
    Send,
    header_values,
    parse_parameters,
    read_cookies,
    read_form,
    require_method,
)
from oidc.response import ERROR_PAGE_POLICY, page_headers, send_bytes, send_redirect
from oidc.secrets import AUTHORIZATION_CODE, REQUEST_URI, new_grant_id

MAX_LANGUAGE_HEADER: Final = 1024


@record
class Completion:
    """An approved request: ``response`` is true as soon as ``work`` has committed."""

    response: AuthorizationResponse
    work: Callable[[ProviderWrites], Awaitable[None]]


@record
class _Asked:
    """A request whose redirect URI is trusted. ``parameters`` are yet to be checked.

    With a ``refusal`` they need not be: its request object cannot be used.
    """

    client: Client
    parameters: Mapping[str, str]
    redirect_uri: str
    pushed: PushedRequest | None = None
    refusal: OAuthError | None = None


class AuthorizeEndpoint:
    """GET and POST /authorize."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        parameters: Mapping[str, str] = {}
        try:
            parameters = await _read(scope, receive)
            asked = await self._trust(parameters)
        except OAuthError as error:
            await self._show(scope, send, error, parameters)
            return
        cookies: tuple[str, ...] = ()
        try:
            if asked.refusal is None:
                response, cookies = await self._answer(scope, asked)
            else:
                response = await self._error_response(asked, asked.refusal)
        except InvalidRequestUri as error:
            await self._show(scope, send, error, parameters)
            return
        except OAuthError as error:
            response = await self._error_response(asked, error)
        await self._send(scope, send, response, asked.parameters, cookies)

    async def complete(
        self, request: AuthorizationRequest, approval: Approval
    ) -> AuthorizationResponse:
        """Issue the code; where to send the browser.

        Raises:
            InvalidRequestUri: the pushed request was used meanwhile; nothing was issued.
            OAuthError: the approval does not hold any more; nothing was issued.
        """
        completion = await self.prepare(request, approval)
        await self._provider.interactions.confirm(approval, completion.work)
        return completion.response

    async def prepare(self, request: AuthorizationRequest, approval: Approval) -> Completion:
        """A code for an approved request, to be stored by ``work`` in one transaction.

        The pushed request is used up here and not earlier, so that a page may be reloaded
        (RFC 9126 4). ``work`` raises InvalidRequestUri when another use came first, and
        InvalidGrantId when the grant that is to be merged or replaced has ended or changed.

        Raises:
            InvalidGrantId: that grant is not of this person and subject.
        """
        provider = self._provider
        now_ms = provider.now_ms()
        expires_at = now_ms + provider.config.lifetimes.code * 1000
        ends = dated.instant(expires_at)
        code = dated.new_token(AUTHORIZATION_CODE, ends, provider.random)
        grant = self._grant(request, approval, now_ms)
        row = AuthorizationCode(
            code_hash=provider.hasher.key(code, ends),
            grant_id=grant.grant_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            dpop_jkt=request.dpop_jkt,
            expires_at=expires_at,
        )
        facts: dict[str, Any] = {
            "client_id": grant.client_id,
            "grant_id": grant.grant_id,
            "subject": grant.subject,
            "actor": grant.actor,
            "authority": grant.authority,
            "scope": " ".join(grant.scope),
            "acr": grant.acr,
        }
        amends = managed_grants.check_approved(request, approval)
        if amends is not None:
            facts["grant_management_action"] = request.grant_action
            facts["in_place_of"] = amends.grant_id
        if grant.authorization_details:
            facts["authorization_details"] = [dict(one) for one in grant.authorization_details]
        pushed = request.pushed_request_hash

        async def work(writes: ProviderWrites) -> None:
            if pushed is not None and not await writes.claim_pushed_request(pushed, now_ms):
                raise InvalidRequestUri("this request was completed before: begin again")
            await writes.add_grant(grant)
            if grant.handle is not None:
                await managed_grants.keep(writes, grant, request, now_ms)
            await writes.add_code(row)
            await writes.audit(AuditEvent("authorization.granted", facts))

        response = await make_response(
            provider,
            request.client,
            request.redirect_uri,
            request.response_mode,
            {"code": code, "state": request.state},
        )
        return Completion(response, work)

    async def refuse(
        self, request: AuthorizationRequest, error: OAuthError
    ) -> AuthorizationResponse:
        """Where to send the browser with an error, after the host's pages."""
        asked = _Asked(request.client, request.parameters, request.redirect_uri)
        return await self._error_response(asked, error)

    async def _trust(self, parameters: Mapping[str, str]) -> _Asked:
        """The client and its redirect URI. Errors from here are for the person only."""
        client_id = parameters.get("client_id")
        if client_id is None:
            raise InvalidRequest("client_id is missing")
        try:
            client = await find_client(self._provider, client_id)
        except InvalidClient as error:
            # Nobody tried to authenticate: for the person it is a wrong request like any other.
            raise InvalidRequest(error.description) from None
        if client is None:
            raise InvalidRequest("no relying party is registered under this client_id")
        request_uri = parameters.get("request_uri")
        if request_uri is not None and "request" in parameters:
            raise InvalidRequest("request and request_uri exclude each other (RFC 9101 5)")
        if request_uri is not None and request_uri.startswith(REQUEST_URI):
            pushed = await self._pushed(request_uri, client)
            # What stands outside a pushed request does not count (RFC 9101 6.3).
            return _Asked(
                client, pushed.parameters, trusted_redirect_uri(pushed.parameters, client), pushed
            )
        if (
            PROFILES[client.profile].pushed_requests_required
            or client.require_pushed_authorization_requests
        ):
            raise InvalidRequest("this client must push its authorization requests (RFC 9126)")
        try:
            inside = await self._inside(parameters, client)
        except OAuthError as error:
            try:
                redirect_uri = trusted_redirect_uri(parameters, client)
            except OAuthError:
                raise error from None
            # What stands outside is good for this only: to tell the client that is named there.
            return _Asked(client, parameters, redirect_uri, refusal=error)
        return _Asked(client, inside, trusted_redirect_uri(inside, client))

    async def _inside(self, parameters: Mapping[str, str], client: Client) -> Mapping[str, str]:
        """The parameters that count: those of the request object where there is one.

        Its ``jti`` is not used up, so that the page may be reloaded: what comes back to the client
        is bound to its ``state`` and ``nonce``, as with parameters that nobody signed.
        """
        provider = self._provider
        compact = parameters.get("request")
        request_uri = parameters.get("request_uri")
        if request_uri is not None:
            compact = await request_object.fetch(request_uri, client, provider.outbound)
        if compact is None:
            require_signed(client)
            return parameters
        if request_object.is_unsigned(compact):
            raise RequestNotSupported("request objects without a signature are not supported")
        signer = await provider.client_keys.for_jws(client, compact)
        return request_object.read(
            compact, signer, provider.config.issuer, provider.clock()
        ).parameters

    async def _pushed(self, request_uri: str, client: Client) -> PushedRequest:
        provider = self._provider
        pushed = await provider.store.read.pushed_request(provider.hasher.key(request_uri))
        if pushed is None or pushed.client_id != client.client_id:
            raise InvalidRequestUri("this client pushed no request of that request_uri")
        if pushed.used_at is not None:
            raise InvalidRequestUri("this request was completed before: begin again")
        if provider.now_ms() >= pushed.expires_at:
            raise InvalidRequestUri("this request has expired: begin again")
        return pushed

    async def _answer(
        self, scope: Scope, asked: _Asked
    ) -> tuple[AuthorizationResponse, tuple[str, ...]]:
        pushed = asked.pushed
        request = await validate(
            asked.parameters,
            asked.client,
            self._provider.config,
            dpop_jkt=None if pushed is None else pushed.dpop_jkt,
            pushed_request_hash=None if pushed is None else pushed.request_hash,
        )
        if request.grant_id is not None:
            request = await managed_grants.resolved(
                request, self._provider.store.read, self._provider.config, self._provider.now_ms()
            )
        decision = await self._provider.interactions.decide(
            request, read_cookies(scope), accept_language(scope)
        )
        if isinstance(decision, Redirect):
            return AuthorizationResponse(decision.location), decision.cookies
        return await self.complete(request, decision), ()

    def _grant(self, request: AuthorizationRequest, approval: Approval, now_ms: int) -> Grant:
        policy_end = now_ms + self._provider.config.lifetimes.refresh_token * 1000
        return Grant(
            grant_id=new_grant_id(now_ms, self._provider.random),
            client_id=request.client.client_id,
            grant_type="authorization_code",
            subject=approval.subject,
            actor=approval.actor,
            authority=approval.authority,
            session_id=approval.session_id,
            scope=approval.scope,
            resource=request.resource,
            claims=request.claims,
            authorization_details=authorization_details.granted(
                request.authorization_details, self._provider.config
            ),
            nonce=request.nonce,
            acr=approval.acr,
            amr=approval.amr,
            auth_time=approval.auth_time,
            created_at=now_ms,
            expires_at=min(policy_end, approval.expires_at),
            jkt=request.dpop_jkt,
            claims_locales=request.claims_locales,
            handle=managed_grants.handle_for(request, self._provider.random),
            handled_since=managed_grants.handled_since(request),
        )

    async def _error_response(self, asked: _Asked, error: OAuthError) -> AuthorizationResponse:
        state = asked.parameters.get("state")
        return await make_response(
            self._provider,
            asked.client,
            asked.redirect_uri,
            mode_for_errors(asked.parameters, asked.client),
            {
                "error": error.code,
                "error_description": error.description,
                "state": state if state is None or len(state) <= MAX_STATE else None,
            },
        )

    async def _send(
        self,
        scope: Scope,
        send: Send,
        response: AuthorizationResponse,
        parameters: Mapping[str, str],
        cookies: tuple[str, ...],
    ) -> None:
        if response.fields is None:
            await send_redirect(send, response.location, cookies)
            return
        page = await self._provider.interactions.form_post_page(
            response.location,
            response.fields,
            tuple(parameters.get("ui_locales", "").split()),
            accept_language(scope),
        )
        await send_bytes(send, 200, page_headers(page.content_security_policy), page.body)

    async def _show(
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


def accept_language(scope: Scope) -> str:
    """The Accept-Language header, cut to what is worth reading."""
    values = header_values(scope, b"accept-language")
    return values[0].decode("latin-1")[:MAX_LANGUAGE_HEADER] if values else ""


async def _read(scope: Scope, receive: Receive) -> dict[str, str]:
    require_method(scope, "GET", "POST")
    if scope["method"] == "POST":
        return await read_form(scope, receive, REPEATABLE)
    return parse_parameters(scope.get("query_string", b""), REPEATABLE)
