"""DPoP proofs (RFC 9449): the check shared by every endpoint that takes one."""

import hashlib
import hmac
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from keys import base64url, jwk, jws
from keys.errors import KeysError
from keys.record import record
from oidc.errors import InvalidDpopProof, UseDpopNonce
from oidc.request import Scope, header_values
from oidc.secrets import Nonces

ALGORITHMS: Final = frozenset({"ES256", "PS256", "Ed25519", "EdDSA"})
MAX_PROOF_BYTES: Final = 8192
MAX_JTI_CHARACTERS: Final = 256
# FAPI 2.0, 5.3.2.1 asks to accept 10 s into the future and allows to refuse more than 60 s; the
# past is bounded by how long the replay store remembers.
MAX_FUTURE_SECONDS: Final = 30
MAX_AGE_SECONDS: Final = 120
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@record
class DpopProof:
    """A proof that was checked but for replay.

    ``thumbprint`` is the key's RFC 7638 thumbprint (``jkt``); ``replay_key`` is what must be
    remembered until ``replay_until`` (epoch ms) so that the proof counts once (RFC 9449 11.1).
    ``has_nonce`` is whether it carries a fresh nonce of ours.
    """

    thumbprint: str
    replay_key: bytes
    replay_until: int
    has_nonce: bool = False


def normalise_uri(uri: str) -> str:
    """An htu for comparison: no query, no fragment, lower-case scheme and host, no default port.

    RFC 9449 4.3 (9), with RFC 3986 6.2.2 and 6.2.3.

    Raises:
        InvalidDpopProof: it is not an absolute http(s) URI.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise InvalidDpopProof("the htu of the DPoP proof is not a URI") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise InvalidDpopProof("the htu of the DPoP proof is not an absolute http URI")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}{parts.path or '/'}"


def read_proof_header(scope: Scope) -> str | None:
    """The DPoP header, or None.

    Raises:
        InvalidDpopProof: it is repeated (RFC 9449 4.3 (1)), over-long or not ASCII.
    """
    values = header_values(scope, b"dpop")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidDpopProof("send exactly one DPoP header")
    if len(values[0]) > MAX_PROOF_BYTES or not values[0].isascii():
        raise InvalidDpopProof("the DPoP header is not a compact JWT of a sensible length")
    return values[0].decode("ascii")


def check_proof(
    compact: str,
    *,
    method: str,
    uri: str,
    now: float,
    access_token: str | None = None,
    nonces: Nonces | None = None,
    nonce_required: bool = False,
    alias: str | None = None,
) -> DpopProof:
    """Check a proof by RFC 9449 4.3, all but the replay of its jti.

    ``uri`` is the endpoint's URI as published, ``alias`` the one for clients with certificates
    (RFC 8705 5), if there is another. With ``access_token`` the ``ath`` claim must fit.

    Raises:
        InvalidDpopProof: the proof is not acceptable.
        UseDpopNonce: a nonce is required and missing, or the one given is not ours or stale.
    """
    verified, thumbprint = _verify_signature(compact)
    claims = _claims(verified.payload)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_CHARACTERS:
        raise InvalidDpopProof("the DPoP proof has no jti, or one that is too long")
    if claims.get("htm") != method:
        raise InvalidDpopProof("the htm of the DPoP proof is not this request's method")
    htu = claims.get("htu")
    if not isinstance(htu, str) or (htu != uri and not _is_endpoint(htu, uri, alias)):
        raise InvalidDpopProof("the htu of the DPoP proof is not this endpoint's URI")
    iat = _fresh(claims.get("iat"), now)
    if access_token is not None:
        _check_token_hash(claims.get("ath"), access_token)
    nonce = claims.get("nonce")
    _check_nonce(nonce, now, nonces, nonce_required)
    replay_key = hashlib.sha256(f"dpop:{thumbprint}:{jti}".encode()).digest()
    # It could be sent again until it is too old: remember it a little longer than that.
    until = int((iat + MAX_AGE_SECONDS + MAX_FUTURE_SECONDS) * 1000)
    return DpopProof(thumbprint, replay_key, until, nonce is not None and nonces is not None)


def _is_endpoint(htu: str, uri: str, alias: str | None) -> bool:
    claimed = normalise_uri(htu)
    return claimed == normalise_uri(uri) or (alias is not None and claimed == normalise_uri(alias))


def _verify_signature(compact: str) -> tuple[jws.VerifiedJws, str]:
    try:
        token = jws.parse(compact, max_bytes=MAX_PROOF_BYTES)
        header_jwk = token.header.get("jwk")
        if not isinstance(header_jwk, dict):
            raise InvalidDpopProof("the DPoP proof's header has no jwk")
        key = jwk.cached_public(header_jwk)
        verified = jws.verify(token, key, algs=ALGORITHMS, typ="dpop+jwt")
    except KeysError as error:
        raise InvalidDpopProof(f"the DPoP proof is not acceptable: {error.code}") from None
    return verified, key.thumbprint


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise InvalidDpopProof("the DPoP proof's payload is not JSON") from None
    if not isinstance(claims, dict):
        raise InvalidDpopProof("the DPoP proof's payload is not a JSON object")
    return claims


def _fresh(iat: object, now: float) -> float:
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise InvalidDpopProof("the DPoP proof has no iat")
    if not now - MAX_AGE_SECONDS <= iat <= now + MAX_FUTURE_SECONDS:
        raise InvalidDpopProof("the iat of the DPoP proof is too far from now")
    return iat


def _check_token_hash(ath: object, access_token: str) -> None:
    expected = base64url.encode(hashlib.sha256(access_token.encode()).digest())
    if not isinstance(ath, str) or not hmac.compare_digest(ath.encode(), expected.encode()):
        raise InvalidDpopProof("the ath of the DPoP proof is not the hash of this access token")


def _check_nonce(nonce: object, now: float, nonces: Nonces | None, required: bool) -> None:
    if nonces is None:
        return
    if nonce is None and not required:
        return
    if not isinstance(nonce, str) or not nonces.accepts(nonce, now):
        raise UseDpopNonce("use the nonce of the DPoP-Nonce header in the DPoP proof")
