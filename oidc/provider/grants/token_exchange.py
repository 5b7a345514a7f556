"""grant_type=…:token-exchange (RFC 8693): one token for another, never a wider one.

Two uses, told apart by ``actor_token``:

- Without it, a client takes a token for less scope or for another audience: its own, or one that
  it was sent as the server of the token's audience, if that token's ``may_act`` names it. The new
  token hangs on the same grant.
- With it, an agent acts: the subject token is of the business for which it acts, the actor token
  of the agent and its person. The new token has a grant of its own, which rests on both inputs and
  on what entitles the agent, and ends with any of them.
"""

from dataclasses import replace
from typing import Final

from oidc.errors import (
    InvalidAuthorizationDetails,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    OAuthError,
    UnauthorizedClient,
)
from oidc.ports import Delegated, ProviderWrites
from oidc.provider import tokens
from oidc.provider.resources import OWN, is_own
from oidc.provider.token_request import Prepared, TokenRequest, token_response
from oidc.provider.token_set import TokenSet
from oidc.records import OFFLINE_ACCESS, AccessToken, Delegation, Grant
from oidc.secrets import new_grant_id

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"
MAX_ACTORS: Final = 8
_Presented = tuple[AccessToken, Grant]


async def token_exchange(request: TokenRequest) -> Prepared:
    """Exchange a token.

    Raises:
        UnauthorizedClient: a public client.
        InvalidRequest: a parameter is missing or wrong, or a token is not good for this (2.2.2).
        InvalidScope: more than the subject token has, or than the client may have.
        InvalidTarget: an audience that the client may not have.
        InvalidGrant: nothing entitles the actor to act for the subject.
    """
    if request.known_client.is_public:
        raise UnauthorizedClient("only a client that authenticates may exchange tokens")
    _check_types(request)
    if "authorization_details" in request.form:
        raise InvalidAuthorizationDetails("authorization_details are not part of an exchange")
    subject = await _presented(request, "subject_token")
    actor = None
    if "actor_token" in request.form:
        actor = await _presented(request, "actor_token")
        if actor[0].client_id != request.known_client.client_id:
            raise InvalidRequest("the actor token was issued to another client")
    scope = _scope(request, subject[0])
    resource = _target(request, subject[0])
    if actor is None:
        return await _narrowed(request, subject, scope, resource)
    return await _delegated(request, subject, actor, scope, resource)


def _check_types(request: TokenRequest) -> None:
    form = request.form
    request.required("subject_token")
    request.required("subject_token_type")
    if form.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise InvalidRequest("the only requested_token_type is access_token")
    if ("actor_token" in form) != ("actor_token_type" in form):
        raise InvalidRequest("actor_token and actor_token_type go together")  # 2.1
    for name in ("subject_token_type", "actor_token_type"):
        if form.get(name, ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
            raise InvalidRequest(f"the only {name} is access_token")


async def _presented(request: TokenRequest, name: str) -> _Presented:
    """A token that this client may present, with its grant.

    Raises:
        InvalidRequest: RFC 8693 2.2.2 has this code for every token that is not acceptable. The
            words are the same whether it is unknown, ended, or somebody else's.
    """
    provider, client = request.provider, request.known_client
    refused = InvalidRequest(f"the {name} is unknown or over, or this client may not exchange it")
    found = await provider.store.read.access_token(provider.hasher.key(request.form[name]))
    if found is None:
        raise refused
    token, grant = found
    if not token.is_live(request.now_ms):
        raise refused
    if token.client_id == client.client_id:
        if token.jkt is not None and token.jkt != request.jkt:
            raise InvalidRequest(f"the {name} is bound to another DPoP key than this request's")
        if token.x5t is not None and token.x5t != request.x5t:
            raise InvalidRequest(f"the {name} is bound to another client certificate")
    elif not await _may_act(request, token):
        raise refused
    if grant is None or grant.subject is None or grant.actor is None:
        raise InvalidRequest(f"the {name} is a client's own: no person stands behind it")
    if not grant.is_live(request.now_ms):
        raise refused
    return token, grant


async def _may_act(request: TokenRequest, token: AccessToken) -> bool:
    """Whether a token that was issued to another client names this one in may_act (4.4), and was
    sent to it as the server of its audience.
    """
    client = request.known_client
    if token.audience == OWN or token.audience not in client.serves:
        return False
    issued_to = await request.provider.store.read.client(token.client_id)
    return issued_to is not None and issued_to.may_act == client.client_id


def _scope(request: TokenRequest, subject: AccessToken) -> tuple[str, ...]:
    """No more than the subject token has, and the client is registered for."""
    allowed = [
        name
        for name in subject.scope
        if name in request.known_client.scopes and name != OFFLINE_ACCESS
    ]
    requested = request.form.get("scope")
    if requested is None:
        return tuple(allowed)
    wanted = frozenset(requested.split(" "))
    if not wanted <= frozenset(allowed):
        raise InvalidScope("the scope is more than the subject token has, or the client may have")
    return tuple(name for name in allowed if name in wanted)


def _target(request: TokenRequest, subject: AccessToken) -> str:
    """The audience: named by resource, audience or both alike; else the subject token's own."""
    client, config = request.known_client, request.provider.config
    named = {request.form[name] for name in ("resource", "audience") if name in request.form}
    if len(named) > 1:
        raise InvalidTarget("resource and audience name different services: send one of them")
    target = named.pop() if named else subject.audience
    if target == OWN or is_own(target, config):
        if subject.client_id != client.client_id:
            # Its claims at our own endpoints are for the client that the person signed in to.
            raise InvalidTarget("another client's token is not exchanged for one of our endpoints")
        return OWN
    if target not in client.resources:
        raise InvalidTarget("this client may not ask for access tokens for that service")
    return target


async def _narrowed(
    request: TokenRequest, subject: _Presented, scope: tuple[str, ...], resource: str
) -> Prepared:
    """Another token of the same grant, which lives no longer than the one it was made from.

    It has the scope, and none of the grant's authorization details.
    """
    token, grant = subject
    within = replace(
        grant,
        scope=scope,
        authorization_details=(),
        expires_at=min(grant.expires_at, token.expires_at),
    )
    had_details = bool(grant.authorization_details)
    return await _prepare(request, within, scope, resource, None, without_details=had_details)


async def _delegated(
    request: TokenRequest,
    subject: _Presented,
    actor: _Presented,
    scope: tuple[str, ...],
    resource: str,
) -> Prepared:
    delegated = await request.provider.delegations.delegate(subject[1], actor[1])
    if len(delegated.prior_actors) >= MAX_ACTORS:
        raise InvalidRequest(f"the subject token has gone through more than {MAX_ACTORS} hands")
    grant = _grant(request, subject, actor, delegated, scope, resource)
    return await _prepare(request, grant, scope, resource, delegated)


def _grant(
    request: TokenRequest,
    subject: _Presented,
    actor: _Presented,
    delegated: Delegated,
    scope: tuple[str, ...],
    resource: str,
) -> Grant:
    acting = actor[1]
    ends = [one.expires_at for one in (*subject, *actor)]
    if delegated.expires_at is not None:
        ends.append(delegated.expires_at)
    return Grant(
        grant_id=new_grant_id(request.now_ms, request.provider.random),
        client_id=request.known_client.client_id,
        grant_type=GRANT_TYPE,
        subject=subject[1].subject,
        actor=acting.actor,
        authority=delegated.authority,
        session_id=acting.session_id,
        scope=scope,
        resource=(resource,) if resource else (),
        claims={},
        authorization_details=(),
        nonce=None,
        acr=acting.acr,
        amr=acting.amr,
        auth_time=acting.auth_time,
        created_at=request.now_ms,
        expires_at=min(ends),
        jkt=request.jkt,
        delegation=Delegation(
            parents=_rests_on(subject[1], acting), prior_actors=delegated.prior_actors
        ),
    )


def _rests_on(*grants: Grant) -> tuple[str, ...]:
    """These grants and all that they rest on themselves."""
    found: dict[str, None] = {}
    for grant in grants:
        found[grant.grant_id] = None
        if grant.delegation is not None:
            found.update(dict.fromkeys(grant.delegation.parents))
    return tuple(found)


async def _prepare(
    request: TokenRequest,
    grant: Grant,
    scope: tuple[str, ...],
    resource: str,
    delegated: Delegated | None,
    *,
    without_details: bool = False,
) -> Prepared:
    access = await tokens.mint_access_token(
        request.provider,
        request.known_client,
        grant,
        scope=scope,
        resource=resource,
        jkt=request.jkt,
        x5t=request.x5t,
        now=request.now,
    )
    response = token_response(access.value, request.jkt, access.expires_in, scope)
    response["issued_token_type"] = ACCESS_TOKEN_TYPE
    made = TokenSet(response, access.row, details=() if without_details else None)

    async def work(writes: ProviderWrites) -> OAuthError | None:
        if delegated is not None:
            assert grant.subject is not None
            assert grant.actor is not None
            now = await writes.standing(grant.subject, grant.actor, delegated.authority)
            if now != delegated.standing:
                # It has changed since it was looked at: whoever ended it has not seen this grant.
                return InvalidGrant("what entitles the actor has just changed: try again")
            await writes.add_grant(grant)
        await made.keep(writes, {"grant_type": GRANT_TYPE})
        return None

    return Prepared(response, work)
