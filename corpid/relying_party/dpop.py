"""DPoP proofs at a resource (RFC 9449, sections 4.3 and 7.1)."""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from corpid.relying_party.errors import DpopInvalid, DpopKeyMismatch, DpopReplayed
from corpid.relying_party.policy import Policy
from corpid.relying_party.replay import ReplayStore
from corpid.relying_party.translation import translating
from keys import jws
from keys.base64url import encode
from keys.jwk import PublicKey, cached_public
from keys.jwt import parse_claims

DPOP_TYP = "dpop+jwt"
MAX_PROOF_BYTES = 8192
MAX_JTI = 256
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class DpopRequest:
    """The request that the proof came with.

    `proof` is the value of the one DPoP header (refuse a request that has two), `method` and
    `url` those of the request as the client sees it, `nonce` the one that was demanded, if any.
    """

    proof: str
    method: str
    url: str
    nonce: str | None = None


async def verify_dpop(
    request: DpopRequest,
    access_token: str,
    thumbprint: str,
    *,
    replay: ReplayStore,
    now: float,
    policy: Policy,
) -> None:
    """Verify a proof for an access token that is bound to the key of this thumbprint.

    Raises DpopInvalid, DpopKeyMismatch, DpopReplayed.
    """
    with translating(DpopInvalid):
        # 1. Signed by the key that it carries, as a DPoP proof and nothing else.
        proof = jws.parse(request.proof, max_bytes=MAX_PROOF_BYTES)
        key = _key(proof.header)
        signed = jws.verify(proof, key, algs=policy.algorithms, typ=DPOP_TYP)
        claims = parse_claims(signed.payload)
    # 2. That key is the access token's.
    if not compare_digest(key.thumbprint, thumbprint):
        raise DpopKeyMismatch
    # 3. Made for this method and address.
    if claims.get("htm") != request.method:
        raise DpopInvalid("htm")
    if not same_target(claims.get("htu"), request.url):
        raise DpopInvalid("htu")
    # 4. Made for this access token.
    token_hash = encode(sha256(access_token.encode()).digest())
    if not _equal(claims.get("ath"), token_hash):
        raise DpopInvalid("ath")
    # 5. Answers the nonce that was demanded.
    if request.nonce is not None and not _equal(claims.get("nonce"), request.nonce):
        raise DpopInvalid("nonce")
    # 6. Fresh, on either side of a clock that is a little off.
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise DpopInvalid("iat")
    if abs(now - issued_at) > policy.dpop_max_age:
        raise DpopInvalid("iat")
    # 7. Used once. Last, so that a stranger's bad proof cannot use up anything.
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 1 <= len(token_id) <= MAX_JTI:
        raise DpopInvalid("jti")
    until = issued_at + policy.dpop_max_age + 1
    if not await replay.first_use(f"{key.thumbprint}:{token_id}", until):
        raise DpopReplayed


def same_target(htu: object, url: str) -> bool:
    """Compare two addresses without query and fragment, after normalization (RFC 9449, 4.3)."""
    if not isinstance(htu, str):
        return False
    try:
        return _target(htu) == _target(url)
    except ValueError:
        return False


def _target(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path or "/"


def _key(header: dict[str, Any]) -> PublicKey:
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise DpopInvalid("jwk")
    return cached_public(jwk)


def _equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and compare_digest(given.encode(), expected.encode())
