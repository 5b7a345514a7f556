"""grant_type=refresh_token (RFC 6749 6, RFC 9449 5).

Refresh tokens are not rotated: every client authenticates itself, and FAPI 2.0, 5.3.2.1 forbids
it. They end with their grant.
"""

from typing import Final

from oidc.errors import InvalidGrant, InvalidScope
from oidc.ports import ProviderWrites
from oidc.provider import resources
from oidc.provider.token_request import Prepared, TokenRequest
from oidc.provider.token_set import make_token_set

GRANT_TYPE: Final = "refresh_token"
_UNKNOWN: Final = "the refresh token is unknown, expired, ended, or another client's"


async def refresh_token(request: TokenRequest) -> Prepared:
    """Fresh tokens under a grant that is still live.

    The access token is bound to the key of this request's proof, which may be a new one: what
    binds the refresh token is the client's authentication (RFC 9449 5).

    Raises:
        InvalidRequest: no refresh_token.
        InvalidGrant: it is unknown, expired, another client's, bound to another key, or its
            grant has ended.
        InvalidScope, InvalidTarget: more than was granted.
    """
    provider, client = request.provider, request.known_client
    presented = provider.hasher.hash(request.required("refresh_token"))
    found = await provider.store.read.refresh_token(presented)
    if found is None:
        raise InvalidGrant(_UNKNOWN)
    token, grant = found
    if (
        grant.client_id != client.client_id
        or request.now_ms >= token.expires_at
        or token.rotated_at is not None
        or not grant.is_live(request.now_ms)
    ):
        raise InvalidGrant(_UNKNOWN)
    if token.jkt is not None and token.jkt != request.jkt:
        raise InvalidGrant("the refresh token is bound to another DPoP key than this request's")
    made = await make_token_set(
        request,
        grant,
        scope=_narrowed(request.form.get("scope"), grant.scope),
        resource=resources.choose(
            request.form.get("resource"), grant.resource, client, provider.config
        ),
    )

    async def work(writes: ProviderWrites) -> None:
        await made.keep(writes, {"grant_type": GRANT_TYPE})

    return Prepared(made.response, work)


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
