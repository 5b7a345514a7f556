"""What counts once at the authorization server: DPoP proofs, client assertions, and the like."""

from oidc import dpop
from oidc.errors import InvalidClient, InvalidDpopProof, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider.authenticated import Authenticated


async def burn(
    writes: ProviderWrites, sender: Authenticated | None, proof: dpop.DpopProof | None
) -> OAuthError | None:
    """Use up the assertion and the proof of a request; the error to answer if one was used before.

    The error is a value, so that what was burnt stays burnt: raise it after the commit.
    """
    if (
        sender is not None
        and sender.assertion_replay_key is not None
        and not await writes.use_once(sender.assertion_replay_key, sender.replay_until)
    ):
        return InvalidClient("the client assertion, or its like, was used before")
    if proof is not None and not await writes.use_once(proof.replay_key, proof.replay_until):
        return InvalidDpopProof("the DPoP proof was used before")
    return None
