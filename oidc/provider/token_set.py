"""The tokens that one grant yields in one response, and how they are kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keys.record import record
from oidc.ports import Detail, ProviderWrites
from oidc.provider import authorization_details, tokens
from oidc.provider.token_request import TokenRequest, token_response
from oidc.records import OPENID, AccessToken, AuditEvent, Grant, RefreshToken


@record
class TokenSet:
    """A token response and the rows behind it. ``details`` is set when the access token has
    fewer authorization details than its grant.
    """

    response: dict[str, Any]
    access_token: AccessToken
    refresh_token: RefreshToken | None = None
    details: tuple[Detail, ...] | None = None

    async def keep(self, writes: ProviderWrites, facts: Mapping[str, Any]) -> None:
        """Store the rows, and say so in the audit trail; ``facts`` tell which grant it was."""
        row = self.access_token
        await writes.add_access_token(row)
        if self.details is not None:
            await writes.narrow_access_token(row, self.details)
        if self.refresh_token is not None:
            await writes.add_refresh_token(self.refresh_token)
        await writes.audit(
            AuditEvent(
                "token.issued",
                {
                    **facts,
                    "client_id": row.client_id,
                    "grant_id": row.grant_id,
                    "scope": " ".join(row.scope),
                    "audience": row.audience,
                    "jkt": row.jkt,
                    **({} if row.x5t is None else {"x5t": row.x5t}),
                    "expires_at": row.expires_at,
                    "refresh_token": self.refresh_token is not None,
                },
            )
        )


async def make_token_set(
    request: TokenRequest,
    grant: Grant,
    *,
    scope: tuple[str, ...],
    resource: str,
    nonce: str | None = None,
    with_refresh_token: bool = False,
    id_token_claims: Mapping[str, Any] | None = None,
) -> TokenSet:
    """Make the tokens that a person's grant yields now.

    ``scope`` is the grant's or less. With ``openid`` in it there is an ID token; ``nonce`` goes
    into that one, and ``id_token_claims``. The request may leave out some of the grant's
    authorization details.

    Raises:
        InvalidAuthorizationDetails: it asks for more of them than were granted.
    """
    provider, client = request.provider, request.known_client
    details = authorization_details.narrowed(
        request.form, grant.authorization_details, client, provider.config
    )
    if details is not None:
        grant = replace(grant, authorization_details=details)
    access = await tokens.mint_access_token(
        provider,
        client,
        grant,
        scope=scope,
        resource=resource,
        jkt=request.jkt,
        x5t=request.x5t,
        now=request.now,
    )
    response = token_response(access.value, request.jkt, access.expires_in, scope)
    if grant.authorization_details:
        # RFC 9396 7: what is assigned to this access token.
        told = authorization_details.for_resource(
            provider.claims.authorization_details(grant, client, ""), resource, provider.config
        )
        if told:
            response["authorization_details"] = told
    if grant.handle is not None:
        response["grant_id"] = grant.handle  # Grant Management 5.5
    if OPENID in scope:
        response["id_token"] = await tokens.mint_id_token(
            provider,
            client,
            grant,
            access_token=access.value,
            nonce=nonce,
            now=request.now,
            more=id_token_claims,
        )
    if not with_refresh_token:
        return TokenSet(response, access.row, details=details)
    # An attested client's is bound to the instance and its key (ATCA-07 10.3, ATCA-10 12.3).
    bound_to = request.jkt if client.is_public else request.instance_jkt
    refresh = tokens.mint_refresh_token(provider, grant, request.now, bound_to)
    response["refresh_token"] = refresh.value
    return TokenSet(response, access.row, refresh.row, details)
