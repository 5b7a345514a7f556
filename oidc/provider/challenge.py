"""The challenge endpoint (draft-ietf-oauth-attestation-based-client-auth-10, 7.1)."""

from oidc.errors import OAuthError
from oidc.provider.context import Provider
from oidc.request import Receive, Scope, Send, require_method
from oidc.response import send_error, send_json


class ChallengeEndpoint:
    """POST /challenge, by anybody. The challenge is a MAC: nothing is stored.

    It is a DPoP nonce as well: where the DPoP proof is the proof of possession, its nonce is the
    challenge (7.1 and 8.3 of the draft).
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the body, if any, is not read."""
        try:
            require_method(scope, "POST")
        except OAuthError as error:
            await send_error(send, error)
            return
        provider = self._provider
        challenge = provider.dpop_nonces.issue(provider.clock(), provider.random)
        await send_json(send, {"attestation_challenge": challenge})
