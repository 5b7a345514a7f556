"""JSON Web Tokens (RFC 7519) on top of ``jws``: the registered claims."""

from collections.abc import Mapping
from typing import Any

from keys import json_object, jws
from keys.errors import InvalidClaim, MalformedJws, TokenExpired, TokenNotYetValid
from keys.jwk import JwkSet, PublicKey

LEEWAY = 10
"""Seconds by which two honest clocks may differ."""

_TEXTS = ("iss", "sub", "jti")
_INSTANTS = ("exp", "nbf", "iat")


def verify(
    compact: str | bytes,
    keys: JwkSet | PublicKey,
    *,
    typ: str | None,
    algs: frozenset[str],
    issuer: str | None,
    audience: str | None,
    now: float,
    leeway: int = LEEWAY,
    require: tuple[str, ...] = ("exp", "iat"),
    max_lifetime: int | None = None,
    max_bytes: int = jws.MAX_BYTES,
) -> dict[str, Any]:
    """Verify a JWT and return its claims: ``jws.parse``, ``jws.verify``, ``check_claims``.

    Raises:
        KeysError: as those three.
    """
    verified = jws.verify(jws.parse(compact, max_bytes=max_bytes), keys, algs=algs, typ=typ)
    claims = parse_claims(verified.payload)
    check_claims(
        claims,
        issuer=issuer,
        audience=audience,
        now=now,
        leeway=leeway,
        require=require,
        max_lifetime=max_lifetime,
    )
    return claims


def parse_claims(payload: bytes) -> dict[str, Any]:
    """Read a payload as a claims set.

    Raises:
        MalformedJws: not a JSON object with unique member names.
    """
    try:
        return json_object.loads(payload)
    except ValueError as error:
        raise MalformedJws("the payload is not a JSON object with unique names") from error


def unverified_claims(compact: str | bytes, *, max_bytes: int = jws.MAX_BYTES) -> dict[str, Any]:
    """Return the claims of a token that nobody has verified: only to find out whom to ask.

    Raises:
        MalformedJws: not a compact JWS with a claims set.
    """
    return parse_claims(jws.parse(compact, max_bytes=max_bytes).unverified_payload)


def check_claims(
    claims: Mapping[str, Any],
    *,
    issuer: str | None,
    audience: str | None,
    now: float,
    leeway: int = LEEWAY,
    require: tuple[str, ...] = ("exp", "iat"),
    max_lifetime: int | None = None,
) -> None:
    """Check the registered claims (RFC 7519 section 4.1); None skips issuer or audience.

    ``now`` in epoch seconds; ``leeway`` and ``max_lifetime`` in seconds. ``max_lifetime`` bounds
    ``exp`` both from ``iat`` and, so that a replay store has an end, from ``now``.

    Raises:
        InvalidClaim: missing, of the wrong type, or not the expected one.
        TokenExpired: ``exp`` has passed.
        TokenNotYetValid: ``nbf`` or ``iat`` lies ahead.
    """
    for name in require:
        if claims.get(name) is None:
            raise InvalidClaim(name, "is missing")
    _check_types(claims)
    if issuer is not None and claims.get("iss") != issuer:
        raise InvalidClaim("iss", "is not the expected issuer")
    if audience is not None:
        _check_audience(claims.get("aud"), audience)
    _check_times(claims, now, leeway)
    if max_lifetime is not None:
        _check_lifetime(claims, now, leeway, max_lifetime)


def _check_types(claims: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if name in claims and not isinstance(claims[name], str):
            raise InvalidClaim(name, "is not a string")
    for name in _INSTANTS:
        if name in claims and type(claims[name]) not in (int, float):  # a bool is an int to Python
            raise InvalidClaim(name, "is not a number")


def _check_audience(given: Any, audience: str) -> None:
    if isinstance(given, list):
        if not all(isinstance(one, str) for one in given):
            raise InvalidClaim("aud", "is not an array of strings")
    elif isinstance(given, str):
        given = [given]
    else:
        raise InvalidClaim("aud", "is missing or neither string nor array")
    if audience not in given:
        raise InvalidClaim("aud", "is not for this audience")


def _check_times(claims: Mapping[str, Any], now: float, leeway: int) -> None:
    if "exp" in claims and claims["exp"] <= now - leeway:
        raise TokenExpired("exp", "has passed")
    for name in ("nbf", "iat"):
        if name in claims and claims[name] > now + leeway:
            raise TokenNotYetValid(name, "lies ahead")


def _check_lifetime(claims: Mapping[str, Any], now: float, leeway: int, max_lifetime: int) -> None:
    if "exp" not in claims:
        raise InvalidClaim("exp", "is missing")
    if claims["exp"] - claims.get("iat", now) > max_lifetime:
        raise InvalidClaim("exp", "is further from iat than allowed")
    if claims["exp"] > now + leeway + max_lifetime:
        raise InvalidClaim("exp", "lies too far ahead")
