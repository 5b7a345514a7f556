"""Key binding JWTs: the holder's proof, made for one verifier and one request (RFC 9901, 4.3)."""

from collections.abc import Mapping
from typing import Any

from keys import jws
from keys.errors import KeysError
from keys.jwk import PublicKey, cached_public
from keys.jwt import parse_claims
from keys.record import record
from keys.signer import Signer
from oidc.formats.errors import (
    HolderKeyMissing,
    KeyBindingAudience,
    KeyBindingHash,
    KeyBindingMissing,
    KeyBindingNonce,
    KeyBindingTime,
    KeyBindingUnexpected,
    MalformedKeyBinding,
    MissingTilde,
)
from oidc.formats.holder_proof import Refusals, check_proof, text
from oidc.formats.sd_jwt_names import KEY_BINDING_TYP
from oidc.formats.sd_jwt_parse import UnverifiedSdJwt, parse
from oidc.formats.sd_jwt_process import digest, hash_name

MAX_KEY_BINDING_BYTES = 8192
_REFUSALS = Refusals(MalformedKeyBinding, KeyBindingAudience, KeyBindingNonce, KeyBindingTime)


@record
class KeyBinding:
    """A verified key binding: when the holder made it (epoch seconds) and all it says."""

    issued_at: int
    claims: dict[str, Any]


async def key_binding(
    signer: Signer,
    presentation: str,
    *,
    audience: str,
    nonce: str,
    now: float,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """Return the presentation with a key binding JWT appended.

    `claims` adds further ones, such as `transaction_data_hashes`. Raises MissingTilde when the
    presentation does not end in `~`, KeyBindingUnexpected when it is bound already, and the
    errors of `parse`.
    """
    token = parse(presentation)
    if token.key_binding is not None:
        raise KeyBindingUnexpected("the presentation has a key binding already")
    if not presentation.endswith("~"):
        raise MissingTilde("a presentation ends in a tilde")
    payload = {
        **(claims or {}),
        "iat": int(now),
        "aud": audience,
        "nonce": nonce,
        "sd_hash": digest(hash_name(token.unverified_payload), presentation),
    }
    header: dict[str, Any] = {"kid": None}  # the key is known from cnf: a kid would only add a link
    return presentation + await jws.sign(signer, payload, typ=KEY_BINDING_TYP, header=header)


def holder_key(claims: Mapping[str, Any]) -> PublicKey:
    """Return the key in `cnf.jwk`; it needs neither `kid` nor `alg`.

    Raises HolderKeyMissing.
    """
    confirmation = claims.get("cnf")
    jwk = confirmation.get("jwk") if isinstance(confirmation, Mapping) else None
    if not isinstance(jwk, Mapping):
        raise HolderKeyMissing("the credential is not bound to a key: cnf.jwk is missing")
    try:
        return cached_public(jwk)
    except KeysError as error:
        raise HolderKeyMissing("cnf.jwk is not a usable public key") from error


def verify_key_binding(
    token: UnverifiedSdJwt,
    key: PublicKey,
    *,
    audience: str,
    nonce: str,
    now: float,
    algs: frozenset[str],
    max_age: int = 300,
    leeway: int = 30,
) -> KeyBinding:
    """Verify the presentation's key binding JWT under the holder's key (7.3, step 5).

    `audience` is compared whole, with any client identifier prefix. Times in seconds.
    `hash_name` of the payload is taken as it is: verify the issuer's signature first.

    Raises KeyBindingMissing, MalformedKeyBinding, KeyBindingAudience, KeyBindingNonce,
    KeyBindingTime, KeyBindingHash, and the errors of keys.jws.
    """
    if token.key_binding is None:
        raise KeyBindingMissing("the presentation has no key binding JWT")
    # 1. The holder's key signed it, as a key binding JWT and nothing else.
    proof = jws.parse(token.key_binding, max_bytes=MAX_KEY_BINDING_BYTES)
    signed = jws.verify(proof, key, algs=algs, typ=KEY_BINDING_TYP)
    claims = parse_claims(signed.payload)
    # 2. It was made for this verifier and this request, just now.
    issued_at = check_proof(
        claims,
        _REFUSALS,
        audience=audience,
        nonce=nonce,
        now=now,
        max_age=max_age,
        leeway=leeway,
    )
    # 3. It covers exactly what is presented.
    expected = digest(hash_name(token.unverified_payload), token.hashed)
    if text(claims, "sd_hash", _REFUSALS) != expected:
        raise KeyBindingHash("the key binding covers another presentation")
    return KeyBinding(issued_at=issued_at, claims=claims)
