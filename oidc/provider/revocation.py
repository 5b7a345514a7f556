"""Token revocation (RFC 7009): a client ends a token of its own.

Ending a refresh token ends its grant, and with it every token of the family (2.1). A token that
nobody knows is as good as ended: 200 (2.2). ``token_type_hint`` is only a hint: both kinds are
looked for, whatever it says.
"""

from typing import Final

from oidc.errors import InvalidGrant, InvalidRequest, OAuthError, UnsupportedTokenType
from oidc.ports import ProviderWrites
from oidc.provider.authenticated import Authenticated
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.one_time import burn
from oidc.records import AccessToken, AuditEvent, Client, Grant, RefreshToken
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json
from oidc.secrets import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REQUEST_URI

REASON: Final = "revoked_by_client"
# Known at a glance by their prefixes, and nothing that this endpoint ends (RFC 7009 2.2.1).
_OTHER_KINDS: Final = (AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REQUEST_URI)


class RevocationEndpoint:
    """POST /revoke."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._answer(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, {})

    async def _answer(self, scope: Scope, receive: Receive) -> None:
        provider = self._provider
        require_method(scope, "POST")
        form = await read_form(scope, receive)
        sender = await authenticate(scope, form, provider, public=True)
        value = form.get("token")
        found = None if value is None else await self._find(provider.hasher.key(value))

        async def work(writes: ProviderWrites) -> OAuthError | None:
            return await burn(writes, sender, None) or await self._end(writes, value, found, sender)

        refusal = await provider.store.write(work)
        if refusal is not None:
            raise refusal

    async def _find(
        self, token_hash: bytes
    ) -> tuple[AccessToken, Grant | None] | tuple[RefreshToken, Grant] | None:
        read = self._provider.store.read
        return await read.refresh_token(token_hash) or await read.access_token(token_hash)

    async def _end(
        self,
        writes: ProviderWrites,
        value: str | None,
        found: tuple[AccessToken, Grant | None] | tuple[RefreshToken, Grant] | None,
        sender: Authenticated,
    ) -> OAuthError | None:
        """End what was found; the error to answer, if any, which undoes nothing."""
        if value is None:
            return InvalidRequest("the parameter token is missing")
        if value.startswith(_OTHER_KINDS):
            return UnsupportedTokenType("only access tokens and refresh tokens are revoked here")
        if found is None:
            return None
        token, grant = found
        if _owner(token, grant) != sender.client.client_id:
            # RFC 7009 2.1: refused, and the client is told; RFC 6749 5.2 has the code for it.
            return InvalidGrant("the token was issued to another client")
        now_ms = self._provider.now_ms()
        if isinstance(token, AccessToken):
            await writes.end_access_token(token.token_hash, now_ms)
        else:
            await writes.end_grant(token.grant_id, now_ms, REASON)
        await writes.audit(AuditEvent("token.revoked", _facts(token, grant, sender.client)))
        return None


def _owner(token: AccessToken | RefreshToken, grant: Grant | None) -> str | None:
    if isinstance(token, AccessToken):
        return token.client_id
    return None if grant is None else grant.client_id


def _facts(
    token: AccessToken | RefreshToken, grant: Grant | None, client: Client
) -> dict[str, str | None]:
    kind = "access_token" if isinstance(token, AccessToken) else "refresh_token"
    grant_id = None if grant is None else grant.grant_id
    return {"client_id": client.client_id, "grant_id": grant_id, "token_type": kind}
