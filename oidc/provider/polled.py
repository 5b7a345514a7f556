"""What the grants that poll have in common: the person's answer, and how the client asks for it.

RFC 8628 3.4 and 3.5, CIBA Core 1.0 10 and 11. The request's one row is claimed as the last check,
so of two requests at once one gets tokens.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from oidc.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    InvalidRequest,
    OAuthError,
    SlowDown,
    TooManyRequests,
)
from oidc.ports import Approval, AuthorizationRequest, ProviderWrites
from oidc.provider import authorization_details, resources
from oidc.provider.context import Provider
from oidc.provider.grants import refresh_token
from oidc.provider.registered_scope import within_registration
from oidc.provider.token_request import Prepared, TokenRequest
from oidc.provider.token_set import make_token_set
from oidc.records import OFFLINE_ACCESS, AuditEvent, Client, Grant, PolledRequest
from oidc.secrets import new_grant_id

INTERVAL: Final = 5
SLOWER_BY: Final = 5
"""Seconds."""

_RETRY_SECONDS: Final = 60
_UNKNOWN: Final = "the code is unknown, used, or was not issued to this client"


def begun(
    provider: Provider,
    client: Client,
    grant_type: str,
    code: str,
    parameters: Mapping[str, str],
    seconds: int,
    **more: Any,
) -> PolledRequest:
    """A request that begins to wait now, for ``seconds``; ``more`` are members of the record."""
    now_ms = provider.now_ms()
    return PolledRequest(
        code_hash=provider.hasher.hash(code),
        grant_type=grant_type,
        client_id=client.client_id,
        parameters=parameters,
        interval=INTERVAL * 1000,
        next_poll_at=now_ms,
        created_at=now_ms,
        expires_at=now_ms + seconds * 1000,
        **{"user_code_hash": None, "subject": None, "actor": None, "sealed": None, **more},
    )


async def too_many(
    writes: ProviderWrites, client: Client, provider: Provider
) -> TooManyRequests | None:
    """The refusal of one more request of a client that anybody can speak for (RFC 6585 4)."""
    most, now_ms = provider.config.open_requests, provider.now_ms()
    if not client.is_counted:
        return None
    if await writes.open_polled_requests(client.client_id, now_ms, most) < most:
        return None
    return TooManyRequests(
        "too many requests of this client wait: try again shortly",
        headers={"Retry-After": str(_RETRY_SECONDS)},
    )


def approved(
    provider: Provider, request: AuthorizationRequest, approval: Approval, polled: PolledRequest
) -> Callable[[ProviderWrites], Awaitable[None]]:
    """What a person's yes writes: a grant, from which the client will get tokens.

    It raises InvalidRequest where the request is not open any more.

    Raises:
        InvalidRequest: the client meant somebody else, or another business.
    """
    if polled.actor not in (None, approval.actor) or polled.subject not in (None, approval.subject):
        raise InvalidRequest("this request is meant for another person or business")
    now_ms = provider.now_ms()
    grant = _grant(provider, request, approval, polled.grant_type, now_ms)

    async def work(writes: ProviderWrites) -> None:
        if not await writes.approve_polled_request(polled.code_hash, grant.grant_id, now_ms):
            raise InvalidRequest("the request was answered before, or has expired: begin again")
        await writes.add_grant(grant)
        await writes.audit(AuditEvent("authorization.granted", _facts(grant)))

    return work


def refused(
    provider: Provider, polled: PolledRequest
) -> Callable[[ProviderWrites], Awaitable[None]]:
    """What a person's no writes; nothing where the request is not open any more."""
    now_ms = provider.now_ms()

    async def work(writes: ProviderWrites) -> None:
        await writes.refuse_polled_request(polled.code_hash, now_ms)

    return work


async def fetch(
    request: TokenRequest,
    grant_type: str,
    code: str,
    id_token_claims: Mapping[str, Any] | None = None,
) -> Prepared:
    """The tokens of a request, if the person has said yes.

    Raises:
        InvalidGrant: the code is unknown, another client's, used, or its grant has ended.
        AccessDenied: the person said no.
        ExpiredToken: nobody answered in time, or the client did not ask in time.
        InvalidTarget: a resource that was not granted.
    """
    provider, client = request.provider, request.known_client
    found = await provider.store.read.polled_request(provider.hasher.hash(code))
    if found is None:
        raise InvalidGrant(_UNKNOWN)
    polled, grant = found
    if polled.client_id != client.client_id or polled.grant_type != grant_type:
        raise InvalidGrant(_UNKNOWN)
    if polled.used_at is not None:
        raise InvalidGrant(_UNKNOWN)
    if polled.refused_at is not None:
        raise AccessDenied("the person did not agree")
    if request.now_ms >= polled.expires_at:
        raise ExpiredToken("the code has expired: begin again")
    if grant is None:
        return _pending(request, polled)
    if not grant.is_live(request.now_ms):
        raise InvalidGrant("what the person agreed to has ended")
    return await _prepare(request, polled, grant, id_token_claims)


def _pending(request: TokenRequest, polled: PolledRequest) -> Prepared:
    async def work(writes: ProviderWrites) -> OAuthError | None:
        interval = await writes.count_poll(polled.code_hash, request.now_ms, SLOWER_BY * 1000)
        if interval > polled.interval:
            return SlowDown(f"wait {interval // 1000} seconds between two requests")
        return AuthorizationPending("the person has not answered yet")

    return Prepared({}, work)


async def _prepare(
    request: TokenRequest,
    polled: PolledRequest,
    grant: Grant,
    id_token_claims: Mapping[str, Any] | None,
) -> Prepared:
    client = request.known_client
    granted = within_registration(grant, client)
    made = await make_token_set(
        request,
        granted,
        scope=granted.scope,
        resource=resources.choose(
            request.form.get("resource"), grant.resource, client, request.provider.config
        ),
        with_refresh_token=(
            OFFLINE_ACCESS in granted.scope and refresh_token.GRANT_TYPE in client.grant_types
        ),
        id_token_claims=id_token_claims,
    )

    async def work(writes: ProviderWrites) -> OAuthError | None:
        if not await writes.claim_polled_request(polled.code_hash, request.now_ms):
            return InvalidGrant(_UNKNOWN)
        await made.keep(writes, {"grant_type": polled.grant_type})
        return None

    return Prepared(made.response, work)


def _grant(
    provider: Provider,
    request: AuthorizationRequest,
    approval: Approval,
    grant_type: str,
    now_ms: int,
) -> Grant:
    policy_end = now_ms + provider.config.lifetimes.refresh_token * 1000
    return Grant(
        grant_id=new_grant_id(now_ms, provider.random),
        client_id=request.client.client_id,
        grant_type=grant_type,
        subject=approval.subject,
        actor=approval.actor,
        authority=approval.authority,
        session_id=approval.session_id,
        scope=approval.scope,
        resource=request.resource,
        claims=request.claims,
        authorization_details=authorization_details.granted(
            request.authorization_details, provider.config
        ),
        nonce=None,
        acr=approval.acr,
        amr=approval.amr,
        auth_time=approval.auth_time,
        created_at=now_ms,
        expires_at=min(policy_end, approval.expires_at),
    )


def _facts(grant: Grant) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "client_id": grant.client_id,
        "grant_id": grant.grant_id,
        "grant_type": grant.grant_type,
        "subject": grant.subject,
        "actor": grant.actor,
        "authority": grant.authority,
        "scope": " ".join(grant.scope),
        "acr": grant.acr,
    }
    if grant.authorization_details:
        facts["authorization_details"] = [dict(one) for one in grant.authorization_details]
    return facts
