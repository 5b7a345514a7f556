"""The algorithms that we speak, and nothing else: no ``none``, no HMAC (RFC 8725 3.1).

One place says for each kind of key how a JOSE signature is made and checked; ``Ed25519`` is
RFC 9864's name for what older software calls ``EdDSA``.
"""

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature as LibraryInvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from keys import ecdsa
from keys.errors import InvalidSignature, UnsupportedAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
LibraryPublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
Sign = Callable[[bytes], bytes]
"""Data to raw JOSE signature."""
Check = Callable[[bytes, bytes], None]
"""(signature, data); raises the library's InvalidSignature or ValueError."""

P256_ALGS = frozenset({"ES256"})
P384_ALGS = frozenset({"ES384"})
ED25519_ALGS = frozenset({"Ed25519", "EdDSA"})
RSA_ALGS = frozenset({"RS256", "PS256"})
ENCRYPTION_ALGS = ("ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256")
ENCRYPTION_ENCS = ("A128CBC-HS256", "A128GCM", "A256GCM")
SUPPORTED = P256_ALGS | P384_ALGS | ED25519_ALGS | RSA_ALGS

_EC_256 = ec.ECDSA(SHA256())
_EC_384 = ec.ECDSA(SHA384())
_SHA256 = SHA256()
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(padding.MGF1(SHA256()), SHA256.digest_size)  # salt as long as digest: 7518 3.5


def algs_of(key: PrivateKey | LibraryPublicKey) -> frozenset[str]:
    """Return the ``alg`` names that a key of this kind can carry.

    Raises:
        UnsupportedAlgorithm: a curve that we do not use.
    """
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return _ec_algs(key)
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)):
        return ED25519_ALGS
    return RSA_ALGS


def sign_function(key: PrivateKey, alg: str) -> Sign:
    """Return the function that signs with ``key`` under ``alg``.

    Raises:
        UnsupportedAlgorithm: the key cannot carry ``alg``.
    """
    if alg not in algs_of(key):
        raise UnsupportedAlgorithm("the key cannot carry this alg")
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _ec_sign(key)
    rsa_key = key
    scheme = _PSS if alg == "PS256" else _PKCS1
    return lambda data: rsa_key.sign(data, scheme, _SHA256)


def check_functions(key: LibraryPublicKey) -> dict[str, Check]:
    """Return, for every ``alg`` that ``key`` can carry, the function that checks a signature."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return dict.fromkeys(_ec_algs(key), _ec_check(key))
    if isinstance(key, ed25519.Ed25519PublicKey):
        return dict.fromkeys(ED25519_ALGS, key.verify)
    rsa_key = key
    return {
        "RS256": lambda signature, data: rsa_key.verify(signature, data, _PKCS1, _SHA256),
        "PS256": lambda signature, data: rsa_key.verify(signature, data, _PSS, _SHA256),
    }


def check(function: Check, signature: bytes, data: bytes) -> None:
    """Run one of ``check_functions``.

    Raises:
        InvalidSignature: it does not verify.
    """
    try:
        function(signature, data)
    except (LibraryInvalidSignature, ValueError) as error:
        raise InvalidSignature("the signature does not verify") from error


def _ec_algs(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> frozenset[str]:
    match key.curve.name:
        case "secp256r1":
            return P256_ALGS
        case "secp384r1":
            return P384_ALGS
        case _:
            raise UnsupportedAlgorithm("curve is not supported")


def _ec_sign(key: ec.EllipticCurvePrivateKey) -> Sign:
    wide = key.curve.name == "secp384r1"
    scheme, size = (_EC_384, 48) if wide else (_EC_256, 32)
    from_der, sign = ecdsa.from_der, key.sign
    return lambda data: from_der(sign(data, scheme), size)


def _ec_check(key: ec.EllipticCurvePublicKey) -> Check:
    wide = key.curve.name == "secp384r1"
    scheme, length = (_EC_384, 96) if wide else (_EC_256, 64)
    to_der, verify = ecdsa.to_der, key.verify

    def check_raw(signature: bytes, data: bytes) -> None:
        if len(signature) != length:  # RFC 7518 3.4: fixed width, no other form
            raise ValueError("wrong length of an ECDSA signature")
        verify(to_der(signature), data, scheme)

    return check_raw
