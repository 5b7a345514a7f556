"""grant_type=authorization_code (RFC 6749 4.1.3, RFC 7636 4.6, RFC 9449 10)."""

import hashlib
import hmac
import re
from typing import Final

from keys import base64url
from oidc.errors import InvalidGrant, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider import resources
from oidc.provider.grants import refresh_token
from oidc.provider.registered_scope import within_registration
from oidc.provider.token_request import Prepared, TokenRequest, refuse
from oidc.provider.token_set import make_token_set
from oidc.records import OFFLINE_ACCESS, AuditEvent, AuthorizationCode, Grant

GRANT_TYPE: Final = "authorization_code"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")  # RFC 7636 4.1
_UNKNOWN: Final = "the code is unknown, expired, used, or was not issued to this client"


async def authorization_code(request: TokenRequest) -> Prepared:
    """Redeem a code. Nothing but the right code, client, redirect_uri, verifier and key uses it.

    Raises:
        InvalidRequest: code or redirect_uri is missing.
        InvalidGrant: any of them does not fit, or the grant has ended.
        InvalidTarget: the resource is not part of the grant.
    """
    provider, client = request.provider, request.known_client
    found = await provider.store.read.code(provider.hasher.key(request.required("code")))
    if found is None:
        raise InvalidGrant(_UNKNOWN)
    code, grant = found
    if grant.client_id != client.client_id:
        raise InvalidGrant(_UNKNOWN)
    if request.required("redirect_uri") != code.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one of the authorization request")
    check_verifier(request.form.get("code_verifier"), code.code_challenge)
    if code.dpop_jkt is not None and code.dpop_jkt != request.jkt:
        raise InvalidGrant("the code is bound to another DPoP key than this request's")
    if grant.ended_at is not None:
        raise InvalidGrant(_UNKNOWN)
    if code.used_at is not None:
        return refuse(
            InvalidGrant(_UNKNOWN), lambda writes: _end_family(writes, grant, request.now_ms)
        )
    if request.now_ms >= code.expires_at or not grant.is_live(request.now_ms):
        raise InvalidGrant(_UNKNOWN)
    return await _prepare(request, code, grant)


def check_verifier(verifier: str | None, challenge: str | None) -> None:
    """PKCE with S256 (RFC 7636 4.6), refusing a downgrade either way (RFC 9700 2.1.1).

    Raises:
        InvalidGrant: the verifier does not fit, is missing, or was never announced.
    """
    if challenge is None:
        if verifier is not None:
            raise InvalidGrant("code_verifier without a code_challenge in the request")
        return
    if verifier is None:
        raise InvalidGrant("code_verifier is missing")
    if _VERIFIER.fullmatch(verifier) is None:
        raise InvalidGrant("code_verifier must be 43 to 128 unreserved characters")
    computed = base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
    if not hmac.compare_digest(computed.encode(), challenge.encode()):
        raise InvalidGrant("code_verifier does not fit the code_challenge")


async def _prepare(request: TokenRequest, code: AuthorizationCode, grant: Grant) -> Prepared:
    client = request.known_client
    granted = within_registration(grant, client)
    resource = resources.choose(
        request.form.get("resource"), grant.resource, client, request.provider.config
    )
    made = await make_token_set(
        request,
        granted,
        scope=granted.scope,
        resource=resource,
        nonce=grant.nonce,
        with_refresh_token=(
            OFFLINE_ACCESS in granted.scope and refresh_token.GRANT_TYPE in client.grant_types
        ),
    )

    async def work(writes: ProviderWrites) -> OAuthError | None:
        if not await writes.claim_code(code.code_hash, request.now_ms):
            # Redeemed twice: one of the two is a thief, so the winner's tokens end as well
            # (RFC 6749 4.1.2, RFC 9700 2.1.1). This commits, although the answer is an error.
            await _end_family(writes, grant, request.now_ms)
            return InvalidGrant(_UNKNOWN)
        await made.keep(writes, {"grant_type": GRANT_TYPE})
        return None

    return Prepared(made.response, work)


async def _end_family(writes: ProviderWrites, grant: Grant, now_ms: int) -> None:
    await writes.end_grant(grant.grant_id, now_ms, "code_reuse")
    await writes.audit(
        AuditEvent("code.reused", {"client_id": grant.client_id, "grant_id": grant.grant_id})
    )
