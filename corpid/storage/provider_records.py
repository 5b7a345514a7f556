"""The protocols' records from rows and back."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from corpid.storage.mapping import json_text, words
from keys.jwk import JwkSet
from oidc.records import (
    EXPECTATIONS,
    AccessToken,
    AuthorizationCode,
    Client,
    Delegation,
    Grant,
    PreAuthorizedOffer,
    RefreshToken,
)

_NAMES: Final = {
    "client_name": "en",
    "client_name#zh-Hant": "zh-Hant",
    "client_name#zh-Hans": "zh-Hans",
}
CODE_COLUMNS: Final = 7
ACCESS_TOKEN_COLUMNS: Final = 10
REFRESH_TOKEN_COLUMNS: Final = 6


def client(row: tuple[str, str, str, bytes | None, str | None]) -> Client:
    """A client from its id, sector, policy (RFC 7591 names and our own) and secret hash, and its
    id once more where it registered itself.

    Where the policy is silent the stricter profile holds, and RFC 7591's defaults in the other.

    Raises:
        MalformedKey: its key set is none, which registration refuses.
    """
    client_id, sector, text, secret_hash, registered_itself = row
    metadata: Mapping[str, Any] = orjson.loads(text)
    get = metadata.get
    profile = get("profile", "fapi2")
    jwks, modes = get("jwks"), get("response_modes")
    return Client(
        client_id=client_id,
        profile=profile,
        names={language: metadata[name] for name, language in _NAMES.items() if get(name)},
        redirect_uris=tuple(get("redirect_uris", ())),
        scopes=frozenset(get("scope", "").split()),
        grant_types=frozenset(get("grant_types", ("authorization_code",))),
        token_endpoint_auth_method=get(
            "token_endpoint_auth_method",
            "client_secret_basic" if profile == "oidc" else "private_key_jwt",
        ),
        jwks=None if jwks is None else JwkSet.parse(jwks),
        secret_hash=secret_hash,
        sector=sector,
        subject=get("subject", "organisation"),
        min_acr=get("min_acr", "loa2"),
        pkce_required=get("pkce_required", True),
        dpop_bound_access_tokens=get("dpop_bound_access_tokens", False),
        require_pushed_authorization_requests=get("require_pushed_authorization_requests", False),
        id_token_signed_response_alg=get("id_token_signed_response_alg", "ES256"),
        resources=frozenset(get("resources", ())),
        serves=frozenset(get("serves", ())),
        policy_uri=get("policy_uri"),
        tos_uri=get("tos_uri"),
        jwks_uri=get("jwks_uri"),
        token_endpoint_auth_signing_alg=get("token_endpoint_auth_signing_alg"),
        authorization_details_types=frozenset(get("authorization_details_types", ())),
        may_act=get("may_act"),
        backchannel_token_delivery_mode=get("backchannel_token_delivery_mode"),
        backchannel_client_notification_endpoint=get("backchannel_client_notification_endpoint"),
        request_object_signing_alg=get("request_object_signing_alg"),
        require_signed_request_object=get("require_signed_request_object", False),
        request_uris=frozenset(get("request_uris", ())),
        response_modes=None if modes is None else tuple(modes),
        authorization_signed_response_alg=get("authorization_signed_response_alg", "ES256"),
        introspection_signed_response_alg=get("introspection_signed_response_alg", "ES256"),
        userinfo_signed_response_alg=get("userinfo_signed_response_alg"),
        id_token_encrypted_response_alg=get("id_token_encrypted_response_alg"),
        id_token_encrypted_response_enc=get("id_token_encrypted_response_enc"),
        userinfo_encrypted_response_alg=get("userinfo_encrypted_response_alg"),
        userinfo_encrypted_response_enc=get("userinfo_encrypted_response_enc"),
        default_max_age=get("default_max_age"),
        default_acr_values=tuple(get("default_acr_values", ())),
        post_logout_redirect_uris=tuple(get("post_logout_redirect_uris", ())),
        backchannel_logout_uri=get("backchannel_logout_uri"),
        tls_client_auth=_tls_client_auth(metadata),
        tls_client_certificate_bound_access_tokens=get(
            "tls_client_certificate_bound_access_tokens", False
        ),
        grant_management=get("grant_management", False),
        vetted=registered_itself is None,
        wallet_provider=get("wallet_provider"),
    )


def _tls_client_auth(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    for name in EXPECTATIONS:
        if name in metadata:
            return name, metadata[name]
    return None


def grant_columns(grant: Grant) -> dict[str, Any]:
    """The columns of a grant."""
    return {
        "grant_id": grant.grant_id,
        "client_id": grant.client_id,
        "grant_type": grant.grant_type,
        "subject": grant.subject,
        "actor": grant.actor,
        "authority": grant.authority,
        "session_id": grant.session_id,
        "scope": words(grant.scope),
        "resource": words(grant.resource),
        "details": _details(grant),
        "acr": grant.acr,
        "amr": words(grant.amr),
        "auth_time": grant.auth_time,
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "ended_at": grant.ended_at,
        "end_reason": None,
    }


def _details(grant: Grant) -> str:
    details: dict[str, Any] = {}
    if grant.claims:
        details["claims"] = grant.claims
    if grant.authorization_details:
        details["authorization_details"] = grant.authorization_details
    if grant.nonce is not None:
        details["nonce"] = grant.nonce
    if grant.jkt is not None:
        details["jkt"] = grant.jkt
    if grant.delegation is not None:
        details["delegation"] = [grant.delegation.parents, grant.delegation.prior_actors]
    if grant.claims_locales:
        details["claims_locales"] = grant.claims_locales
    if grant.handle is not None:
        details["handle"] = grant.handle
    if grant.handled_since is not None:
        details["handled_since"] = grant.handled_since
    return json_text(details) if details else ""


_NO_DETAILS: Final[Mapping[str, Any]] = {}


def grant(row: tuple[Any, ...]) -> Grant:
    """A grant from the columns of its table, of which the last is not shown."""
    details = orjson.loads(row[9]) if row[9] else _NO_DETAILS
    return Grant(
        grant_id=row[0],
        client_id=row[1],
        grant_type=row[2],
        subject=row[3],
        actor=row[4],
        authority=row[5],
        session_id=row[6],
        scope=tuple(row[7].split()),
        resource=tuple(row[8].split()),
        claims=details.get("claims", {}),
        authorization_details=tuple(details.get("authorization_details", ())),
        nonce=details.get("nonce"),
        acr=row[10],
        amr=tuple(row[11].split()),
        auth_time=row[12],
        created_at=row[13],
        expires_at=row[14],
        ended_at=row[15],
        jkt=details.get("jkt"),
        delegation=_delegation(details["delegation"]) if "delegation" in details else None,
        claims_locales=tuple(details.get("claims_locales", ())),
        handle=details.get("handle"),
        handled_since=details.get("handled_since"),
    )


def _delegation(kept: list[list[str]]) -> Delegation:
    parents, prior_actors = kept
    return Delegation(tuple(parents), tuple(prior_actors))


def code_and_grant(row: tuple[Any, ...]) -> tuple[AuthorizationCode, Grant]:
    """A code's columns, then its grant's."""
    return AuthorizationCode(*row[:CODE_COLUMNS]), grant(row[CODE_COLUMNS:])


def refresh_token_and_grant(row: tuple[Any, ...]) -> tuple[RefreshToken, Grant]:
    """A refresh token's columns, then its grant's."""
    return RefreshToken(*row[:REFRESH_TOKEN_COLUMNS]), grant(row[REFRESH_TOKEN_COLUMNS:])


def access_token_and_grant(row: tuple[Any, ...]) -> tuple[AccessToken, Grant | None]:
    """An access token's columns, then its grant's, or NULLs where it has none.

    A token has ended when its grant has: the row says it of the token too, so that nobody can
    forget to ask the grant.
    """
    token_hash, grant_id, client_id, scope, audience, jkt, issued_at, expires_at, ended_at, x5t = (
        row[:ACCESS_TOKEN_COLUMNS]
    )
    of = grant(row[ACCESS_TOKEN_COLUMNS:]) if grant_id is not None else None
    if ended_at is None and of is not None:
        ended_at = of.ended_at
    token = AccessToken(
        token_hash=token_hash,
        grant_id=grant_id,
        client_id=client_id,
        scope=tuple(scope.split()),
        audience=audience,
        jkt=jkt,
        issued_at=issued_at,
        expires_at=expires_at,
        ended_at=ended_at,
        x5t=x5t,
    )
    return token, of


def preauthorized_offer(row: tuple[Any, ...]) -> PreAuthorizedOffer:
    """An offer from the columns that the statement names."""
    credentials = row[7].split()
    return PreAuthorizedOffer(
        offer_id=row[0],
        code_hash=row[1],
        transaction_code_hash=row[2],
        wrong_tries=row[3],
        subject=row[4],
        actor=row[5],
        authority=row[6],
        configuration_ids=tuple(one.partition("/")[0] for one in credentials),
        expires_at=row[8],
        used_at=row[9],
        ended_at=row[10],
        next_try_at=row[11],
        identifiers={one.partition("/")[0]: one for one in credentials if "/" in one},
    )
