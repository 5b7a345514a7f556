"""Discovery: what the authorization server can do, computed from what it does.

One set of facts, served as OpenID Connect Discovery 1.0 (the well-known path appended to the
issuer) and as RFC 8414 (inserted before the issuer's own path).
"""

from typing import Any, Final
from urllib.parse import urlsplit

from keys import jwe
from oidc.attesters import ALGORITHMS as ATTESTATION_ALGORITHMS
from oidc.attesters import METHODS as BY_ATTESTATION
from oidc.documents import Document
from oidc.dpop import ALGORITHMS as DPOP_ALGORITHMS
from oidc.errors import OAuthError
from oidc.mutual_tls import METHODS
from oidc.profiles import PROFILES
from oidc.provider import endpoints
from oidc.provider.authorization_request import PROMPTS
from oidc.provider.context import ProviderConfig
from oidc.provider.grants.registry import ANONYMOUS, GRANTS
from oidc.provider.managed_grants import ACTIONS, API_SCOPES
from oidc.records import NO_AUTHENTICATION, PING, POLL
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error

_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"
# The endpoints that a client calls itself, where its certificate may count (RFC 8705 5).
_ALIASED: Final = (
    "token_endpoint",
    "pushed_authorization_request_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "grant_management_endpoint",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
)
# Claims of the envelope, whatever the scope.
_ENVELOPE: Final = frozenset(
    {"acr", "act", "amr", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"}
)


def openid_configuration_path(issuer: str) -> str:
    """Where OpenID Connect Discovery 4 looks."""
    return urlsplit(issuer).path.rstrip("/") + _OPENID


def authorization_server_path(issuer: str) -> str:
    """Where RFC 8414 3.1 looks."""
    return _OAUTH + urlsplit(issuer).path.rstrip("/")


def provider_metadata(config: ProviderConfig) -> dict[str, Any]:
    """The document. Booleans are explicit, for some defaults are true (Discovery 3)."""
    auth_methods = {name for one in PROFILES.values() for name in one.auth_methods}
    auth_methods -= METHODS - (
        frozenset() if config.mutual_tls is None else config.mutual_tls.methods
    )
    if not config.attestation:
        auth_methods -= BY_ATTESTATION
    assertion_algs = sorted({alg for one in PROFILES.values() for alg in one.assertion_algs})
    our_algs = sorted({alg for one in PROFILES.values() for alg in one.id_token_algs})
    document: dict[str, Any] = {
        "issuer": config.issuer,
        "authorization_endpoint": config.url(endpoints.AUTHORIZE),
        "pushed_authorization_request_endpoint": config.url(endpoints.PUSHED_AUTHORIZATION),
        "device_authorization_endpoint": config.url(endpoints.DEVICE_AUTHORIZATION),
        "backchannel_authentication_endpoint": config.url(endpoints.BACKCHANNEL_AUTHENTICATION),
        "backchannel_token_delivery_modes_supported": [POLL, PING],
        "backchannel_authentication_request_signing_alg_values_supported": sorted(
            PROFILES["fapi2"].assertion_algs
        ),
        "backchannel_user_code_parameter_supported": False,
        "token_endpoint": config.url(endpoints.TOKEN),
        "userinfo_endpoint": config.url(endpoints.USERINFO),
        "introspection_endpoint": config.url(endpoints.INTROSPECTION),
        "revocation_endpoint": config.url(endpoints.REVOCATION),
        "end_session_endpoint": config.url(endpoints.END_SESSION),
        "grant_management_endpoint": config.url(endpoints.GRANTS),
        "grant_management_actions_supported": ["query", "revoke", *ACTIONS],
        "grant_management_action_required": False,
        "jwks_uri": config.url(endpoints.JWKS),
        "scopes_supported": [*config.scopes, *API_SCOPES],
        "claims_supported": sorted(_ENVELOPE.union(*config.scopes.values())),
        "response_types_supported": ["code"],
        "response_modes_supported": sorted(
            {mode for one in PROFILES.values() for mode in one.response_modes}
        ),
        "grant_types_supported": list(GRANTS),
        "acr_values_supported": list(config.acr_values),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": our_algs,
        "authorization_signing_alg_values_supported": our_algs,
        "introspection_signing_alg_values_supported": our_algs,
        "userinfo_signing_alg_values_supported": our_algs,
        "request_object_signing_alg_values_supported": assertion_algs,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": sorted(DPOP_ALGORITHMS),
        "ui_locales_supported": list(config.ui_locales),
        "claims_locales_supported": list(config.ui_locales),
        "prompt_values_supported": sorted(PROMPTS),
        # Every page is drawn for any window; the parameter changes nothing.
        "display_values_supported": ["page", "popup", "touch"],
        "protected_resources": [
            config.url(endpoints.USERINFO),
            config.url(endpoints.CREDENTIAL),
        ],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": all(
            one.signed_requests_required for one in PROFILES.values()
        ),
        "require_pushed_authorization_requests": all(
            one.pushed_requests_required for one in PROFILES.values()
        ),
        "tls_client_certificate_bound_access_tokens": config.mutual_tls is not None,
        "pre-authorized_grant_anonymous_access_supported": bool(ANONYMOUS) and not config.haip,
    }
    for name in ("id_token", "userinfo"):
        document[f"{name}_encryption_alg_values_supported"] = list(jwe.ALGS)
        document[f"{name}_encryption_enc_values_supported"] = list(jwe.ENCS)
    for name in ("token", "introspection", "revocation"):
        # The word of a public client is enough to give a token back, not to ask about one.
        served = auth_methods - ({NO_AUTHENTICATION} if name == "introspection" else set())
        document[f"{name}_endpoint_auth_methods_supported"] = sorted(served)
        document[f"{name}_endpoint_auth_signing_alg_values_supported"] = assertion_algs
    if config.detail_types:
        document["authorization_details_types_supported"] = sorted(config.detail_types)
    if config.registration:
        document["registration_endpoint"] = config.url(endpoints.REGISTRATION)
    if config.client_documents:
        document["client_id_metadata_document_supported"] = True
    if config.attestation:
        algorithms = sorted(ATTESTATION_ALGORITHMS)
        document["client_attestation_signing_alg_values_supported"] = algorithms
        document["client_attestation_pop_signing_alg_values_supported"] = algorithms
    if config.attestation_challenge:
        document["challenge_endpoint"] = config.url(endpoints.CHALLENGE)
    if config.service_documentation is not None:
        document["service_documentation"] = config.service_documentation
    aliases = _mtls_aliases(document, config)
    if aliases:
        document["mtls_endpoint_aliases"] = aliases
    return document | dict(config.extra_metadata)


def _mtls_aliases(document: dict[str, Any], config: ProviderConfig) -> dict[str, str]:
    """Where clients with certificates go, if that is elsewhere (RFC 8705 5)."""
    if config.mutual_tls is None:
        return {}
    found = (
        (name, config.mutual_tls.alias(document[name])) for name in _ALIASED if name in document
    )
    return {name: url for name, url in found if url is not None}


class ProviderMetadataEndpoint:
    """GET at both well-known paths."""

    def __init__(self, config: ProviderConfig) -> None:
        self._document = Document(provider_metadata(config))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "HEAD")
        except OAuthError as error:
            await send_error(send, error)
        else:
            await self._document.send(scope, send)
