"""Logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.4)."""

from typing import Any, Final

from keys import base64url, jws
from oidc.provider.context import Provider
from oidc.provider.tokens import PURPOSE, session_identifier
from oidc.records import Client

TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME_SECONDS: Final = 120
"""2.4 advises two minutes at most: a token that is captured is of no use for long."""
_JTI_BYTES: Final = 16


async def mint_logout_token(
    provider: Provider, client: Client, session_id: str, subject: str | None
) -> str:
    """A logout token for one client and one sign-in session, in the algorithm of its ID tokens.

    It always has ``sid``. ``subject`` goes in as ``sub`` where it names one person: where it is
    the organisation, a client that looks at nothing else would sign out every colleague. There
    is never a nonce, so that it cannot be taken for an ID token.
    """
    issued = int(provider.clock())
    claims: dict[str, Any] = {
        "iss": provider.config.issuer,
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + LIFETIME_SECONDS,
        "jti": base64url.encode(provider.random(_JTI_BYTES)),
        "events": {EVENT: {}},
        "sid": session_identifier(provider, client, session_id),
    }
    if subject is not None:
        claims["sub"] = subject
    signer = provider.signers.signer(PURPOSE, client.id_token_signed_response_alg)
    return await jws.sign(signer, claims, typ=TYPE)
