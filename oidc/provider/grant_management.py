"""The grant management API (Grant Management for OAuth 2.0, ID1, 6): a client's own grants.

The access token is the client's own, from the client credentials grant. A grant_id is no secret:
nothing is told or done without such a token, and never any token is shown (6).
"""

from typing import Any, Final
from urllib.parse import urlsplit

from oidc.errors import AccessDenied, InvalidGrantId, OAuthError
from oidc.ports import ProviderWrites
from oidc.protected_resource import Presented, check_request, refused, replayed, scope_missing
from oidc.provider.context import Provider
from oidc.provider.endpoints import GRANTS
from oidc.provider.managed_grants import QUERY_SCOPE, REVOKE_SCOPE, is_handle
from oidc.provider.registered_scope import registered
from oidc.records import AuditEvent, Client, Grant
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import NO_STORE, send_bytes, send_error, send_json

REASON: Final = "revoked_by_client"


class GrantManagementEndpoint:
    """GET and DELETE /grants/{grant_id}."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._uri = provider.config.url(GRANTS)
        self._base = f"{urlsplit(self._uri).path}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            shown = await self._answer(scope)
        except OAuthError as error:
            await send_error(send, error)
            return
        headers = self._provider.fresh_dpop_nonce()
        if shown is None:
            await send_bytes(send, 204, [*NO_STORE, *headers], b"")
        else:
            await send_json(send, shown, headers=headers)

    async def _answer(self, scope: Scope) -> dict[str, Any] | None:
        """The grant, or None when it was ended."""
        provider = self._provider
        require_method(scope, "GET", "DELETE")
        handle = str(scope["path"]).removeprefix(self._base)
        read = provider.store.read
        presented = await check_request(
            scope, provider, read.access_token, uri=f"{self._uri}/{handle}"
        )
        ending = scope["method"] == "DELETE"
        client = await read.client(presented.token.client_id)
        grant = await read.managed_grant(handle) if is_handle(handle) else None
        refusal = self._refusal(presented, REVOKE_SCOPE if ending else QUERY_SCOPE, client, grant)

        async def work(writes: ProviderWrites) -> OAuthError | None:
            proof = presented.proof
            if proof is not None and not await writes.use_once(
                proof.replay_key, proof.replay_until
            ):
                return replayed()
            if refusal is not None or not ending:
                return refusal
            return await self._end(writes, handle, presented.token.client_id)

        failed = refusal
        if ending or presented.proof is not None:
            failed = await provider.store.write(work)
        if failed is not None:
            raise failed
        if ending:
            return None
        assert client is not None
        assert grant is not None
        return self._shown(grant, client)

    def _refusal(
        self, presented: Presented, wanted: str, client: Client | None, grant: Grant | None
    ) -> OAuthError | None:
        """401 without a good token, 403 where the client may not, 404 where nothing is (6.6)."""
        if wanted not in presented.token.scope:
            return scope_missing(presented, wanted)
        if client is None:
            return refused(presented, "the client of the access token is no longer registered")
        if not client.grant_management:
            return AccessDenied("this client is not registered for grant management", status=403)
        if grant is None or not grant.is_live(self._provider.now_ms()):
            return _unknown()
        if grant.client_id != client.client_id:
            return AccessDenied("the grant is another client's", status=403)
        return None

    async def _end(self, writes: ProviderWrites, handle: str, client_id: str) -> OAuthError | None:
        ended = await writes.end_handle(handle, self._provider.now_ms(), REASON)
        if ended is None:
            return _unknown()  # somebody was quicker
        await writes.audit(AuditEvent("grant.revoked", {"client_id": client_id, "grant_id": ended}))
        return None

    def _shown(self, grant: Grant, client: Client) -> dict[str, Any]:
        """6.4: what was agreed to and when, without whoever did and without tokens."""
        scopes: dict[str, Any] = {"scope": " ".join(registered(grant.scope, client))}
        if grant.resource:
            scopes["resource"] = list(grant.resource)
        shown: dict[str, Any] = {
            "scopes": [scopes],
            "claims": sorted({name for wanted in grant.claims.values() for name in wanted}),
        }
        if grant.authorization_details:
            shown["authorization_details"] = list(
                self._provider.claims.authorization_details(grant, client, "")
            )
        first = grant.created_at if grant.handled_since is None else grant.handled_since
        return {
            **shown,
            "created_at": first // 1000,
            "last_updated": grant.created_at // 1000,
            "expires_at": grant.expires_at // 1000,
            "updated_by": "client",  # nobody else extends or replaces one
        }


def _unknown() -> OAuthError:
    return InvalidGrantId("there is no such grant, or it is over", status=404)
