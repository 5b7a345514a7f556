"""Public keys that somebody hands in: a client's, a wallet provider's."""

from collections.abc import Mapping
from typing import Any, Final

from corpid.domain.errors import InvalidValue
from keys.errors import KeysError
from keys.jwk import JwkSet

_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def read_key_set(jwks: Mapping[str, Any]) -> JwkSet:
    """The public keys of a JWK Set.

    Raises:
        InvalidValue: it is none, or holds a private key, which must not leave its owner.
    """
    members = jwks.get("keys")
    candidates = members if isinstance(members, list) else [jwks]
    for jwk in candidates:
        if isinstance(jwk, Mapping) and not _PRIVATE_MEMBERS.isdisjoint(jwk):
            raise InvalidValue(
                "this file holds a PRIVATE key. Only the public part is registered: take out the "
                "private members (d, p, q, …), and replace the key if the file went further"
            )
    try:
        return JwkSet.parse(jwks)
    except KeysError as error:
        raise InvalidValue(f"the JWK Set is not usable: {error}") from error
