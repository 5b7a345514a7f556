"""The profile table: which check applies to which kind of client, visible at once.

==============================  ==========================  =====================================
check                           fapi2                       oidc
==============================  ==========================  =====================================
pushed authorization requests   required (FAPI 2.0, 5.3.2)  if the client registered so
PKCE S256                       required                    required unless waived in the record;
                                                            never waived for public clients
client authentication           private_key_jwt             + client_secret_basic or _post,
                                                            none for public clients
sender constraint               DPoP required               Bearer, or DPoP if registered or used
refresh token rotation          never (FAPI 2.0, 5.3.2.1)   only for public clients
ID token algorithms             ES256                       ES256, RS256
redirect_uri in the request     required                    required (OpenID Connect Core 3.1.2.1)
==============================  ==========================  =====================================
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """One column of the table above."""

    name: str
    pushed_requests_required: bool
    pkce_waivable: bool
    auth_methods: frozenset[str]
    sender_constraint_required: bool
    id_token_algs: frozenset[str]
    assertion_algs: frozenset[str]


_FAPI_ALGS: Final = frozenset({"ES256", "PS256", "Ed25519", "EdDSA"})

PROFILES: Final[dict[str, Profile]] = {
    "fapi2": Profile(
        name="fapi2",
        pushed_requests_required=True,
        pkce_waivable=False,
        auth_methods=frozenset({"private_key_jwt"}),
        sender_constraint_required=True,
        id_token_algs=frozenset({"ES256"}),
        assertion_algs=_FAPI_ALGS,
    ),
    "oidc": Profile(
        name="oidc",
        pushed_requests_required=False,
        pkce_waivable=True,
        auth_methods=frozenset(
            {"private_key_jwt", "client_secret_basic", "client_secret_post", "none"}
        ),
        sender_constraint_required=False,
        id_token_algs=frozenset({"ES256", "RS256"}),
        assertion_algs=_FAPI_ALGS | {"RS256"},
    ),
}
