"""The DPoP proof of a request to the authorization server (RFC 9449 5)."""

from oidc import dpop
from oidc.errors import UseDpopNonce
from oidc.provider.context import Provider
from oidc.request import Scope


def check_proof(scope: Scope, provider: Provider, uri: str) -> dpop.DpopProof | None:
    """Check the request's DPoP proof, if it has one; ``one_time.burn`` must still burn it.

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
