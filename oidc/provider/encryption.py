"""What is encrypted to a client: ID tokens, UserInfo; signed first (OpenID Connect Core 10.2)."""

from keys import jwe
from keys.errors import UnknownKey
from keys.jwk import JwkSet
from oidc.errors import InvalidRequest


def encrypted(signed: str, keys: JwkSet | None, alg: str, enc: str | None) -> str:
    """The signed JWT inside a JWE for one of the client's ``keys`` (None: there are none now).

    Raises:
        InvalidRequest: the client has no key for it any more.
    """
    try:
        if keys is None:
            raise UnknownKey("the client has no keys")
        key = jwe.choose_key(keys, alg)
    except UnknownKey:
        raise InvalidRequest(
            f"this client registered encryption with {alg}, and has no key for it"
        ) from None
    return jwe.encrypt(signed, key, alg=alg, enc=enc or jwe.DEFAULT_ENC)
