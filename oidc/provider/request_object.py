"""Request objects: authorization requests as JWTs that the client signs (RFC 9101).

Three ways lead here: ``request`` in a pushed request, ``request`` at the authorization endpoint,
and ``request_uri`` there. Whichever it is, what stands inside the JWT is the request, and nothing
that stands beside it counts (RFC 9101 6.3). The time rules are FAPI 2.0 Message Signing's (5.3.1)
where the profile has them.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from keys import jws, jwt
from keys.errors import InvalidClaim, KeysError, MalformedJws
from keys.jwk import JwkSet
from keys.record import record
from oidc.errors import (
    InvalidRequestObject,
    InvalidRequestUri,
    RequestNotSupported,
    RequestUriNotSupported,
)
from oidc.ports import FetchFailed, Outbound, ProviderWrites
from oidc.profiles import PROFILES
from oidc.provider.resources import REPEATABLE
from oidc.records import Client
from oidc.request import MAX_VALUE_CHARACTERS

MAX_REQUEST_OBJECT_BYTES: Final = 16 * 1024
MAX_AGE_SECONDS: Final = 3600
MAX_LIFETIME_SECONDS: Final = 3600
# As for client assertions: 10 s into the future must be accepted, more than 60 s refused.
LEEWAY_SECONDS: Final = 30
MAX_JTI_CHARACTERS: Final = 256
_TYPE: Final = "oauth-authz-req+jwt"
_MEDIA_TYPES: Final = "application/oauth-authz-req+jwt, application/jwt"
_GENERIC_TYPES: Final = frozenset({"jwt", "application/jwt"})
_BOUNDED: Final = ("aud", "nbf", "exp")
# Claims of the JWT itself (RFC 7519 4.1): they are no parameters of the request.
_OF_THE_JWT: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
_NESTED: Final = ("request", "request_uri")


@record
class RequestObject:
    """A verified request object: its ``parameters`` are the whole request.

    A ``replay_key`` is there when it has a ``jti``, and an end by its client's profile: pushed a
    second time before ``replay_until`` (epoch ms) it must be refused.
    """

    parameters: Mapping[str, str]
    replay_key: bytes | None = None
    replay_until: int = 0


def read(
    compact: str,
    client: Client,
    issuer: str,
    now: float,
    *,
    named_by: str = "client_id",
    required: tuple[str, ...] = (),
) -> RequestObject:
    """Verify a request object of ``client``; ``now`` is epoch seconds.

    ``named_by`` is the claim that must name the client: in CIBA Core 1.0, 7.1.1, it is ``iss``.
    The claims in ``required`` must be there besides those that the client's profile demands.

    Raises:
        RequestNotSupported: the client registered no key that could have signed it.
        InvalidRequestObject: it is not one, not signed by this client with an algorithm that it
            may use, not for this issuer, too old or too long-lived, or not a request.
    """
    if client.jwks is None:
        raise RequestNotSupported("this client registered no key to sign request objects with")
    token = _parsed(compact)
    _check_signature(token, client.jwks, client)
    try:
        claims = jwt.parse_claims(token.unverified_payload)
        _check_claims(claims, client, issuer, now, required)
    except InvalidClaim as error:
        raise InvalidRequestObject(f"the request object is refused: {error}") from None
    except KeysError as error:
        raise InvalidRequestObject(f"the request object is refused: {error.code}") from None
    _check_parties(claims, client, named_by)
    parameters = {
        name: text
        for name, value in claims.items()
        if name not in _OF_THE_JWT and (text := _as_parameter(name, value))
    }
    jti = claims.get("jti")
    if not jti or not PROFILES[client.profile].bounded_request_objects:
        return RequestObject(parameters)  # without a bound nobody could remember it to its end
    seen = hashlib.sha256(f"request-object:{client.client_id}\0{jti}".encode()).digest()
    return RequestObject(parameters, seen, int((claims["exp"] + LEEWAY_SECONDS) * 1000) + 1000)


async def use_once(writes: ProviderWrites, signed: RequestObject) -> bool:
    """Use up the ``jti``, if there is one to be used up; False when it was used before."""
    if signed.replay_key is None:
        return True
    return await writes.use_once(signed.replay_key, signed.replay_until)


async def fetch(request_uri: str, client: Client, outbound: Outbound) -> str:
    """The request object at one of the client's registered addresses; nothing else is asked for.

    Raises:
        RequestUriNotSupported: the client registered no address.
        InvalidRequestUri: it did not register this one, or there is no request object at it.
    """
    if not client.request_uris:
        raise RequestUriNotSupported("this client registered no request_uris")
    if request_uri not in client.request_uris:
        raise InvalidRequestUri("request_uri is not one that this client registered")
    try:
        found = await outbound.get(
            request_uri, max_bytes=MAX_REQUEST_OBJECT_BYTES, accept=_MEDIA_TYPES
        )
        return found.body.decode("ascii").strip()
    except FetchFailed as error:
        raise InvalidRequestUri(f"there is no request object at request_uri: {error}") from None
    except UnicodeDecodeError:
        raise InvalidRequestUri("what stands at request_uri is no request object") from None


def is_unsigned(compact: str) -> bool:
    """Whether it is a JWT without a signature (``alg`` none): three parts, the last one empty."""
    return compact.count(".") == 2 and compact.endswith(".")


def _parsed(compact: str) -> jws.UnverifiedJws:
    if is_unsigned(compact):
        raise InvalidRequestObject("unsigned request objects (alg none) are not accepted here")
    if compact.count(".") == 4:
        raise InvalidRequestObject("encrypted request objects are not supported: sign only")
    try:
        return jws.parse(compact, max_bytes=MAX_REQUEST_OBJECT_BYTES)
    except MalformedJws as error:
        raise InvalidRequestObject(f"the request object is not a signed JWT: {error}") from None


def _check_signature(token: jws.UnverifiedJws, keys: JwkSet, client: Client) -> None:
    """By a registered key of this client, with an algorithm that it may use, as this type.

    The explicit type, or none of another kind of token: FAPI 2.0 Message Signing 5.3.1 demands
    that it is accepted, and clients of OpenID Connect Core do not know it.
    """
    own = client.request_object_signing_alg
    algs = PROFILES[client.profile].assertion_algs if own is None else frozenset({own})
    typ = token.header.get("typ")
    generic = typ is None or str(typ).lower() in _GENERIC_TYPES
    try:
        jws.verify(token, keys, algs=algs, typ=None if generic else _TYPE)
    except KeysError as error:
        raise InvalidRequestObject(f"the request object is refused: {error.code}") from None


def _check_claims(
    claims: Mapping[str, Any], client: Client, issuer: str, now: float, required: tuple[str, ...]
) -> None:
    bounded = PROFILES[client.profile].bounded_request_objects
    jwt.check_claims(
        claims,
        issuer=client.client_id if "iss" in claims else None,
        # An array with ours in it is fine here, unlike in an assertion (Message Signing 5.3.1).
        audience=issuer if bounded or "aud" in claims else None,
        now=now,
        leeway=LEEWAY_SECONDS,
        require=(*(_BOUNDED if bounded else ()), *required),
    )
    if not bounded:
        return
    if claims["nbf"] < now - MAX_AGE_SECONDS - LEEWAY_SECONDS:
        raise InvalidClaim("nbf", "lies more than 60 minutes in the past")
    if claims["exp"] - claims["nbf"] > MAX_LIFETIME_SECONDS:
        raise InvalidClaim("exp", "lies more than 60 minutes after nbf")


def _check_parties(claims: Mapping[str, Any], client: Client, named_by: str) -> None:
    named = {name: claims[name] for name in (named_by, "client_id") if name in claims}
    if named_by not in named or any(name != client.client_id for name in named.values()):
        raise InvalidRequestObject(
            f"{named_by} inside the request object must be the client that sends it (RFC 9101 5)"
        )
    if claims.get("sub") == client.client_id:
        # RFC 9101 10.8: what names the client as its subject is an assertion.
        raise InvalidRequestObject("a client assertion is not a request object")
    if any(name in claims for name in _NESTED):
        raise InvalidRequestObject("request and request_uri must not stand inside (RFC 9101 4)")
    if len(claims.get("jti", "")) > MAX_JTI_CHARACTERS:
        raise InvalidRequestObject("the jti of the request object is too long")


def _as_parameter(name: str, value: Any) -> str:
    """A claim as the text that it would be in a form (RFC 9101 4); empty means absent.

    Numbers and JSON stand inside as such: ``max_age`` is 300, ``claims`` an object.
    """
    if name in REPEATABLE and isinstance(value, list) and all(isinstance(v, str) for v in value):
        # RFC 8707 2: an array in a JWT is the parameter repeated in a form.
        value = " ".join(one.replace(" ", "%20") for one in value)
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
    except TypeError:
        raise InvalidRequestObject(f"the parameter {name[:60]!a} is nested too deep") from None
    if len(text) > MAX_VALUE_CHARACTERS or "\x00" in text:
        raise InvalidRequestObject(f"the parameter {name[:60]!a} is too long or contains a NUL")
    return text
