"""Making tokens in memory: nothing here is stored, and nothing counts before the commit.

An access token for a named resource is a JWT (RFC 9068), one for our own endpoints is opaque;
both get a row by keyed hash, so that ending one is immediate. No token outlives its grant.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from keys import base64url, jws
from keys.record import record
from oidc import dated
from oidc.provider import authorization_details
from oidc.provider.context import Provider
from oidc.provider.encryption import encrypted
from oidc.provider.resources import OWN
from oidc.records import AccessToken, Client, Grant, RefreshToken
from oidc.secrets import ACCESS_TOKEN, REFRESH_TOKEN

PURPOSE: Final = "tokens"
ACCESS_TOKEN_ALG: Final = "ES256"
_ACCESS_TOKEN_TYPE: Final = "at+jwt"
_ID_TOKEN_TYPE: Final = "JWT"


@record
class MintedAccessToken:
    """An access token and its row. ``expires_in`` is in seconds."""

    value: str
    row: AccessToken
    expires_in: int


@record
class MintedRefreshToken:
    """A refresh token and its row."""

    value: str
    row: RefreshToken


async def mint_access_token(
    provider: Provider,
    client: Client | None,
    grant: Grant | None,
    *,
    scope: tuple[str, ...],
    resource: str,
    jkt: str | None,
    x5t: str | None,
    now: float,
) -> MintedAccessToken:
    """An access token for ``resource`` (``OWN`` for our own endpoints).

    ``client`` is None for anonymous access, ``grant`` for a client's own (client credentials).
    ``jkt`` binds it to a DPoP key, ``x5t`` to a client certificate; ``now`` is epoch seconds.
    """
    issued = int(now)
    expires = issued + provider.config.lifetimes.access_token
    if grant is not None:
        expires = min(expires, grant.expires_at // 1000)
    ends = dated.instant(expires * 1000)
    if resource == OWN:
        value = dated.new_token(ACCESS_TOKEN, ends, provider.random)
    else:
        assert client is not None  # anonymous access is to our own endpoints only
        claims = await _access_token_claims(provider, client, grant, resource)
        claims["iss"] = provider.config.issuer
        claims["aud"] = resource
        claims["client_id"] = client.client_id
        claims["iat"] = issued
        claims["exp"] = expires
        claims["jti"] = dated.new_jti(ends, provider.random)
        if scope:
            claims["scope"] = " ".join(scope)
        if jkt is not None or x5t is not None:
            claims["cnf"] = confirmation(jkt, x5t)
        signer = provider.signers.signer(PURPOSE, ACCESS_TOKEN_ALG)
        value = await jws.sign(signer, claims, typ=_ACCESS_TOKEN_TYPE)
    row = AccessToken(
        provider.hasher.key(value, ends),
        None if grant is None else grant.grant_id,
        "" if client is None else client.client_id,
        scope,
        resource,
        jkt,
        int(now * 1000),
        expires * 1000,
        x5t=x5t,
    )
    return MintedAccessToken(value, row, expires - issued)


def confirmation(jkt: str | None, x5t: str | None) -> dict[str, str]:
    """The ``cnf`` of an access token (RFC 9449 6, RFC 8705 3.1): what its sender must have."""
    members = {"jkt": jkt, "x5t#S256": x5t}
    return {name: value for name, value in members.items() if value is not None}


async def _access_token_claims(
    provider: Provider, client: Client, grant: Grant | None, resource: str
) -> dict[str, Any]:
    if grant is None:
        return {"sub": client.client_id}  # RFC 9068 2.2: no resource owner is involved
    claims = dict(await provider.claims.access_token(grant, client, resource))
    if grant.auth_time is not None:
        claims["auth_time"] = grant.auth_time
    if grant.acr is not None:
        claims["acr"] = grant.acr
    if grant.authorization_details:
        claims["authorization_details"] = authorization_details.for_resource(
            provider.claims.authorization_details(grant, client, resource),
            resource,
            provider.config,
        )  # RFC 9396 9.1
    if client.may_act is not None:
        claims["may_act"] = may_act(client.may_act)
    return claims


def may_act(client_id: str) -> dict[str, str]:
    """The may_act claim (RFC 8693 4.4): the client that may exchange the token."""
    return {"sub": client_id, "sub_type": "client"}


async def mint_id_token(
    provider: Provider,
    client: Client,
    grant: Grant,
    *,
    access_token: str,
    nonce: str | None,
    now: float,
    more: Mapping[str, Any] | None = None,
) -> str:
    """An ID token (OpenID Connect Core 2) in the algorithms that the client registered."""
    issued = int(now)
    claims = dict(await provider.claims.id_token(grant, client))
    claims["iss"] = provider.config.issuer
    claims["aud"] = client.client_id
    claims["iat"] = issued
    claims["exp"] = min(issued + provider.config.lifetimes.id_token, grant.expires_at // 1000)
    claims["at_hash"] = half_hash(access_token)
    _add_known(
        claims,
        {
            "nonce": nonce,
            "auth_time": grant.auth_time,
            "acr": grant.acr,
            "amr": list(grant.amr) or None,
            "sid": session_identifier(provider, client, grant.session_id),
        },
    )
    if more is not None:
        claims.update(more)
    signer = provider.signers.signer(PURPOSE, client.id_token_signed_response_alg)
    signed = await jws.sign(signer, claims, typ=_ID_TOKEN_TYPE)
    alg = client.id_token_encrypted_response_alg
    if alg is None:
        return signed
    keys = await provider.client_keys.of(client)
    return encrypted(signed, keys, alg, client.id_token_encrypted_response_enc)


def mint_refresh_token(
    provider: Provider, grant: Grant, now: float, jkt: str | None
) -> MintedRefreshToken:
    """A refresh token. ``jkt`` binds it to a DPoP key; that of a client which authenticates is
    bound to the client instead (RFC 9449 5), or to the key of its instance.
    """
    now_ms = int(now * 1000)
    expires_at = min(now_ms + provider.config.lifetimes.refresh_token * 1000, grant.expires_at)
    ends = dated.instant(expires_at)
    value = dated.new_token(REFRESH_TOKEN, ends, provider.random)
    row = RefreshToken(provider.hasher.key(value, ends), grant.grant_id, jkt, now_ms, expires_at)
    return MintedRefreshToken(value, row)


def half_hash(value: str) -> str:
    """at_hash and c_hash for algorithms with SHA-256 (OpenID Connect Core 3.1.3.6)."""
    return base64url.encode(hashlib.sha256(value.encode("ascii")).digest()[:16])


def session_identifier(provider: Provider, client: Client, session_id: str | None) -> str | None:
    """The sid that one client sees of a sign-in session: another for each, so none can compare."""
    if session_id is None:
        return None
    seed = f"sid\0{client.client_id}\0{session_id}"
    return base64url.encode(provider.hasher.hash(seed)[:16])


def _add_known(claims: dict[str, Any], values: Mapping[str, Any]) -> None:
    claims.update((name, value) for name, value in values.items() if value is not None)
