"""What a holder's proof must say in every format: for whom, in answer to what, and when."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, NamedTuple

from oidc.formats.errors import FormatsError


class Refusals(NamedTuple):
    """The errors of a format."""

    malformed: type[FormatsError]
    audience: type[FormatsError]
    nonce: type[FormatsError]
    time: type[FormatsError]


def check_proof(
    claims: Mapping[str, Any],
    refusals: Refusals,
    *,
    audience: str,
    nonce: str,
    now: float,
    max_age: int,
    leeway: int,
) -> int:
    """Check the claims of a proof whose signature holds; return when it was made (epoch seconds).

    `audience` is compared whole, with any client identifier prefix; times in seconds.

    Raises one of `refusals`.
    """
    # 1. It was made for this verifier: one audience, as text.
    if text(claims, "aud", refusals) != audience:
        raise refusals.audience("the holder's proof was made for another audience")
    # 2. It answers this request.
    if not compare_digest(text(claims, "nonce", refusals).encode(), nonce.encode()):
        raise refusals.nonce("the holder's proof answers another nonce")
    # 3. It is fresh.
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise refusals.malformed("iat is not a number")
    if not now - max_age <= issued_at <= now + leeway:
        raise refusals.time("the holder's proof is too old or of the future")
    return int(issued_at)


def text(claims: Mapping[str, Any], name: str, refusals: Refusals) -> str:
    """Return a claim that must be text."""
    value = claims.get(name)
    if not isinstance(value, str):
        raise refusals.malformed(f"{name} is missing or not text")
    return value
