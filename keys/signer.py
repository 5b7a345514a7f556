"""What signs: a port that a security module can implement, and keys held in memory."""

from collections.abc import Mapping
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keys import base64url
from keys.algorithms import PrivateKey, sign_function
from keys.errors import MalformedEncoding, MalformedKey, UnsupportedAlgorithm, UnsupportedKey
from keys.jwk import encode_uint, parse_public, public_members, thumbprint

RSA_BITS = 2048

_EC_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
_RSA_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")
_DEFAULT_ALG = {"P-256": "ES256", "P-384": "ES384", "Ed25519": "Ed25519"}


class Signer(Protocol):
    """A signing key, wherever its private part lives."""

    @property
    def kid(self) -> str:
        """The key's name in the JWK Set."""

    @property
    def alg(self) -> str:
        """The one JOSE algorithm that the key signs with."""

    @property
    def public_jwk(self) -> Mapping[str, str]:
        """The public JWK with ``kid``, ``alg`` and ``use``."""

    @property
    def x5c(self) -> tuple[str, ...]:
        """The certificates in base64 DER, leaf first (RFC 7515 4.1.6); empty if there are none."""

    async def sign(self, data: bytes) -> bytes:
        """Return the raw JOSE signature (r||s for ECDSA)."""


class LocalSigner:
    """A private key in this process's memory."""

    __slots__ = ("_private_key", "_sign", "alg", "kid", "public_jwk", "x5c")

    def __init__(
        self, private_key: PrivateKey, kid: str, alg: str, x5c: tuple[str, ...] = ()
    ) -> None:
        """Hold ``private_key`` for use under ``alg`` only.

        Raises:
            UnsupportedAlgorithm: the key cannot carry ``alg``.
        """
        self._sign = sign_function(private_key, alg)
        self._private_key = private_key
        self.kid = kid
        self.alg = alg
        self.x5c = x5c
        members = public_members(private_key.public_key())
        self.public_jwk: Mapping[str, str] = {**members, "kid": kid, "alg": alg, "use": "sig"}

    def __repr__(self) -> str:
        return f"LocalSigner(kid={self.kid!r}, alg={self.alg!r})"

    async def sign(self, data: bytes) -> bytes:
        """Return the raw JOSE signature; inline, for a thread would cost more than the signing."""
        return self._sign(data)

    @classmethod
    def from_jwk(
        cls, jwk: Mapping[str, Any], *, alg: str | None = None, authentic: bool = False
    ) -> "LocalSigner":
        """Read a private JWK; ``alg`` is the argument, else the JWK's, else the curve's.

        Without a ``kid`` the thumbprint is taken. For ``authentic`` see `private_key_of`.

        Raises:
            MalformedKey: no usable private key, its public part does not belong to it, or an RSA
                key without an ``alg``.
            UnsupportedAlgorithm: the key cannot carry ``alg``.
        """
        public = parse_public(jwk, allow_private=True)
        chosen = alg or jwk.get("alg") or _DEFAULT_ALG.get(str(jwk.get("crv")))
        if chosen is None:
            raise MalformedKey("an RSA key needs an alg")
        x5c = jwk.get("x5c", [])
        if not isinstance(x5c, list) or not all(isinstance(one, str) for one in x5c):
            raise MalformedKey("x5c is not an array of strings")
        private_key = private_key_of(jwk, authentic=authentic)
        return cls(private_key, public.kid or public.thumbprint, chosen, tuple(x5c))

    def certify(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Sign a certificate, as the authority that this key is."""
        return builder.sign(self._private_key, self._certificate_hash())

    def request(
        self, builder: x509.CertificateSigningRequestBuilder
    ) -> x509.CertificateSigningRequest:
        """Sign a certificate signing request for this key (RFC 2986)."""
        return builder.sign(self._private_key, self._certificate_hash())

    def revoke(
        self, builder: x509.CertificateRevocationListBuilder
    ) -> x509.CertificateRevocationList:
        """Sign a certificate revocation list, as the authority that this key is."""
        return builder.sign(self._private_key, self._certificate_hash())

    def _certificate_hash(self) -> hashes.SHA256 | None:
        of_its_own = isinstance(self._private_key, ed25519.Ed25519PrivateKey)
        return None if of_its_own else hashes.SHA256()

    def private_jwk(self) -> dict[str, str]:
        """Return the whole key as a JWK. Secret: for sealing, and for sample clients' key files."""
        return {**self.public_jwk, **_private_members(self._private_key)}


def generate(alg: str) -> LocalSigner:
    """Make a new key for ``alg``; its ``kid`` is its thumbprint. RSA keys have 2048 bits.

    Raises:
        UnsupportedAlgorithm: not one of ours.
    """
    private_key: PrivateKey
    match alg:
        case "ES256":
            private_key = ec.generate_private_key(ec.SECP256R1())
        case "ES384":
            private_key = ec.generate_private_key(ec.SECP384R1())
        case "Ed25519" | "EdDSA":
            private_key = ed25519.Ed25519PrivateKey.generate()
        case "RS256" | "PS256":
            private_key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        case _:
            raise UnsupportedAlgorithm("cannot make a key for this alg")
    return LocalSigner(private_key, thumbprint(public_members(private_key.public_key())), alg)


def private_key_of(jwk: Mapping[str, Any], *, authentic: bool = False) -> PrivateKey:
    """Read the private key of a JWK, whatever it is for.

    ``authentic``: it comes out of a seal of ours, so it is as `generate` made it. The numbers of an
    RSA key are then not proved anew, which takes tens of milliseconds.

    Raises:
        MalformedKey: no usable private key, or its public part does not belong to it.
    """
    expected = thumbprint(jwk)
    try:
        private_key = _private_key(jwk, authentic=authentic)
    except MalformedEncoding as error:
        raise MalformedKey("a private member is not base64url") from error
    except ValueError as error:
        raise MalformedKey("not a private key") from error
    if thumbprint(public_members(private_key.public_key())) != expected:
        raise MalformedKey("public and private part do not belong together")
    return private_key


def _private_key(jwk: Mapping[str, Any], *, authentic: bool) -> PrivateKey:
    match jwk["kty"]:
        case "EC":
            curve = _EC_CURVES[jwk["crv"]]
            return ec.derive_private_key(int.from_bytes(_secret(jwk, "d"), "big"), curve)
        case "OKP":
            return ed25519.Ed25519PrivateKey.from_private_bytes(_secret(jwk, "d"))
        case "RSA":
            public = rsa.RSAPublicNumbers(
                *(int.from_bytes(_secret(jwk, name), "big") for name in ("e", "n"))
            )
            d, p, q, dp, dq, qi = (
                int.from_bytes(_secret(jwk, name), "big") for name in _RSA_PRIVATE
            )
            numbers = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public)
            return numbers.private_key(unsafe_skip_rsa_key_validation=authentic)
        case _:
            raise UnsupportedKey("kty is not supported")


def _secret(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise MalformedKey(f"{name} is missing or not a string")
    return base64url.decode(value)


def _private_members(key: PrivateKey) -> dict[str, str]:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {"d": base64url.encode(key.private_bytes_raw())}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        value = key.private_numbers().private_value
        return {"d": base64url.encode(value.to_bytes(key.key_size // 8, "big"))}
    numbers = key.private_numbers()
    values = (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return dict(zip(_RSA_PRIVATE, map(encode_uint, values), strict=True))
