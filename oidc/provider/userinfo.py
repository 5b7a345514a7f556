"""The UserInfo endpoint (OpenID Connect Core 5.3), for access tokens with openid.

JSON, or where the client registered so a JWT: signed, or signed and encrypted (5.3.2).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keys import jws
from oidc.errors import InsufficientUserAuthentication, InvalidGrant, OAuthError
from oidc.ports import ProviderWrites
from oidc.protected_resource import (
    Presented,
    check_request,
    point_to_metadata,
    refused,
    replayed,
    scope_missing,
    step_up,
)
from oidc.provider.context import Provider
from oidc.provider.encryption import encrypted
from oidc.provider.endpoints import USERINFO
from oidc.provider.protected_resources import metadata_url
from oidc.provider.registered_scope import registered
from oidc.provider.tokens import PURPOSE
from oidc.records import OPENID, Client
from oidc.request import Receive, Scope, Send, header_values, read_form, require_method
from oidc.response import send_error, send_json, send_jwt


class UserInfoEndpoint:
    """GET and POST /userinfo; the token in the header, or in a POSTed form (RFC 6750 2.2)."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._uri = provider.config.url(USERINFO)
        self._metadata_url = metadata_url(provider.config, USERINFO)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            claims, client = await self._answer(scope, receive)
            alg = client.userinfo_signed_response_alg
            compact = None if alg is None else await self._signed(claims, client, alg)
        except OAuthError as error:
            point_to_metadata(error, self._metadata_url)
            await send_error(send, error)
        else:
            headers = self._provider.fresh_dpop_nonce()
            if compact is None:
                await send_json(send, claims, headers=headers)
            else:
                await send_jwt(send, compact, "application/jwt", headers)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Mapping[str, Any], Client]:
        provider = self._provider
        require_method(scope, "GET", "POST")
        presented = await check_request(
            scope,
            provider,
            provider.store.read.access_token,
            uri=self._uri,
            form_token=await _form_token(scope, receive),
        )
        await self._burn(presented)
        token, grant = presented.token, presented.grant
        if grant is None or OPENID not in token.scope:
            raise scope_missing(presented, OPENID)
        client = await provider.store.read.client(token.client_id)
        if client is None:
            raise refused(presented, "the client of the access token is no longer registered")
        scope_now = registered(token.scope, client)
        if OPENID not in scope_now:
            raise scope_missing(presented, OPENID)
        if scope_now != grant.scope:
            grant = replace(grant, scope=scope_now)  # narrowed at a refresh, or since
        try:
            return await provider.claims.userinfo(grant, client), client
        except InvalidGrant as error:
            raise refused(presented, error.description) from None
        except InsufficientUserAuthentication as error:
            raise step_up(presented, error) from None

    async def _signed(self, claims: Mapping[str, Any], client: Client, alg: str) -> str:
        """A JWT without an end, so that it is no ID token to anybody (RFC 8725 3.12)."""
        provider = self._provider
        whole = {
            **claims,
            "iss": provider.config.issuer,
            "aud": client.client_id,
            "iat": int(provider.clock()),
        }
        signed = await jws.sign(provider.signers.signer(PURPOSE, alg), whole, typ="JWT")
        encryption = client.userinfo_encrypted_response_alg
        if encryption is None:
            return signed
        keys = await provider.client_keys.of(client)
        return encrypted(signed, keys, encryption, client.userinfo_encrypted_response_enc)

    async def _burn(self, presented: Presented) -> None:
        proof = presented.proof
        if proof is None:
            return

        async def work(writes: ProviderWrites) -> bool:
            return await writes.use_once(proof.replay_key, proof.replay_until)

        if not await self._provider.store.write(work):
            raise replayed()


async def _form_token(scope: Scope, receive: Receive) -> str | None:
    """The access_token of a POSTed form, or None when the request has no form."""
    if scope["method"] != "POST":
        return None
    content_type = header_values(scope, b"content-type")
    if not content_type or not content_type[0].startswith(b"application/x-www-form-urlencoded"):
        return None
    return (await read_form(scope, receive)).get("access_token")
