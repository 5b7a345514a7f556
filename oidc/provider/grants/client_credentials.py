"""grant_type=client_credentials (RFC 6749 4.4): a machine acts for itself at a named resource.

Or at the grant management API, which is ours and needs no name (Grant Management 6.1).
"""

from collections.abc import Mapping
from typing import Final

from oidc.errors import InvalidScope, InvalidTarget, UnauthorizedClient
from oidc.ports import ProviderWrites
from oidc.provider import authorization_details, tokens
from oidc.provider.context import ProviderConfig
from oidc.provider.endpoints import GRANTS
from oidc.provider.managed_grants import API_SCOPES
from oidc.provider.resources import OWN
from oidc.provider.token_request import Prepared, TokenRequest, token_response
from oidc.provider.token_set import TokenSet
from oidc.records import OFFLINE_ACCESS, OPENID, Client

GRANT_TYPE: Final = "client_credentials"
_NEED_A_PERSON: Final = frozenset({OPENID, OFFLINE_ACCESS})


async def client_credentials(request: TokenRequest) -> Prepared:
    """An access token whose subject is the client itself; no grant, no person.

    Raises:
        UnauthorizedClient: a public client (RFC 6749 4.4).
        InvalidTarget: no resource, or one that the client is not registered for.
        InvalidScope: a scope that the client is not registered for, or that needs a person.
        InvalidAuthorizationDetails: there are any; they too need a person.
    """
    client = request.known_client
    if client.is_public:
        raise UnauthorizedClient("only a client that authenticates acts for itself")
    authorization_details.refuse_without_person(request.form)
    scope = None
    if client.grant_management:
        scope = _for_grant_management(request.form, request.provider.config)
    if scope is not None:
        resource = OWN
    else:
        resource = _resource(request.form.get("resource"), client)
        scope = _scope(request.form.get("scope"), client)
    access = await tokens.mint_access_token(
        request.provider,
        client,
        None,
        scope=scope,
        resource=resource,
        jkt=request.jkt,
        x5t=request.x5t,
        now=request.now,
    )
    response = token_response(access.value, request.jkt, access.expires_in, scope)
    made = TokenSet(response, access.row)

    async def work(writes: ProviderWrites) -> None:
        await made.keep(writes, {"grant_type": GRANT_TYPE})

    return Prepared(response, work)


def _for_grant_management(
    form: Mapping[str, str], config: ProviderConfig
) -> tuple[str, ...] | None:
    """The scope of a token for the API, or None when the request is for something else.

    Raises:
        InvalidTarget: it is for another resource.
    """
    scope = tuple(dict.fromkeys(form.get("scope", "").split(" ")))
    if not set(scope) <= set(API_SCOPES):
        return None
    if form.get("resource", config.issuer) not in {config.issuer, config.url(GRANTS)}:
        raise InvalidTarget("the grant management API is here: leave resource out")
    return scope


def _resource(requested: str | None, client: Client) -> str:
    if requested is None or requested not in client.resources:
        raise InvalidTarget("name by resource an API that this client is registered for")
    return requested


def _scope(requested: str | None, client: Client) -> tuple[str, ...]:
    if requested is None:
        return ()
    scope = tuple(dict.fromkeys(requested.split(" ")))
    for name in scope:
        if name not in client.scopes or name in _NEED_A_PERSON:
            raise InvalidScope("a scope that this client may not have without a person")
    return scope
