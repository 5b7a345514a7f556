"""JSON Web Encryption to somebody's public key (RFC 7516, 7518 4): what OpenID Connect asks of us.

Only encryption, of a JWT that is signed already (nested, RFC 7519 11.2) or of bare claims, and only
with these algorithms. The cryptography is joserfc's (docs/adr/0005); it belongs to the server, so
it is imported where it is used.
"""

from collections.abc import Mapping
from typing import Final

from keys.algorithms import ENCRYPTION_ALGS, ENCRYPTION_ENCS
from keys.errors import UnknownKey, UnsupportedAlgorithm
from keys.jwk import JwkSet, PublicKey

ALGS: Final = ENCRYPTION_ALGS
ENCS: Final = ENCRYPTION_ENCS
DEFAULT_ENC: Final = "A128CBC-HS256"
"""What OpenID Connect Registration 2 takes where only ``alg`` is registered."""

_RSA: Final = frozenset({"RSA-OAEP-256"})
_OPERATIONS: Final = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


def choose_key(keys: JwkSet, alg: str) -> PublicKey:
    """The key to encrypt to: of the right type, and said to be for encryption (RFC 7517 4.2).

    A key is said to be so by ``use`` (``enc``) or, without ``use``, by naming ``alg`` itself; one
    that names it goes before one that does not.

    Raises:
        UnknownKey: there is none.
    """
    fitting = [key for key in keys.keys if _fits(key, alg)]
    if not fitting:
        raise UnknownKey("no key of the set is for encryption with this alg")
    return min(fitting, key=lambda key: "alg" not in key.jwk)


def encrypt(signed: str, key: PublicKey, *, alg: str, enc: str) -> str:
    """A nested JWT: the signed one, encrypted to ``key``, as a compact JWE.

    Raises:
        UnsupportedAlgorithm: ``alg`` or ``enc`` is not one of ours.
    """
    return _encrypt(signed, {"cty": "JWT"}, key, alg, enc)


def encrypt_claims(claims: bytes, key: PublicKey, *, alg: str, enc: str) -> str:
    """A JWT that is encrypted and not signed (RFC 7519 3.1): the claims' JSON as a compact JWE.

    Raises:
        UnsupportedAlgorithm: ``alg`` or ``enc`` is not one of ours.
    """
    return _encrypt(claims, {}, key, alg, enc)


def _encrypt(
    content: bytes | str, header: Mapping[str, str], key: PublicKey, alg: str, enc: str
) -> str:
    from joserfc import jwe
    from joserfc.jwk import import_key

    if alg not in ALGS or enc not in ENCS:
        raise UnsupportedAlgorithm("this encryption is not supported")
    whole = {"alg": alg, "enc": enc, **header}
    if key.kid is not None:
        whole["kid"] = key.kid
    # The bare key: what else the JWK says of itself was weighed when the key was chosen.
    public = import_key(dict(key.members))
    return jwe.encrypt_compact(whole, content, public, algorithms=[alg, enc])


def _fits(key: PublicKey, alg: str) -> bool:
    if key.kty != ("RSA" if alg in _RSA else "EC"):
        return False
    operations = key.jwk.get("key_ops")
    if operations is not None and _OPERATIONS.isdisjoint(operations):
        return False
    use, named = key.jwk.get("use"), key.jwk.get("alg")
    if use is None:
        return named == alg
    return use == "enc" and named in (None, alg)
