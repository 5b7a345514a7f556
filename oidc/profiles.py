"""The profile table: which check applies to which kind of client, visible at once.

==============================  ====================  ====================  =======================
check                           fapi2                 fapi2-message-        oidc
                                                      signing
==============================  ====================  ====================  =======================
pushed authorization requests   required (FAPI 2.0,   required              if registered so
                                5.3.2)
request objects (RFC 9101)      may be pushed         required (Message     may be pushed, sent by
                                                      Signing 5.3.1)        value or by reference
claims of a request object      aud, nbf, exp         aud, nbf, exp         checked where present
response modes                  all                   JWTs only (Message    all
                                                      Signing 5.4.1)
PKCE S256                       required              required              required unless waived
                                                                            in the record; never
                                                                            waived for public
                                                                            clients
client authentication           private_key_jwt, or   private_key_jwt, or   + client_secret_basic
                                by TLS certificate    by TLS certificate    or _post, attestation
                                                                            of wallets, none for
                                                                            public clients
sender constraint               DPoP or TLS           DPoP or TLS           Bearer, or bound if
                                certificate required  certificate required  registered so, or if
                                                                            DPoP is used
refresh token rotation          never (FAPI 2.0,      never                 only for public clients
                                5.3.2.1)
device grant (RFC 8628)         refused               refused               if registered so
schemes of an application's     refused               refused               for public clients
own (RFC 8252 7.1)
what we sign for the client     ES256                 ES256                 ES256, RS256
what the client signs           ES256, PS256,         ES256, PS256,         + RS256
                                Ed25519               Ed25519
redirect_uri in the request     required              required              required (OpenID
                                                                            Connect Core 3.1.2.1)
==============================  ====================  ====================  =======================

``haip`` (OpenID4VC High Assurance Interoperability Profile 1.0, for wallets) is ``fapi2`` but for:

==============================  ===================================================================
client authentication           by attestation of the wallet (HAIP 4.4.1), with the certificate of
                                whoever signed it in x5c
sender constraint               DPoP required (HAIP 4)
credentials                     named by scope alone (HAIP 4.3)
==============================  ===================================================================

"What we sign" are ID tokens and, for clients that ask for them, UserInfo, introspection and
authorization responses. FAPI 2.0 has no device grant, so its clients have none here. "What the
client signs" are client assertions and request objects.
"""

from dataclasses import dataclass, replace
from typing import Final

from oidc.attesters import METHODS as BY_ATTESTATION

QUERY: Final = "query"
FORM_POST: Final = "form_post"
JWT: Final = "jwt"
QUERY_JWT: Final = "query.jwt"
FORM_POST_JWT: Final = "form_post.jwt"
HAIP: Final = "haip"
SIGNED_MODES: Final = frozenset({JWT, QUERY_JWT, FORM_POST_JWT})
"""JWT Secured Authorization Response Mode 2.3; the fragment is of no use to a code."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One column of the table above."""

    name: str
    pushed_requests_required: bool
    signed_requests_required: bool
    bounded_request_objects: bool
    response_modes: frozenset[str]
    pkce_waivable: bool
    auth_methods: frozenset[str]
    sender_constraint_required: bool
    device_grant: bool
    private_use_schemes: bool
    id_token_algs: frozenset[str]
    assertion_algs: frozenset[str]
    dpop_required: bool = False
    attestation_in_x5c: bool = False
    credentials_by_scope: bool = False


_STRONG_METHODS: Final = frozenset(
    {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}
)
_FAPI_ALGS: Final = frozenset({"ES256", "PS256", "Ed25519", "EdDSA"})
_ALL_MODES: Final = SIGNED_MODES | {QUERY, FORM_POST}

_FAPI2: Final = Profile(
    name="fapi2",
    pushed_requests_required=True,
    signed_requests_required=False,
    bounded_request_objects=True,
    response_modes=_ALL_MODES,
    pkce_waivable=False,
    auth_methods=_STRONG_METHODS,
    sender_constraint_required=True,
    device_grant=False,
    private_use_schemes=False,
    id_token_algs=frozenset({"ES256"}),
    assertion_algs=_FAPI_ALGS,
)

PROFILES: Final[dict[str, Profile]] = {
    "fapi2": _FAPI2,
    "fapi2-message-signing": replace(
        _FAPI2,
        name="fapi2-message-signing",
        signed_requests_required=True,
        response_modes=SIGNED_MODES,
    ),
    HAIP: replace(
        _FAPI2,
        name=HAIP,
        auth_methods=BY_ATTESTATION,
        dpop_required=True,
        attestation_in_x5c=True,
        credentials_by_scope=True,
    ),
    "oidc": Profile(
        name="oidc",
        pushed_requests_required=False,
        signed_requests_required=False,
        bounded_request_objects=False,
        response_modes=_ALL_MODES,
        pkce_waivable=True,
        auth_methods=_STRONG_METHODS
        | BY_ATTESTATION
        | {"client_secret_basic", "client_secret_post", "none"},
        sender_constraint_required=False,
        device_grant=True,
        private_use_schemes=True,
        id_token_algs=frozenset({"ES256", "RS256"}),
        assertion_algs=_FAPI_ALGS | {"RS256"},
    ),
}
