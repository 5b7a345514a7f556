"""Public keys as the world sends them: JWK, JWK Set, thumbprints (RFC 7517, 7518 6, 7638, 8037)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keys import base64url
from keys.algorithms import (
    ED25519_ALGS,
    SUPPORTED,
    Check,
    LibraryPublicKey,
    algs_of,
    check,
    check_functions,
)
from keys.edwards import is_sound_point
from keys.errors import MalformedEncoding, MalformedKey, UnsupportedAlgorithm, UnsupportedKey
from keys.roca import is_flawed

MAX_KEYS = 50
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # beyond, one verification would cost milliseconds of everybody's time
CACHED_KEYS = 4096
MAX_CACHED_JWK_BYTES = 2048  # a larger one (certificates) is parsed each time: the cache is bounded

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
_EC_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
}
_NARROWING = frozenset({"alg", "key_ops", "use"})
_STRING_MEMBERS = ("kid", "use", "alg")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A parsed public key.

    ``algs`` are the signature algorithms that it may verify: those of its type, narrowed by its
    own ``alg``, ``use`` and ``key_ops``; empty for an encryption key. ``thumbprint`` is RFC 7638's
    with SHA-256, in base64url; ``members`` are what it is made of, all that makes the key, to be
    read and never changed. Two keys are equal when thumbprint, ``kid`` and ``algs`` are.
    """

    kid: str | None
    kty: str = field(compare=False)
    algs: frozenset[str]
    jwk: dict[str, Any] = field(compare=False, repr=False)
    members: dict[str, str] = field(compare=False, repr=False)
    thumbprint: str
    _checks: Mapping[str, Check] = field(compare=False, repr=False)

    def verify(self, alg: str, signing_input: bytes, signature: bytes) -> None:
        """Check a raw JOSE signature.

        Raises:
            UnsupportedAlgorithm: the key may not be used with ``alg``.
            InvalidSignature: the signature does not verify.
        """
        function = self._checks.get(alg)
        if function is None:
            raise UnsupportedAlgorithm("alg does not fit the key")
        check(function, signature, signing_input)


class JwkSet:
    """An immutable set of public keys (RFC 7517 section 5)."""

    __slots__ = ("_by_kid", "keys")

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        """Index the keys.

        Raises:
            MalformedKey: more than 50 keys, or a ``kid`` occurs twice.
        """
        self.keys = tuple(keys)
        if len(self.keys) > MAX_KEYS:
            raise MalformedKey("too many keys in the set")
        self._by_kid = {key.kid: key for key in self.keys if key.kid is not None}
        if len(self._by_kid) != sum(key.kid is not None for key in self.keys):
            raise MalformedKey("a kid occurs twice in the set")

    def __repr__(self) -> str:
        return f"JwkSet(kids={[key.kid for key in self.keys]!r})"

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "JwkSet":
        """Read a JWK Set; keys of a type or curve unknown to us are skipped (RFC 7517 section 5).

        Raises:
            MalformedKey: not a JWK Set, more than 50 keys, a ``kid`` twice, a malformed or weak
                key, or private or symmetric key material.
        """
        members = document.get("keys") if isinstance(document, Mapping) else None
        if not isinstance(members, list):
            raise MalformedKey("a JWK Set has an array named keys")
        if len(members) > MAX_KEYS:
            raise MalformedKey("too many keys in the set")
        return cls(key for key in map(_parse_or_skip, members) if key is not None)

    def find(self, kid: str | None, alg: str) -> list[PublicKey]:
        """Return the keys that may have signed under ``alg``: the one named ``kid``, else all."""
        if kid is None:
            return [key for key in self.keys if alg in key.algs]
        key = self._by_kid.get(kid)
        return [key] if key is not None and alg in key.algs else []

    def has_kid(self, kid: str) -> bool:
        """Tell whether some key has this ``kid``, whatever its algorithms."""
        return kid in self._by_kid


def parse_public(jwk: Mapping[str, Any], *, allow_private: bool = False) -> PublicKey:
    """Read a public key: EC P-256 or P-384, RSA of 2048 to 8192 bits, OKP Ed25519.

    With ``allow_private`` private members are dropped instead of refused.

    Raises:
        UnsupportedKey: a key type or curve that we do not know.
        MalformedKey: anything else that is wrong, private members included.
    """
    if not isinstance(jwk, Mapping):
        raise MalformedKey("a JWK is an object")
    if not allow_private and not _PRIVATE.isdisjoint(jwk):
        raise MalformedKey("private key material in a public JWK")
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE}
    for name in _STRING_MEMBERS:
        if not isinstance(public.get(name, ""), str):
            raise MalformedKey(f"{name} is not a string")
    members = required_members(public)
    checks = check_functions(_key_of(members))
    algs = _permitted(public, frozenset(checks))
    return PublicKey(
        kid=public.get("kid"),
        kty=members["kty"],
        algs=algs,
        jwk=public,
        members=members,
        thumbprint=_hash_of(members),
        _checks={alg: function for alg, function in checks.items() if alg in algs},
    )


def cached_public(jwk: Mapping[str, Any]) -> PublicKey:
    """Do as ``parse_public``, remembering the last few thousand keys by their canonical bytes.

    Callers share the returned key: its ``jwk`` is to be read, never changed.
    """
    if not isinstance(jwk, dict):
        if not isinstance(jwk, Mapping):
            raise MalformedKey("a JWK is an object")
        jwk = dict(jwk)
    try:
        canonical = orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise MalformedKey("a JWK is a JSON object") from error
    if len(canonical) > MAX_CACHED_JWK_BYTES:
        return parse_public(jwk)
    return _parse_canonical(canonical)


def required_members(jwk: Mapping[str, Any]) -> dict[str, str]:
    """Return only the members that make the key (RFC 7638 section 3.2), sorted, as for ``cnf``.

    Raises:
        UnsupportedKey: unknown ``kty``.
        MalformedKey: a required member is missing or not a string.
    """
    kty = jwk.get("kty")
    names = _REQUIRED.get(kty) if isinstance(kty, str) else None
    if names is None:
        raise UnsupportedKey("kty is not supported")
    members = {}
    for name in names:
        value = jwk.get(name)
        if not isinstance(value, str):
            raise MalformedKey(f"{name} is missing or not a string")
        members[name] = value
    return members


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the RFC 7638 thumbprint (SHA-256, base64url) of a public or private JWK."""
    return _hash_of(required_members(jwk))


def library_key(jwk: Mapping[str, Any]) -> LibraryPublicKey:
    """Return the key that the required members make, whatever else the JWK says of itself.

    Raises:
        UnsupportedKey: a key type or curve that we do not know.
        MalformedKey: a member is missing or malformed, or the key is not sound.
    """
    return _key_of(required_members(jwk))


def public_members(key: LibraryPublicKey) -> dict[str, str]:
    """Return the required JWK members of a library key."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(key.public_bytes_raw())}
    if isinstance(key, ec.EllipticCurvePublicKey):
        algs_of(key)
        crv, size = ("P-384", 48) if key.key_size == 384 else ("P-256", 32)
        point = key.public_numbers()
        return {"kty": "EC", "crv": crv} | {
            name: base64url.encode(value.to_bytes(size, "big"))
            for name, value in (("x", point.x), ("y", point.y))
        }
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": encode_uint(numbers.n), "e": encode_uint(numbers.e)}


def encode_uint(value: int) -> str:
    """Return Base64urlUInt (RFC 7518 section 2): big-endian in the fewest octets."""
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


@lru_cache(maxsize=CACHED_KEYS)
def _parse_canonical(canonical: bytes) -> PublicKey:
    return parse_public(orjson.loads(canonical))


def _parse_or_skip(member: Any) -> PublicKey | None:
    try:
        return parse_public(member)
    except UnsupportedKey:
        return None


def _hash_of(members: Mapping[str, str]) -> str:
    try:
        canonical = orjson.dumps(members)
    except TypeError as error:  # a lone surrogate
        raise MalformedKey("a member is not text") from error
    return base64url.encode(sha256(canonical).digest())


def _key_of(members: Mapping[str, str]) -> LibraryPublicKey:
    try:
        match members["kty"]:
            case "EC":
                return _ec_key(members)
            case "OKP":
                return _okp_key(members)
            case _:
                return _rsa_key(members)
    except MalformedEncoding as error:
        raise MalformedKey("a key member is not base64url") from error


def _ec_key(members: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    if members["crv"] not in _EC_CURVES:
        raise UnsupportedKey("crv is not supported")
    curve, size = _EC_CURVES[members["crv"]]
    x, y = base64url.decode(members["x"]), base64url.decode(members["y"])
    if len(x) != size or len(y) != size:  # RFC 7518 6.2.1.2: the full width
        raise MalformedKey("wrong length of a coordinate")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
    except ValueError as error:
        raise MalformedKey("the point is not on the curve") from error


def _okp_key(members: Mapping[str, str]) -> ed25519.Ed25519PublicKey:
    if members["crv"] != "Ed25519":
        raise UnsupportedKey("crv is not supported")
    encoded = base64url.decode(members["x"])
    if not is_sound_point(encoded):
        raise MalformedKey("not a sound Ed25519 point")
    return ed25519.Ed25519PublicKey.from_public_bytes(encoded)


def _rsa_key(members: Mapping[str, str]) -> rsa.RSAPublicKey:
    n, e = (_decode_uint(members[name]) for name in ("n", "e"))
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS or n % 2 == 0:
        raise MalformedKey("the RSA modulus is too short, too long or even")
    if not 65537 <= e < 1 << 64 or e % 2 == 0:  # SP 800-56B 6.2; upper bound as OpenSSL's
        raise MalformedKey("the RSA exponent is out of range")
    if is_flawed(n):
        raise MalformedKey("the RSA key comes from a flawed generator")
    try:
        return rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError as error:
        raise MalformedKey("not an RSA key") from error


def _decode_uint(text: str) -> int:
    octets = base64url.decode(text)
    if octets[:1] in (b"", b"\0"):
        raise MalformedKey("an integer is not in its fewest octets")
    return int.from_bytes(octets, "big")


def _permitted(jwk: Mapping[str, Any], algs: frozenset[str]) -> frozenset[str]:
    """Narrow ``algs`` by what the key says of itself (RFC 7517 sections 4.2 to 4.4)."""
    if _NARROWING.isdisjoint(jwk):
        return algs
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or not all(isinstance(o, str) for o in operations):
        raise MalformedKey("key_ops is not an array of strings")
    if len(set(operations)) != len(operations):
        raise MalformedKey("key_ops has a duplicate")
    if jwk.get("use", "sig") != "sig" or "verify" not in operations:
        return frozenset()
    alg = jwk.get("alg")
    if alg is None:
        return algs
    if alg in SUPPORTED and alg not in algs:
        raise MalformedKey("alg contradicts the key's type")
    return algs if alg in ED25519_ALGS else algs & {alg}
