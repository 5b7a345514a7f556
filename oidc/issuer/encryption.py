"""Encrypted credential requests and responses (OpenID4VCI 1.0, 10): JWTs, on top of TLS.

Requests are encrypted to keys of ours that the metadata shows; a response to the key that its
request brings. Errors are never encrypted (8.3.1.2). Nothing is compressed: neither we nor wallets
gain by it, and a small message could become a large one.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from keys import jwe
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey, parse_public
from keys.record import record
from oidc.errors import InvalidCredentialRequest, InvalidEncryptionParameters
from oidc.issuer.ports import IssuerKeys

MEDIA_TYPE: Final = "application/jwt"
ENCS: Final = ("A128GCM", "A256GCM")
"""HAIP 1.0, 4.3: both, for requests and responses."""
RESPONSE_ALGS: Final = ("ECDH-ES", "ECDH-ES+A256KW")
MAX_BYTES: Final = 256 * 1024
"""As for a request that is not encrypted."""


@record
class EncryptionPolicy:
    """Whether wallets must encrypt; where there is no policy, they cannot."""

    requests_required: bool = False
    responses_required: bool = False


@record
class ResponseEncryption:
    """How a response is to be encrypted: checked, and one of ours."""

    key: PublicKey
    alg: str
    enc: str

    def apply(self, answer: Mapping[str, Any]) -> str:
        """The answer as a compact JWE."""
        return jwe.encrypt_claims(orjson.dumps(answer), self.key, alg=self.alg, enc=self.enc)


@record
class Message:
    """A request's parameters; ``encrypted`` is how they came."""

    body: dict[str, Any]
    encrypted: bool


def metadata(policy: EncryptionPolicy | None, keys: IssuerKeys) -> dict[str, Any]:
    """The members of the issuer metadata (12.2.4): none without a key to encrypt to."""
    jwks = keys.encryption_jwks()
    if policy is None or not jwks["keys"]:
        return {}
    return {
        "credential_request_encryption": {
            "jwks": jwks,
            "enc_values_supported": list(ENCS),
            "encryption_required": policy.requests_required,
        },
        "credential_response_encryption": {
            "alg_values_supported": list(RESPONSE_ALGS),
            "enc_values_supported": list(ENCS),
            "encryption_required": policy.responses_required,
        },
    }


def opened(compact: bytes, policy: EncryptionPolicy | None, keys: IssuerKeys) -> dict[str, Any]:
    """The parameters of an encrypted request.

    Raises:
        InvalidEncryptionParameters: encryption is not offered; or it is not to a key of ours, or
            not in a way of ours, or does not open.
        InvalidCredentialRequest: what is inside is no JSON object.
    """
    if policy is None:
        raise InvalidEncryptionParameters("encrypted requests are not supported: send JSON")
    try:
        plain = keys.decrypt_claims(compact.decode("ascii"), ENCS, MAX_BYTES)
    except UnicodeDecodeError:
        raise InvalidEncryptionParameters("the request is no compact JWE") from None
    except KeysError as error:
        raise InvalidEncryptionParameters(
            f"the encrypted request is not acceptable ({error.code}): see "
            "credential_request_encryption in the metadata"
        ) from None
    try:
        value = orjson.loads(plain)
    except (orjson.JSONDecodeError, RecursionError):
        raise InvalidCredentialRequest("what was encrypted is not valid JSON") from None
    if not isinstance(value, dict):
        raise InvalidCredentialRequest("what was encrypted is not a JSON object")
    return value


def response_encryption(
    message: Message, policy: EncryptionPolicy | None
) -> ResponseEncryption | None:
    """How the response is to be encrypted, if it is.

    Raises:
        InvalidEncryptionParameters: it must be and is not asked for; or it is asked for in a way
            that is not ours, or in a request that is not encrypted (8.2: an attacker could put
            another key there).
    """
    if policy is not None and policy.requests_required and not message.encrypted:
        raise InvalidEncryptionParameters("requests must be encrypted here: see the metadata")
    wanted = message.body.get("credential_response_encryption")
    if wanted is None:
        if policy is not None and policy.responses_required:
            raise InvalidEncryptionParameters(
                "credential_response_encryption is missing: responses are encrypted here"
            )
        return None
    if policy is None:
        raise InvalidEncryptionParameters("encrypted responses are not supported")
    if not message.encrypted:
        raise InvalidEncryptionParameters(
            "credential_response_encryption belongs into an encrypted request"
        )
    return _read(wanted)


def _read(wanted: object) -> ResponseEncryption:
    if not isinstance(wanted, dict):
        raise InvalidEncryptionParameters("credential_response_encryption is not an object")
    jwk, enc = wanted.get("jwk"), wanted.get("enc")
    if enc not in ENCS:
        raise InvalidEncryptionParameters(f"enc is one of {', '.join(ENCS)}")
    # 8.2, 12.2.4: what the metadata does not offer is a wish. The response has no zip, so that the
    # wallet sees that nothing is compressed.
    if wanted.get("zip", "DEF") != "DEF":
        raise InvalidEncryptionParameters("zip is DEF or absent, and responses are not compressed")
    alg = jwk.get("alg") if isinstance(jwk, dict) else None
    if not isinstance(jwk, dict) or alg not in RESPONSE_ALGS:
        raise InvalidEncryptionParameters(
            f"jwk is a public key whose alg is one of {', '.join(RESPONSE_ALGS)}"
        )
    try:
        # As in a key set: what the key says of its use must be encryption, or nothing.
        key = jwe.choose_key(JwkSet([parse_public(jwk)]), alg)
    except KeysError as error:
        raise InvalidEncryptionParameters(f"jwk is not acceptable: {error.code}") from None
    return ResponseEncryption(key, alg, enc)
