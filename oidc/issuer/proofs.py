"""Key proofs of the ``jwt`` type (OpenID4VCI 1.0, F.1): the wallet shows that it has the key."""

from collections.abc import Mapping
from typing import Any, Final

from keys import jwk, jws
from keys.errors import KeysError
from keys.jwk import PublicKey
from keys.jwt import parse_claims
from keys.record import record
from oidc.errors import InvalidNonce, InvalidProof
from oidc.secrets import Nonces

ALGORITHMS: Final = frozenset({"ES256"})
TYP: Final = "openid4vci-proof+jwt"
MAX_FUTURE_SECONDS: Final = 30
_KEY_HEADERS: Final = ("kid", "jwk", "x5c")


@record
class KeyProof:
    """A proof that was checked: the holder's key, and its unverified key attestation, if any."""

    key: PublicKey
    key_attestation: object


def check_proof(
    compact: str, *, issuer: str, client_id: str, nonces: Nonces, now: float
) -> KeyProof:
    """Check a proof, all but its key attestation.

    ``issuer`` is the Credential Issuer Identifier, ``client_id`` whom the access token was given
    to (empty for anonymous access, where ``iss`` must be left out).

    Raises:
        InvalidProof: the proof is not acceptable, or has no c_nonce.
        InvalidNonce: the c_nonce is not ours, or is stale.
    """
    # 1. The header names the key in exactly one way, and in the one way that is offered here.
    # 2. A public key only; typ, alg and signature as they must be.
    try:
        token = jws.parse(compact)
        key = _header_key(token.header)
        verified = jws.verify(token, key, algs=ALGORITHMS, typ=TYP)
        claims = parse_claims(verified.payload)
    except KeysError as error:
        raise InvalidProof(f"the jwt proof is not acceptable: {error.code}") from None
    # 3. Made for this issuer, by this client, just now.
    if claims.get("aud") != issuer:
        raise InvalidProof("the aud of the jwt proof is not this credential issuer")
    _check_issuer(claims, client_id)
    _check_time(claims.get("iat"), now, nonces.lifetime)  # as old as a c_nonce may be
    # 4. With a c_nonce of ours: missing is a bad proof, wrong is a bad nonce (8.3.1.2).
    nonce = claims.get("nonce")
    if nonce is None:
        raise InvalidProof("the jwt proof has no nonce: get a c_nonce from the nonce endpoint")
    if not isinstance(nonce, str) or not nonces.accepts(nonce, now):
        raise InvalidNonce("the nonce of the jwt proof is not a fresh c_nonce: get another one")
    return KeyProof(key, token.header.get("key_attestation"))


def _header_key(header: Mapping[str, Any]) -> PublicKey:
    named = [name for name in _KEY_HEADERS if name in header]
    if len(named) != 1:
        raise InvalidProof("the header of the jwt proof has exactly one of kid, jwk and x5c")
    if named != ["jwk"]:
        raise InvalidProof(f"the jwt proof names its key by {named[0]}: give it as jwk")
    return jwk.cached_public(header["jwk"])


def _check_issuer(claims: Mapping[str, Any], client_id: str) -> None:
    if "iss" not in claims:
        return
    if not client_id:
        raise InvalidProof("the jwt proof must not have iss when access is anonymous")
    if claims["iss"] != client_id:
        raise InvalidProof("the iss of the jwt proof is not the client_id of the access token")


def _check_time(iat: object, now: float, max_age: int) -> None:
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise InvalidProof("the jwt proof has no iat")
    if not now - max_age <= iat <= now + MAX_FUTURE_SECONDS:
        raise InvalidProof("the iat of the jwt proof is too far from now")
