"""Token introspection (RFC 7662) for resource servers, which authenticate as clients do.

A client is told about tokens whose audience it serves, and about its own; of any other token,
known or not, it hears the same: not active.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from oidc.errors import InvalidGrant, InvalidRequest, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider import authorization_details
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.one_time import burn
from oidc.provider.resources import OWN
from oidc.provider.tokens import may_act
from oidc.records import AccessToken, Client, Grant
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json

_INACTIVE: Final[Mapping[str, Any]] = {"active": False}


class IntrospectionEndpoint:
    """POST /introspect."""

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

    async def _answer(self, scope: Scope, receive: Receive) -> Mapping[str, Any]:
        provider = self._provider
        require_method(scope, "POST")
        form = await read_form(scope, receive)
        sender = await authenticate(scope, form, provider)
        if sender.assertion_replay_key is not None:

            async def work(writes: ProviderWrites) -> OAuthError | None:
                return await burn(writes, sender, None)

            replayed = await provider.store.write(work)
            if replayed is not None:
                raise replayed
        value = form.get("token")
        if value is None:
            raise InvalidRequest("the parameter token is missing")
        found = await provider.store.read.access_token(provider.hasher.hash(value))
        if found is None:
            return _INACTIVE
        return await self._describe(*found, sender.client)

    async def _describe(
        self, token: AccessToken, grant: Grant | None, asking: Client
    ) -> Mapping[str, Any]:
        provider = self._provider
        own = token.client_id == asking.client_id
        if not own and (token.audience == OWN or token.audience not in asking.serves):
            return _INACTIVE
        now_ms = provider.now_ms()
        if not token.is_live(now_ms) or (grant is not None and not grant.is_live(now_ms)):
            return _INACTIVE
        client = asking if own else await provider.store.read.client(token.client_id)
        if client is None:
            return _INACTIVE  # disabled since
        try:
            claims = await self._claims(token, grant, client)
        except InvalidGrant:
            return _INACTIVE  # the authority ended a moment ago
        return {
            **claims,
            "active": True,
            "iss": provider.config.issuer,
            "aud": token.audience or provider.config.issuer,
            "client_id": token.client_id,
            "scope": " ".join(token.scope),
            "iat": token.issued_at // 1000,
            "exp": token.expires_at // 1000,
            **_binding(token.jkt),
        }

    async def _claims(
        self, token: AccessToken, grant: Grant | None, client: Client
    ) -> Mapping[str, Any]:
        if grant is None:
            return {"sub": token.client_id}
        if token.scope != grant.scope:
            grant = replace(grant, scope=token.scope)  # narrowed at a refresh
        provider = self._provider
        said = await provider.claims.introspection(grant, client, token.audience)
        known: dict[str, Any] = {"acr": grant.acr, "auth_time": grant.auth_time}
        if grant.authorization_details:
            known["authorization_details"] = authorization_details.for_resource(
                provider.claims.authorization_details(grant, client, token.audience),
                token.audience,
                provider.config,
            )  # RFC 9396 9.2
        if client.may_act is not None:
            known["may_act"] = may_act(client.may_act)
        return {**said, **{name: value for name, value in known.items() if value is not None}}


def _binding(jkt: str | None) -> Mapping[str, Any]:
    if jkt is None:
        return {"token_type": "Bearer"}
    return {"token_type": "DPoP", "cnf": {"jkt": jkt}}  # RFC 9449 6.2
