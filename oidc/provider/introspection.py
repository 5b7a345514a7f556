"""Token introspection (RFC 7662, 9701) for resource servers, which authenticate as clients do.

A client is told about tokens whose audience it serves, and about its own; of any other token,
known or not, it hears the same: not active.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keys import jws
from oidc.errors import InvalidGrant, InvalidRequest, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider import authorization_details
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.one_time import burn
from oidc.provider.registered_scope import registered
from oidc.provider.resources import OWN
from oidc.provider.tokens import PURPOSE, confirmation, may_act
from oidc.records import AccessToken, Client, Grant
from oidc.request import Receive, Scope, Send, header_values, read_form, require_method
from oidc.response import send_error, send_json, send_jwt

MEDIA_TYPE: Final = "application/token-introspection+jwt"
_TYPE: Final = "token-introspection+jwt"
_NO_WEIGHT: Final = re.compile(r"q=0(?:\.0{1,3})?")  # RFC 9110 12.4.2: not acceptable
_INACTIVE: Final[Mapping[str, Any]] = {"active": False}


class IntrospectionEndpoint:
    """POST /introspect."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response, asking = await self._answer(scope, receive)
            compact = await self._signed(response, asking) if wants_jwt(scope) else None
        except OAuthError as error:
            await send_error(send, error)
        else:
            if compact is None:
                await send_json(send, response)
            else:
                await send_jwt(send, compact, MEDIA_TYPE)

    async def _signed(self, response: Mapping[str, Any], asking: Client) -> str:
        """RFC 9701 5: for this resource server, and of a type that is no access token's."""
        provider = self._provider
        claims = {
            "iss": provider.config.issuer,
            "aud": asking.client_id,
            "iat": int(provider.clock()),
            "token_introspection": response,
        }
        signer = provider.signers.signer(PURPOSE, asking.introspection_signed_response_alg)
        return await jws.sign(signer, claims, typ=_TYPE)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Mapping[str, Any], Client]:
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
        found = await provider.store.read.access_token(provider.hasher.key(value))
        if found is None:
            return _INACTIVE, sender.client
        return await self._describe(*found, sender.client), sender.client

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
        if grant is not None and not client.scopes.issuperset(token.scope):
            token = replace(token, scope=registered(token.scope, client))
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
            **_binding(token),
        }

    async def _claims(
        self, token: AccessToken, grant: Grant | None, client: Client
    ) -> Mapping[str, Any]:
        if grant is None:
            return {"sub": token.client_id}
        if token.scope != grant.scope:
            grant = replace(grant, scope=token.scope)  # narrowed at a refresh, or since
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


def _binding(token: AccessToken) -> Mapping[str, Any]:
    kind = "Bearer" if token.jkt is None else "DPoP"
    if token.jkt is None and token.x5t is None:
        return {"token_type": kind}
    # RFC 9449 6.2, RFC 8705 3.2
    return {"token_type": kind, "cnf": confirmation(token.jkt, token.x5t)}


def wants_jwt(scope: Scope) -> bool:
    """Whether the resource server accepts the signed form by its name (RFC 9701 4)."""
    for value in header_values(scope, b"accept"):
        text = value.decode("latin-1").lower()
        if MEDIA_TYPE not in text:
            continue
        for accepted in text.split(","):
            media_type, *parameters = (part.strip() for part in accepted.split(";"))
            if media_type == MEDIA_TYPE:
                return not any(_NO_WEIGHT.fullmatch(one) for one in parameters)
    return False
