"""What counts once at the authorization server: DPoP proofs and client assertions."""

from oidc import dpop
from oidc.errors import InvalidClient, InvalidDpopProof, OAuthError, UseDpopNonce
from oidc.ports import ProviderWrites
from oidc.provider.client_authentication import Authenticated
from oidc.provider.context import Provider
from oidc.request import Scope


def check_proof(scope: Scope, provider: Provider, uri: str) -> dpop.DpopProof | None:
    """Check the request's DPoP proof, if it has one; ``burn`` must still burn it.

    Raises:
        InvalidDpopProof: repeated header or unacceptable proof (RFC 9449 5).
        UseDpopNonce: with a fresh nonce in the DPoP-Nonce header (RFC 9449 8); nothing is
            consumed, the client repeats the request.
    """
    compact = dpop.read_proof_header(scope)
    if compact is None:
        return None
    now = provider.clock()
    mutual_tls = provider.mutual_tls
    try:
        return dpop.check_proof(
            compact,
            method=scope["method"],
            uri=uri,
            now=now,
            nonces=provider.dpop_nonces,
            nonce_required=provider.config.dpop_nonce_required,
            alias=None if mutual_tls is None else mutual_tls.alias(uri),
        )
    except UseDpopNonce as error:
        error.headers["DPoP-Nonce"] = provider.dpop_nonces.issue(now, provider.random)
        raise


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
        return InvalidClient("the client assertion was used before")
    if proof is not None and not await writes.use_once(proof.replay_key, proof.replay_until):
        return InvalidDpopProof("the DPoP proof was used before")
    return None
