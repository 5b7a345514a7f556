"""Opening a compact JWE that was made for us (RFC 7516 5.2, RFC 7518 4 and 5).

For relying parties, whose keys these are: it needs nothing but ``cryptography``, as they install
nothing else (docs/adr/0005). Only nested JWTs (RFC 7519 11.2) and only the algorithms of
``keys.jwe``. What was encrypted is not thereby said by anybody: verify what comes out.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from cryptography.hazmat.primitives.padding import PKCS7

from keys import base64url, json_object
from keys.algorithms import ENCRYPTION_ALGS, ENCRYPTION_ENCS
from keys.errors import (
    CriticalHeader,
    DecryptionFailed,
    KeysError,
    MalformedEncoding,
    MalformedJwe,
    MalformedKey,
    UnknownKey,
    UnsupportedAlgorithm,
    WrongType,
)
from keys.jwk import library_key, parse_public
from keys.signer import private_key_of

MAX_BYTES = 65536
"""Bound of a compact JWE in bytes."""

_MAX_HEADER_BYTES = 4096
_OPERATIONS = frozenset({"decrypt", "unwrapKey", "deriveKey", "deriveBits"})
_JSON = frozenset({"json", "application/json"})
_KEY_BYTES = {"A128CBC-HS256": 32, "A128GCM": 16, "A256GCM": 32}
_WRAPPING_KEY_BYTES = 32
_GCM_NONCE_BYTES, _CBC_IV_BYTES, _TAG_BYTES = 12, 16, 16
_OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A private key for encryption; ``algs`` are those of ``keys.jwe`` that it may be used with."""

    kid: str | None
    algs: frozenset[str]
    private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def parse(cls, jwk: Mapping[str, Any]) -> "DecryptionKey":
        """Read a private JWK: EC P-256 or P-384, or RSA.

        Raises:
            MalformedKey: no private key for encryption, or one that says it is for something else.
        """
        public = parse_public(jwk, allow_private=True)
        private_key = private_key_of(jwk)
        operations, named = jwk.get("key_ops"), jwk.get("alg")
        if jwk.get("use", "enc") != "enc":
            raise MalformedKey("the key is not for encryption")
        if operations is not None and _OPERATIONS.isdisjoint(operations):
            raise MalformedKey("the key's operations are not those of encryption")
        if isinstance(private_key, ec.EllipticCurvePrivateKey):
            algs = frozenset(one for one in ENCRYPTION_ALGS if one.startswith("ECDH-ES"))
        elif isinstance(private_key, rsa.RSAPrivateKey):
            algs = frozenset({"RSA-OAEP-256"})
        else:
            raise MalformedKey("a key of this type is not for encryption")
        if named is not None and named not in algs:
            raise MalformedKey("the key's alg is no encryption of ours")
        return cls(public.kid, algs if named is None else frozenset({named}), private_key)


def parse_keys(document: Mapping[str, Any]) -> tuple[DecryptionKey, ...]:
    """Read a private JWK, or a JWK Set of them.

    Raises:
        MalformedKey: a key of it is none, or there is none.
    """
    members = document.get("keys", [document])
    if not isinstance(members, list) or not members:
        raise MalformedKey("neither a private JWK nor a JWK Set")
    return tuple(DecryptionKey.parse(one) for one in members)


def is_encrypted(compact: str) -> bool:
    """Whether a text has the shape of a compact JWE: five parts, and no disclosures (SD-JWT)."""
    return compact.count(".") == 4 and "~" not in compact


def decrypt(compact: str, keys: Iterable[DecryptionKey], *, max_bytes: int = MAX_BYTES) -> str:
    """The signed JWT inside a compact JWE.

    With a ``kid`` that one of the keys has, that key is tried alone; otherwise each that fits
    (RFC 7516 5.2 steps 6 to 18).

    Raises:
        MalformedJwe: not five parts of canonical base64url, too long, or a header that is no JSON
            object or has a parameter of the wrong form.
        CriticalHeader: the header demands an extension.
        UnsupportedAlgorithm: ``alg`` or ``enc`` is not one of ours, or it is compressed.
        WrongType: ``cty`` is not ``JWT``: there is no JWT inside.
        UnknownKey: no key fits ``kid`` and ``alg``.
        DecryptionFailed: it was not encrypted to any of them, or was changed. Nothing more is
            said (RFC 7516 11.5).
    """
    parts = _parts(compact, max_bytes)
    header = _header(parts[0])
    # RFC 7519 5.2: REQUIRED where the content is a JWT.
    if str(header.get("cty")).upper() != "JWT":
        raise WrongType("cty is not JWT")
    plain = _open(_fitting(tuple(keys), header), header, parts)
    try:
        return plain.decode("ascii")
    except UnicodeDecodeError:
        raise DecryptionFailed("it cannot be decrypted") from None


def decrypt_claims(
    compact: str, keys: Iterable[DecryptionKey], encs: Collection[str], *, max_bytes: int
) -> bytes:
    """The claims of a JWT that is encrypted and not signed (RFC 7519 3.1): whoever sent them.

    Its ``kid`` must be that of one of ``keys``, whose ``alg`` is then the only one, and its ``enc``
    one of ``encs``. See ``decrypt`` for the bound.

    Raises:
        MalformedJwe, CriticalHeader, UnsupportedAlgorithm, DecryptionFailed: as ``decrypt``.
        WrongType: ``cty`` says that there is something else inside, such as a signed JWT.
        UnknownKey: no ``kid``, or none of ours.
    """
    parts = _parts(compact, max_bytes)
    header = _header(parts[0])
    if header["enc"] not in encs:
        raise UnsupportedAlgorithm("this encryption is not accepted here")
    # RFC 7519 5.2: it says JWT where a signed one is inside, and need not be there otherwise; then
    # it can but say that the claims are JSON (RFC 7516 4.1.12: with or without "application/").
    if "cty" in header and str(header["cty"]).lower() not in _JSON:
        raise WrongType("the content is not the claims themselves")
    kid = header.get("kid")
    named = [key for key in keys if key.kid == kid and header["alg"] in key.algs]
    if kid is None or not named:
        raise UnknownKey("kid and alg are not those of a key here")
    return _open(named, header, parts)


def _open(fitting: Iterable[DecryptionKey], header: Mapping[str, Any], parts: list[bytes]) -> bytes:
    for key in fitting:
        try:
            return _opened(key, header, parts)
        except (ValueError, InvalidTag, InvalidUnwrap, KeysError):
            continue
    raise DecryptionFailed("it cannot be decrypted")


def _parts(compact: str, max_bytes: int) -> list[bytes]:
    if len(compact) > max_bytes:
        raise MalformedJwe("too long")
    try:
        parts = compact.encode("ascii").split(b".")
    except UnicodeEncodeError as error:
        raise MalformedJwe("not ASCII") from error
    if len(parts) != 5 or len(parts[0]) > _MAX_HEADER_BYTES:
        raise MalformedJwe("not five parts, or too long a header")
    try:
        return [parts[0], *(base64url.decode(part) for part in parts[1:])]
    except MalformedEncoding as error:
        raise MalformedJwe("a part is not base64url") from error


def _header(encoded: bytes) -> dict[str, Any]:
    try:
        header = json_object.loads(base64url.decode(encoded))
    except (MalformedEncoding, ValueError) as error:
        raise MalformedJwe("the header is not a JSON object") from error
    if "crit" in header:
        raise CriticalHeader("the header demands an extension")
    if (
        header.get("alg") not in ENCRYPTION_ALGS
        or header.get("enc") not in ENCRYPTION_ENCS
        or "zip" in header
    ):
        raise UnsupportedAlgorithm("this encryption is not accepted here")
    if not all(isinstance(header.get(name, ""), str) for name in ("kid", "apu", "apv")):
        raise MalformedJwe("a header parameter is not a string")
    # RFC 7518 4.6.1.1: the sender's key of the moment, where keys are agreed upon.
    if header["alg"].startswith("ECDH") and not isinstance(header.get("epk"), dict):
        raise MalformedJwe("epk is missing or no object")
    return header


def _fitting(keys: tuple[DecryptionKey, ...], header: Mapping[str, Any]) -> list[DecryptionKey]:
    fitting = [key for key in keys if header["alg"] in key.algs]
    kid = header.get("kid")
    named = [key for key in fitting if key.kid == kid]
    if kid is not None and any(key.kid is not None for key in fitting):
        fitting = named or [key for key in fitting if key.kid is None]
    if not fitting:
        raise UnknownKey("no key here fits kid and alg")
    return fitting


def _opened(key: DecryptionKey, header: Mapping[str, Any], parts: list[bytes]) -> bytes:
    encoded_header, encrypted_key, nonce, ciphertext, tag = parts
    enc = header["enc"]
    content_key = _content_key(key.private_key, header, encrypted_key)
    if len(content_key) != _KEY_BYTES[enc] or len(tag) != _TAG_BYTES:
        raise ValueError("wrong length of a key or tag")
    if enc == "A128CBC-HS256":
        return _open_cbc(content_key, encoded_header, nonce, ciphertext, tag)
    if len(nonce) != _GCM_NONCE_BYTES:
        raise ValueError("wrong length of a nonce")
    return AESGCM(content_key).decrypt(nonce, ciphertext + tag, encoded_header)


def _content_key(
    private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    header: Mapping[str, Any],
    encrypted_key: bytes,
) -> bytes:
    alg, enc = header["alg"], header["enc"]
    if isinstance(private_key, rsa.RSAPrivateKey):
        return private_key.decrypt(encrypted_key, _OAEP)
    if alg == "ECDH-ES":
        if encrypted_key:
            raise ValueError("direct agreement has no encrypted key")
        return _agreed(private_key, header, enc, _KEY_BYTES[enc])
    wrapping = _agreed(private_key, header, alg, _WRAPPING_KEY_BYTES)
    return aes_key_unwrap(wrapping, encrypted_key)


def _agreed(
    private_key: ec.EllipticCurvePrivateKey, header: Mapping[str, Any], name: str, length: int
) -> bytes:
    """The key that both sides derive (RFC 7518 4.6.2, Concat KDF of SP 800-56A 5.8.1)."""
    # The point is checked to be on its curve, and the curve to be the key's: an agreement on
    # another one would give the private key away bit by bit.
    point = library_key(header["epk"])
    if (
        not isinstance(point, ec.EllipticCurvePublicKey)
        or point.curve.name != private_key.curve.name
    ):
        raise ValueError("the ephemeral key is of another curve")
    secret = private_key.exchange(ec.ECDH(), point)
    parties = [base64url.decode(header.get(party, "")) for party in ("apu", "apv")]
    other = b"".join(_sized(one) for one in (name.encode("ascii"), *parties))
    # All keys of ours are at most 32 bytes: one round of SHA-256.
    whole = sha256(_number(1) + secret + other + _number(length * 8)).digest()
    return whole[:length]


def _open_cbc(key: bytes, header: bytes, iv: bytes, ciphertext: bytes, tag: bytes) -> bytes:
    """AES_128_CBC_HMAC_SHA_256 (RFC 7518 5.2.2.2): the tag is compared before anything else."""
    mac_key, enc_key = key[:16], key[16:]
    covered = header + iv + ciphertext + (len(header) * 8).to_bytes(8, "big")
    if len(iv) != _CBC_IV_BYTES or not compare_digest(
        digest(mac_key, covered, "sha256")[:_TAG_BYTES], tag
    ):
        raise ValueError("the tag does not fit")
    decryptor = Cipher(AES(enc_key), CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    unpadder = PKCS7(AES.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _sized(value: bytes) -> bytes:
    return _number(len(value)) + value


def _number(value: int) -> bytes:
    return value.to_bytes(4, "big")
