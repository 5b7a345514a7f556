"""The protocols' records: frozen values that the host's storage fills and keeps.

``subject``, ``actor`` and ``authority`` are the host's internal references (whom the tokens are
about, who acts, and what entitles the actor); they never leave as such. Instants named ``*_at``
are epoch milliseconds; ``auth_time`` is epoch seconds as in the ID token.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from keys.jwk import JwkSet
from keys.record import record

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
POLL = "poll"
PING = "ping"
NO_AUTHENTICATION = "none"
"""The method of public clients (RFC 7591 2)."""

EXPECTATIONS = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
"""How a client says which certificate is its (RFC 8705 2.1.2): by exactly one of these."""


@record
class Client:
    """A relying party as it is registered now (RFC 7591 names where they exist).

    ``sector`` is the sector of its pairwise identifiers. ``resources`` are the audiences it may
    ask access tokens for; ``serves`` the audiences whose tokens it may introspect. ``min_acr``
    is the least assurance of a sign-in that it accepts. ``subject`` says whether ``sub`` is the
    organisation or the pair of organisation and representative. ``may_act`` is the client that may
    exchange this one's tokens where it serves their audience (RFC 8693 4.4). Keys that are at
    ``jwks_uri`` are had from ``oidc.provider.client_keys``; ``jwks`` is None then.
    ``tls_client_auth`` is what its certificate must say: the name of one of RFC 8705's metadata
    members, and its value.

    ``request_object_signing_alg`` is the one algorithm of its request objects, None any of its
    profile's; ``response_modes`` are those that it may use, None all of its profile's. UserInfo
    is signed, and UserInfo and ID token encrypted, for those that registered an algorithm for it.
    ``grant_management`` is whether it may name its grants and act on them (Grant Management).
    ``vetted`` is whether an operator registered it, and not it itself.
    ``wallet_provider`` is the attester of its instances, where they authenticate by attestation.
    """

    client_id: str
    profile: str
    names: Mapping[str, str]
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    grant_types: frozenset[str]
    token_endpoint_auth_method: str
    jwks: JwkSet | None
    secret_hash: bytes | None
    sector: str
    subject: str = "organisation"
    min_acr: str = "loa2"
    pkce_required: bool = True
    dpop_bound_access_tokens: bool = False
    require_pushed_authorization_requests: bool = False
    id_token_signed_response_alg: str = "ES256"
    resources: frozenset[str] = frozenset()
    serves: frozenset[str] = frozenset()
    policy_uri: str | None = None
    tos_uri: str | None = None
    jwks_uri: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    authorization_details_types: frozenset[str] = frozenset()
    may_act: str | None = None
    backchannel_token_delivery_mode: str | None = None
    backchannel_client_notification_endpoint: str | None = None
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    request_uris: frozenset[str] = frozenset()
    response_modes: tuple[str, ...] | None = None
    authorization_signed_response_alg: str = "ES256"
    introspection_signed_response_alg: str = "ES256"
    userinfo_signed_response_alg: str | None = None
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    tls_client_auth: tuple[str, str] | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    grant_management: bool = False
    vetted: bool = True
    wallet_provider: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it is counted how many of its requests wait: anybody can make some in the name of
        a public client, and nobody here knows who registered itself.
        """
        return self.is_public or not self.vetted

    @property
    def is_public(self) -> bool:
        """Whether it can keep no secret (RFC 6749 2.1): nothing proves that a request is its."""
        return self.token_endpoint_auth_method == NO_AUTHENTICATION

    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None


@record
class PushedRequest:
    """A pushed authorization request (RFC 9126): its parameters as they were validated.

    ``counted`` says that it was one of a client whose waiting requests are bounded.
    """

    request_hash: bytes
    client_id: str
    parameters: Mapping[str, str]
    dpop_jkt: str | None
    expires_at: int
    used_at: int | None = None
    counted: bool = False


@record
class Delegation:
    """What a grant that came of two exchanged tokens rests on (RFC 8693).

    ``parents`` are the ids of the tokens' grants, and of what those rest on: it ends with any of
    them. ``prior_actors`` are the host's references to those who acted before, the latest first.
    """

    parents: tuple[str, ...]
    prior_actors: tuple[str, ...]


@record
class Grant:
    """What was authorised: one subject, one actor, one client. Every token hangs on a grant.

    ``handle`` is the ``grant_id`` that the client knows it by, if its client manages grants: the
    handle stays when another grant takes the place of this one (``oidc.provider.managed_grants``),
    and ``handled_since`` is then when the first one was made.
    """

    grant_id: str
    client_id: str
    grant_type: str
    subject: str | None
    actor: str | None
    authority: str | None
    session_id: str | None
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    claims: Mapping[str, Any]
    authorization_details: tuple[Mapping[str, Any], ...]
    nonce: str | None
    acr: str | None
    amr: tuple[str, ...]
    auth_time: int | None
    created_at: int
    expires_at: int
    ended_at: int | None = None
    jkt: str | None = None
    delegation: Delegation | None = None
    claims_locales: tuple[str, ...] = ()
    handle: str | None = None
    handled_since: int | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether tokens may still be had and used under it."""
        return self.ended_at is None and now_ms < self.expires_at


@record
class PolledRequest:
    """An authorization whose tokens the client fetches by asking again and again, kept by hash.

    ``grant_type`` is the one that fetches them. ``parameters`` is the request as it was validated;
    ``user_code_hash`` (RFC 8628) is what a person types, by hash. ``actor`` and ``subject`` are the
    host's references to whom a client names beforehand (CIBA); ``sealed`` is what is told to the
    client at the end, sealed by the host. ``interval`` is in milliseconds; not before
    ``next_poll_at`` may the client ask again. At the end there is a grant, or it was refused.
    """

    code_hash: bytes
    grant_type: str
    client_id: str
    user_code_hash: bytes | None
    subject: str | None
    actor: str | None
    parameters: Mapping[str, str]
    sealed: bytes | None
    interval: int
    next_poll_at: int
    created_at: int
    expires_at: int
    grant_id: str | None = None
    refused_at: int | None = None
    used_at: int | None = None

    def is_open(self, now_ms: int) -> bool:
        """Whether a person may still say yes or no."""
        return self.grant_id is None and self.refused_at is None and now_ms < self.expires_at


@record
class AuthorizationCode:
    """An authorization code, kept by hash."""

    code_hash: bytes
    grant_id: str
    redirect_uri: str
    code_challenge: str | None
    dpop_jkt: str | None
    expires_at: int
    used_at: int | None = None


@record
class AccessToken:
    """An access token, kept by hash. ``audience`` empty means our own endpoints.

    ``jkt`` is the thumbprint of the DPoP key, ``x5t`` that of the client certificate, which it is
    bound to (RFC 9449 6, RFC 8705 3); both where both are set.
    """

    token_hash: bytes
    grant_id: str | None
    client_id: str
    scope: tuple[str, ...]
    audience: str
    jkt: str | None
    issued_at: int
    expires_at: int
    ended_at: int | None = None
    x5t: str | None = None

    def is_live(self, now_ms: int) -> bool:
        """Whether it may still be used, its grant apart."""
        return self.ended_at is None and now_ms < self.expires_at


@record
class RefreshToken:
    """A refresh token, kept by hash; ``rotated_at`` is set when another replaced it."""

    token_hash: bytes
    grant_id: str
    jkt: str | None
    issued_at: int
    expires_at: int
    rotated_at: int | None = None


@record
class PreAuthorizedOffer:
    """A credential offer by pre-authorized code (OpenID4VCI 1.0, 4.1.1), kept by hash.

    ``next_try_at`` is when (epoch ms) a transaction code may be tried again after wrong ones.
    ``identifiers`` are the credential identifiers (6.2) of those configurations that have one.
    """

    offer_id: str
    code_hash: bytes
    transaction_code_hash: bytes | None
    wrong_tries: int
    subject: str
    actor: str
    authority: str
    configuration_ids: tuple[str, ...]
    expires_at: int
    used_at: int | None
    ended_at: int | None
    next_try_at: int | None = None
    identifiers: Mapping[str, str] = field(default_factory=dict)


@record
class AuditEvent:
    """Something worth keeping: the event's name and its facts. Never a secret or a token."""

    event: str
    facts: Mapping[str, Any] = field(default_factory=dict)
