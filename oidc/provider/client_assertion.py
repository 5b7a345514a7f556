"""private_key_jwt (RFC 7523 with its audience fix, RFC 7523bis; FAPI 2.0, 5.3.2.1).

What can be told from the assertion alone is checked, and explained, before anybody looks the
client up; whether the client exists and its key made the signature is one question with one
answer (``client_authentication``).
"""

import hashlib
from typing import Any, Final

from keys import jws, jwt
from keys.errors import InvalidClaim, KeysError
from keys.jwk import JwkSet
from keys.record import record
from oidc.errors import InvalidClient

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LIFETIME_SECONDS: Final = 3600
# FAPI 2.0, 5.3.2.1: 0-10 s into the future must be accepted, more than 60 s refused.
LEEWAY_SECONDS: Final = 30
MAX_JTI_CHARACTERS: Final = 256
MAX_ASSERTION_BYTES: Final = 8192
_TYPE: Final = "client-authentication+jwt"
_GENERIC_TYPES: Final = frozenset({"jwt", "application/jwt"})
_REQUIRED: Final = ("iss", "sub", "exp", "jti")


@record
class ClientAssertion:
    """An assertion whose claims are acceptable; ``client_id`` is claimed, not yet proven.

    ``replay_key`` must be remembered until ``replay_until`` (epoch ms): the jti counts once.
    """

    client_id: str
    token: jws.UnverifiedJws
    replay_key: bytes
    replay_until: int

    def is_signed_by(self, keys: JwkSet, algs: frozenset[str]) -> bool:
        """Whether one of the client's keys made the signature with an accepted algorithm."""
        typ = self.token.header.get("typ")
        # 7523bis 3: the explicit type, but a missing one (or the generic JWT) is no fault.
        # Any other type, such as a request object's, is another kind of token (RFC 8725 3.11).
        generic = typ is None or typ == "JWT" or str(typ).lower() in _GENERIC_TYPES
        expected = None if generic else _TYPE
        try:
            jws.verify(self.token, keys, algs=algs, typ=expected)
        except KeysError:
            return False
        return True


def read(compact: str, issuer: str, now: float) -> ClientAssertion:
    """Take an assertion apart and check its claims; ``now`` is epoch seconds.

    Raises:
        InvalidClient: it is malformed, for another audience, expired, or lacks a claim.
    """
    try:
        token = jws.parse(compact, max_bytes=MAX_ASSERTION_BYTES)
        claims = jwt.parse_claims(token.unverified_payload)
        jwt.check_claims(
            claims,
            issuer=None,
            audience=None,
            now=now,
            leeway=LEEWAY_SECONDS,
            require=_REQUIRED,
            max_lifetime=MAX_LIFETIME_SECONDS,
        )
    except InvalidClaim as error:
        raise InvalidClient(f"the client assertion is refused: {error}") from None
    except KeysError as error:
        raise InvalidClient(f"the client assertion is refused: {error.code}") from None
    _check_parties(claims, issuer)
    client_id, jti = claims["sub"], claims["jti"]
    replay_key = hashlib.sha256(f"assertion:{client_id}\0{jti}".encode()).digest()
    until = int((claims["exp"] + LEEWAY_SECONDS) * 1000) + 1000
    return ClientAssertion(client_id, token, replay_key, until)


def _check_parties(claims: dict[str, Any], issuer: str) -> None:
    # 7523bis 4 and FAPI 2.0 5.3.2.1: our issuer identifier, alone and as a string. An endpoint's
    # URL or an array would let an assertion made for another server be used here.
    if claims.get("aud") != issuer:
        raise InvalidClient(
            "the aud of the client assertion must be the issuer identifier, as a string"
        )
    if claims["iss"] != claims["sub"]:
        raise InvalidClient("iss and sub of the client assertion must both be the client_id")
    if not 0 < len(claims["jti"]) <= MAX_JTI_CHARACTERS:
        raise InvalidClient("the jti of the client assertion is empty or too long")
    if "response_type" in claims or "redirect_uri" in claims:
        # RFC 9101 10.8: a request object must never pass for an assertion.
        raise InvalidClient("a request object is not a client assertion")
