"""Status list tokens: the signed statement of a list (Token Status List, section 5.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keys import jws
from keys.jwk import JwkSet, PublicKey
from keys.jwt import parse_claims
from keys.signer import Signer
from oidc.formats.errors import (
    MalformedStatusList,
    StatusListTooLarge,
    StatusSubjectMismatch,
    StatusTokenExpired,
    StatusTokenNotYetValid,
)
from oidc.formats.status_list import MAX_LIST_BYTES, StatusList, read_claim

STATUS_TYP = "statuslist+jwt"
MAX_TOKEN_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class VerifiedStatusList:
    """A list as its issuer signed it; times in epoch seconds, `ttl` in seconds."""

    uri: str
    statuses: StatusList
    issued_at: int
    expires_at: int | None
    ttl: int | None

    def status(self, index: int) -> int:
        """Return an entry's status. Raises StatusIndexOutOfRange: the token must be rejected."""
        return self.statuses.get(index)

    def fresh_until(self, fetched_at: float, default_ttl: int) -> float:
        """Return when a copy fetched then should be fetched anew: after ttl, at exp at latest."""
        until = fetched_at + (default_ttl if self.ttl is None else self.ttl)
        return until if self.expires_at is None else min(until, self.expires_at)


def token_claims(
    uri: str,
    statuses: StatusList | Mapping[str, Any],
    *,
    issued_at: int,
    expires_at: int,
    ttl: int,
    aggregation_uri: str | None = None,
) -> dict[str, Any]:
    """Return the claims of a status list token.

    `statuses` may be a list, or its `claim()` made beforehand: compressing a long list takes
    milliseconds and can be done off the event loop.
    """
    claim = dict(statuses.claim() if isinstance(statuses, StatusList) else statuses)
    if aggregation_uri is not None:
        claim["aggregation_uri"] = aggregation_uri
    return {
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl,
        "status_list": claim,
    }


async def sign_token(
    signer: Signer, claims: Mapping[str, Any], *, header: Mapping[str, Any] | None = None
) -> str:
    """Return the signed token; `header` adds members such as `x5c`."""
    return await jws.sign(signer, claims, typ=STATUS_TYP, header=header)


def verify_token(
    compact: str,
    keys: JwkSet | PublicKey,
    *,
    uri: str | None,
    now: float,
    algs: frozenset[str] = frozenset({"ES256"}),
    leeway: int = 10,
    max_bytes: int = MAX_LIST_BYTES,
) -> VerifiedStatusList:
    """Verify a status list token that was asked for at `uri` (8.3), None for whichever it is.

    Raises StatusSubjectMismatch, StatusTokenExpired, StatusTokenNotYetValid, StatusListTooLarge,
    MalformedStatusList, and the errors of keys.jws.
    """
    if len(compact) > MAX_TOKEN_BYTES:
        raise StatusListTooLarge(f"the token has more than {MAX_TOKEN_BYTES} bytes")
    # Signed by a key of the issuer, as a status list.
    token = jws.parse(compact, max_bytes=MAX_TOKEN_BYTES)
    claims = parse_claims(jws.verify(token, keys, algs=algs, typ=STATUS_TYP).payload)
    return judged(
        claims, lambda claim: read_claim(claim, max_bytes), uri=uri, now=now, leeway=leeway
    )


def judged(
    claims: Mapping[str, Any],
    read: Callable[[object], StatusList],
    *,
    uri: str | None,
    now: float,
    leeway: int,
) -> VerifiedStatusList:
    """Judge the claims of a token whose signature holds, in JWT or CWT form, by the JWT's names.

    `read` makes the list of its claim. Raises as `verify_token`.
    """
    # 1. It is the list that was asked for: one list cannot stand in for another.
    subject = claims.get("sub")
    if not isinstance(subject, str) or subject != (subject if uri is None else uri):
        raise StatusSubjectMismatch("sub is not the URI of the list")
    # 2. It speaks of now: an old list would bring a revoked token back.
    issued_at = _seconds(claims, "iat")
    if issued_at is None:
        raise MalformedStatusList("iat is missing")
    if issued_at > now + leeway:
        raise StatusTokenNotYetValid("iat lies in the future")
    expires_at = _seconds(claims, "exp")
    if expires_at is not None and expires_at <= now - leeway:
        raise StatusTokenExpired("the status list token has expired")
    ttl = _seconds(claims, "ttl")
    if ttl is not None and ttl <= 0:
        raise MalformedStatusList("ttl is not positive")
    # 3. The list itself, bounded.
    return VerifiedStatusList(subject, read(claims.get("status_list")), issued_at, expires_at, ttl)


def _seconds(claims: Mapping[str, Any], name: str) -> int | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedStatusList(f"{name} is not a number")
    return int(value)
