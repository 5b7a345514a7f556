"""The backchannel authentication endpoint (CIBA Core 1.0, 7): a client asks, a person is elsewhere.

Modes poll and ping. The person finds the request in their account; whom the hint names decides who
sees it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from oidc.errors import (
    InvalidBindingMessage,
    InvalidRequest,
    InvalidRequestObject,
    InvalidScope,
    OAuthError,
    RequestNotSupported,
    TooManyRequests,
    UnauthorizedClient,
)
from oidc.ports import ProviderWrites
from oidc.provider import request_object
from oidc.provider.authorization_request import MAX_HINT as MAX_ID_TOKEN_HINT
from oidc.provider.authorization_request import validate_without_redirect
from oidc.provider.backchannel import HintedUser
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.grants.ciba import GRANT_TYPE
from oidc.provider.one_time import burn
from oidc.provider.polled import INTERVAL, begun, too_many
from oidc.provider.resources import REPEATABLE
from oidc.records import OPENID, PING, Client, PolledRequest
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json
from oidc.secrets import AUTH_REQ_ID, new_token

STRONG_METHODS: Final = frozenset(
    {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}
)
"""A secret that is sent is not enough to make somebody's account ask them something."""

AT_ONCE: Final = 10
"""Open requests of one client to one person or business: people see the oldest, and so many."""

MAX_BINDING_MESSAGE: Final = 64
MAX_EXPIRY: Final = 600
MAX_HINT: Final = {"login_hint": 255, "id_token_hint": MAX_ID_TOKEN_HINT}
"""The hints that work here, and how long each may be. What a ``login_hint_token`` says is left to
each deployment (7.1), and none is agreed upon here."""

_SIGNED: Final = ("aud", "exp", "iat", "nbf", "jti")
"""What a signed authentication request must have, beside ``iss`` (7.1.1)."""
_HINTS: Final = ("login_hint", "login_hint_token", "id_token_hint")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,8}")
# 7.1: at most 1024 characters of the syntax of RFC 6750, of at least 128 bits.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{22,1024}=*")


class BackchannelAuthenticationEndpoint:
    """POST /backchannel-authentication."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, response)

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        provider = self._provider
        require_method(scope, "POST")
        form = await read_form(scope, receive, REPEATABLE)
        sender = await authenticate(scope, form, provider)
        auth_req_id = new_token(AUTH_REQ_ID, provider.random)
        refusal: OAuthError | None = None
        signed: request_object.RequestObject | None = None
        row: PolledRequest | None = None
        try:
            _check_client(sender.client)
            signed = await self._signed(form, sender.client)
            parameters = form if signed is None else signed.parameters
            row = await self._row(parameters, sender.client, auth_req_id, signed=signed is not None)
        except OAuthError as error:
            refusal = error  # the assertion is used up all the same

        async def work(writes: ProviderWrites) -> OAuthError | None:
            replayed = await burn(writes, sender, None)
            if replayed is not None or refusal is not None:
                return replayed or refusal
            if signed is not None and not await request_object.use_once(writes, signed):
                return InvalidRequest("the signed authentication request was used before")
            assert row is not None
            full = await too_many(writes, sender.client, provider)
            if full is None and await writes.open_polled_requests_like(row, AT_ONCE) >= AT_ONCE:
                full = TooManyRequests(
                    "this client waits for this person or business already, and often enough",
                    headers={"Retry-After": str(INTERVAL)},
                )
            if full is None:
                await writes.add_polled_request(row)
            return full

        failed = await provider.store.write(work)
        if failed is not None:
            raise failed
        assert row is not None
        return {
            "auth_req_id": auth_req_id,
            "expires_in": (row.expires_at - row.created_at) // 1000,
            "interval": INTERVAL,
        }

    async def _signed(
        self, form: Mapping[str, str], client: Client
    ) -> request_object.RequestObject | None:
        """The signed authentication request (7.1.1), whose parameters alone count.

        The list of errors (13) has no code of its own for a bad one.
        """
        compact = form.get("request")
        if compact is None:
            return None
        provider = self._provider
        issuer, now = provider.config.issuer, provider.clock()
        signer = await provider.client_keys.for_jws(client, compact)
        try:
            signed = request_object.read(
                compact, signer, issuer, now, named_by="iss", required=_SIGNED
            )
        except (InvalidRequestObject, RequestNotSupported) as error:
            raise InvalidRequest(error.description) from None
        if signed.replay_key is None:
            raise InvalidRequest("signed authentication requests are not for this profile")
        return signed

    async def _row(
        self, parameters: Mapping[str, str], client: Client, auth_req_id: str, *, signed: bool
    ) -> PolledRequest:
        """Every parameter checked, and the person found."""
        provider = self._provider
        hint = _hint(parameters)
        kept = {name: value for name, value in parameters.items() if name != "login_hint"}
        request = validate_without_redirect(kept, client, provider.config, signed=signed)
        if OPENID not in request.scope:
            raise InvalidScope("scope must have openid (CIBA Core 1.0, 7.1)")
        message = _binding_message(parameters)
        expiry = _requested_expiry(parameters)
        token = _notification_token(parameters, client)
        named = await self._named(*hint, client)
        sealed = None
        if token is not None:
            told = {"auth_req_id": auth_req_id, "client_notification_token": token}
            code_hash = provider.hasher.hash(auth_req_id)
            sealed = provider.backchannel.seal(code_hash, orjson.dumps(told))
        shown = {"binding_message": message, "login_hint": named.login_hint}
        return begun(
            provider,
            client,
            GRANT_TYPE,
            auth_req_id,
            {
                **request.parameters,
                **{name: value for name, value in shown.items() if value is not None},
            },
            expiry,
            subject=named.subject,
            actor=named.actor,
            sealed=sealed,
        )

    async def _named(self, kind: str, hint: str, client: Client) -> HintedUser:
        """Whom the hint means; an ``id_token_hint`` counts again when the person answers."""
        backchannel = self._provider.backchannel
        if kind == "login_hint":
            return await backchannel.identify(hint)
        return await backchannel.identify_by_id_token(hint, client)


def _check_client(client: Client) -> None:
    if GRANT_TYPE not in client.grant_types:
        raise UnauthorizedClient("the client is not registered for this grant type")
    if client.token_endpoint_auth_method not in STRONG_METHODS:
        raise UnauthorizedClient("only a client that authenticates by a key may ask like this")


def _hint(parameters: Mapping[str, str]) -> tuple[str, str]:
    """The one hint, by its name."""
    given = [name for name in _HINTS if name in parameters]
    if len(given) != 1:
        raise InvalidRequest("send exactly one hint of who is meant (CIBA Core 1.0, 7.1)")
    (name,) = given
    if name not in MAX_HINT:
        raise InvalidRequest("the hints that work here are login_hint and id_token_hint")
    if len(parameters[name]) > MAX_HINT[name]:
        raise InvalidRequest(f"{name} is longer than {MAX_HINT[name]} characters")
    return name, parameters[name]


def _binding_message(parameters: Mapping[str, str]) -> str | None:
    message = parameters.get("binding_message")
    if message is None:
        return None
    if len(message) > MAX_BINDING_MESSAGE or not message.isprintable():
        raise InvalidBindingMessage(
            f"binding_message is a line of at most {MAX_BINDING_MESSAGE} printable characters"
        )
    return message


def _requested_expiry(parameters: Mapping[str, str]) -> int:
    text = parameters.get("requested_expiry")
    if text is None:
        return MAX_EXPIRY
    if _SECONDS.fullmatch(text) is None:
        raise InvalidRequest("requested_expiry is a positive number of seconds")
    return min(int(text), MAX_EXPIRY)


def _notification_token(parameters: Mapping[str, str], client: Client) -> str | None:
    if client.backchannel_token_delivery_mode != PING:
        return None  # 7.1: only for ping and push
    token = parameters.get("client_notification_token")
    if token is None:
        raise InvalidRequest("client_notification_token is missing: this client is told by ping")
    if len(token) > 1024 or _TOKEN.fullmatch(token) is None:
        raise InvalidRequest("client_notification_token is not a bearer token of 128 bits or more")
    return token
