"""What clients and wallets sign, made by this harness itself, not by the code it measures."""

import hashlib
import os
import time
from base64 import urlsafe_b64encode
from itertools import count

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ES256 = ec.ECDSA(SHA256())
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_RUN = os.urandom(8).hex()
_SERIAL = count()


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(text: str) -> str:
    """The base64url SHA-256 of a text."""
    return b64(hashlib.sha256(text.encode()).digest())


def jti() -> str:
    """An identifier that was never used before, in this run or another."""
    return f"{_RUN}{next(_SERIAL):012x}"


class Key:
    """A P-256 key that signs compact JWTs."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        point = self._private.public_key().public_numbers()
        self.public = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64(point.x.to_bytes(32, "big")),
            "y": b64(point.y.to_bytes(32, "big")),
        }
        self.thumbprint = b64(hashlib.sha256(orjson.dumps(self.public)).digest())
        self._dpop = self._header({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public})
        self._plain = self._header({"alg": "ES256", "kid": self.thumbprint})
        self._proof = self._header(
            {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": self.public}
        )

    @property
    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JWK Set for registration."""
        return {"keys": [{**self.public, "kid": self.thumbprint, "alg": "ES256", "use": "sig"}]}

    @staticmethod
    def _header(header: dict[str, object]) -> str:
        return b64(orjson.dumps(header))

    def _sign(self, header: str, claims: dict[str, object]) -> str:
        signed = f"{header}.{b64(orjson.dumps(claims))}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ES256))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def assertion(self, client_id: str, audience: str) -> str:
        """A client assertion (RFC 7523), good for five minutes."""
        now = int(time.time())
        parties = {"iss": client_id, "sub": client_id, "aud": audience}
        return self._sign(self._plain, {**parties, "jti": jti(), "iat": now, "exp": now + 300})

    def dpop(self, method: str, uri: str, access_token: str | None = None) -> str:
        """A DPoP proof (RFC 9449)."""
        claims: dict[str, object] = {"jti": jti(), "htm": method, "htu": uri}
        claims["iat"] = int(time.time())
        if access_token is not None:
            claims["ath"] = digest(access_token)
        return self._sign(self._dpop, claims)

    def credential_proof(self, issuer: str, nonce: str) -> str:
        """A key proof for a credential request (OpenID4VCI 1.0, F.1)."""
        return self._sign(self._proof, {"aud": issuer, "iat": int(time.time()), "nonce": nonce})
