"""grant_type=refresh_token (RFC 6749 6, RFC 9449 5).

Those of clients that authenticate are not rotated, which FAPI 2.0, 5.3.2.1 forbids. Those of
public clients are used once (RFC 9700 4.14.2): each yields the next, and one that comes again was
stolen from somebody, so the whole family ends. All end with their grant.
"""

from typing import Final

from oidc.errors import InvalidGrant, InvalidScope, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider import resources
from oidc.provider.registered_scope import within_registration
from oidc.provider.token_request import Prepared, TokenRequest, refuse
from oidc.provider.token_set import make_token_set
from oidc.records import OFFLINE_ACCESS, AuditEvent, Grant, RefreshToken

GRANT_TYPE: Final = "refresh_token"
_UNKNOWN: Final = "the refresh token is unknown, expired, ended, or another client's"


async def refresh_token(request: TokenRequest) -> Prepared:
    """Fresh tokens under a grant that is still live.

    The access token is bound to the key of this request's proof. That may be a new one where the
    client's authentication binds the refresh token, not where its DPoP key does (RFC 9449 5).

    Raises:
        InvalidRequest: no refresh_token.
        InvalidGrant: it is unknown, expired, another client's, bound to another key, used up, or
            its grant has ended.
        InvalidScope, InvalidTarget: more than was granted, or than the client may still have.
    """
    provider, client = request.provider, request.known_client
    presented = provider.hasher.key(request.required("refresh_token"))
    found = await provider.store.read.refresh_token(presented)
    if found is None:
        raise InvalidGrant(_UNKNOWN)
    token, grant = found
    if (
        grant.client_id != client.client_id
        or request.now_ms >= token.expires_at
        or not grant.is_live(request.now_ms)
    ):
        raise InvalidGrant(_UNKNOWN)
    _check_key(token, request)
    if token.rotated_at is not None:
        return refuse(
            InvalidGrant(_UNKNOWN), lambda writes: _end_family(writes, grant, request.now_ms)
        )
    granted = within_registration(grant, client)
    if OFFLINE_ACCESS in grant.scope and OFFLINE_ACCESS not in granted.scope:
        raise InvalidGrant("the client is not registered for offline_access any more")
    made = await make_token_set(
        request,
        granted,
        scope=_narrowed(request.form.get("scope"), granted.scope),
        resource=resources.choose(
            request.form.get("resource"), grant.resource, client, provider.config
        ),
        with_refresh_token=client.is_public,
    )

    async def work(writes: ProviderWrites) -> OAuthError | None:
        if client.is_public and not await writes.claim_refresh_token(
            token.token_hash, request.now_ms
        ):
            # Another request used it in this moment. One of the two is a thief's: the winner's
            # tokens end as well, and that commits, although the answer is an error.
            await _end_family(writes, grant, request.now_ms)
            return InvalidGrant(_UNKNOWN)
        await made.keep(writes, {"grant_type": GRANT_TYPE})
        return None

    return Prepared(made.response, work)


def _check_key(token: RefreshToken, request: TokenRequest) -> None:
    """Before its use is looked at: who does not have the key must not end the family.

    Raises:
        InvalidGrant: it is bound to another DPoP key, or to another instance of the client.
    """
    if request.instance_jkt is not None:
        if token.jkt != request.instance_jkt:
            raise InvalidGrant("the refresh token is bound to another instance of the client")
    elif token.jkt is not None and token.jkt != request.jkt:
        raise InvalidGrant("the refresh token is bound to another DPoP key than this request's")


async def _end_family(writes: ProviderWrites, grant: Grant, now_ms: int) -> None:
    await writes.end_grant(grant.grant_id, now_ms, "refresh_token_reuse")
    await writes.audit(
        AuditEvent(
            "refresh_token.reused", {"client_id": grant.client_id, "grant_id": grant.grant_id}
        )
    )


def _narrowed(requested: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """The requested scope in the grant's order; all of it when none is requested.

    Raises:
        InvalidScope: more than was granted (RFC 6749 6).
    """
    if requested is None:
        return granted
    wanted = frozenset(requested.split(" "))
    if not wanted <= frozenset(granted):
        raise InvalidScope("the scope is more than what was granted")
    return tuple(scope for scope in granted if scope in wanted)
