"""What is encrypted to a client: ID tokens, UserInfo; signed first (OpenID Connect Core 10.2)."""

from keys import jwe
from keys.errors import UnknownKey
from oidc.errors import InvalidRequest
from oidc.records import Client


def encrypted(signed: str, client: Client, alg: str, enc: str | None) -> str:
    """The signed JWT inside a JWE for one of the client's keys.

    Raises:
        InvalidRequest: the client has no key for it any more.
    """
    try:
        if client.jwks is None:
            raise UnknownKey("the client has no keys")
        key = jwe.choose_key(client.jwks, alg)
    except UnknownKey:
        raise InvalidRequest(
            f"this client registered encryption with {alg}, and has no key for it"
        ) from None
    return jwe.encrypt(signed, key, alg=alg, enc=enc or jwe.DEFAULT_ENC)
