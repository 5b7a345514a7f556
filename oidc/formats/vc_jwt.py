"""W3C credentials in a JWT: VCDM 2.0, secured by VC-JOSE-COSE as `vc+jwt`.

The payload is the credential itself; JWT claims stand beside its properties and must not say
another thing. Nothing is processed as JSON-LD: contexts are compared, never fetched.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from keys import json_object, jws
from keys.jwk import JwkSet, PublicKey
from keys.jws import UnverifiedJws
from keys.jwt import parse_claims
from keys.record import record
from keys.signer import Signer
from oidc.formats.errors import MalformedStatusReference
from oidc.formats.key_binding import holder_key
from oidc.formats.status_reference import StatusReference, status_reference
from oidc.formats.vc_errors import (
    ConflictingClaims,
    InvalidProperty,
    VcExpired,
    VcNotYetValid,
    VcTooDeep,
    WrappedCredential,
    WrongContentType,
)

CREDENTIAL_TYP: Final = "vc+jwt"
CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
UNDEFINED_TERMS: Final = "https://www.w3.org/ns/credentials/undefined-terms/v2"
"""The context that gives every name a meaning of the issuer's own (VCDM 2.0, B.2.2)."""
BASE_TYPE: Final = "VerifiableCredential"
TOKEN_STATUS: Final = "TokenStatusList"
"""The `type` of a `credentialStatus` that repeats the JWT claim `status`."""
MAX_BYTES: Final = 128 * 1024
MAX_DEPTH: Final = 24

_CTY: Final = "vc"
_INSTANT: Final = re.compile(
    r"-?\d{4,9}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
)
# Each says by a `type` what it is, and cannot be understood without (VCDM 2.0, 4.5).
_TYPED: Final = (
    "credentialSchema",
    "credentialStatus",
    "evidence",
    "refreshService",
    "termsOfUse",
)


@record
class VerifiedVcJwt:
    """A credential whose issuer's signature, properties and times were checked.

    Times are epoch seconds. `types` are without `VerifiableCredential`. `subjects` are the members
    of `credentialSubject`. `holder` is the key it is bound to, None for a bearer credential.
    Whether it was revoked is not known here: `status` says where to ask, and `foreign_status`
    names the types of other ways to ask that are not understood.
    """

    types: tuple[str, ...]
    issuer: str
    subjects: tuple[dict[str, Any], ...]
    claims: dict[str, Any]
    header: dict[str, Any]
    issuer_key: PublicKey
    holder: PublicKey | None
    valid_from: int | None
    valid_until: int | None
    status: StatusReference | None
    foreign_status: tuple[str, ...]


async def issue(
    signer: Signer,
    subject: Mapping[str, Any],
    *,
    issuer: str,
    types: Sequence[str],
    issued_at: int,
    valid_until: int,
    holder_jwk: Mapping[str, Any] | None = None,
    status: StatusReference | None = None,
) -> str:
    """Sign a credential about `subject`. Times in epoch seconds; `types` without the base type."""
    claims: dict[str, Any] = {
        "@context": [CONTEXT, UNDEFINED_TERMS],
        "type": [BASE_TYPE, *types],
        "issuer": issuer,
        "validFrom": instant(issued_at),
        "validUntil": instant(valid_until),
        "credentialSubject": dict(subject),
        "iss": issuer,
        "iat": issued_at,
        "exp": valid_until,
    }
    if holder_jwk is not None:
        claims["cnf"] = {"jwk": dict(holder_jwk)}
    if status is not None:
        claims["status"] = status.claim()
        claims["credentialStatus"] = {
            "id": f"{status.uri}#{status.index}",
            "type": TOKEN_STATUS,
            "idx": status.index,
            "uri": status.uri,
        }
    header: dict[str, Any] = {"cty": _CTY, "kid": signer.kid}
    if signer.x5c:
        header["x5c"] = list(signer.x5c)
    return await jws.sign(signer, claims, typ=CREDENTIAL_TYP, header=header)


def parse(compact: str) -> UnverifiedJws:
    """Take a credential apart; nothing is proven. Raises MalformedJws."""
    return jws.parse(compact, max_bytes=MAX_BYTES)


def verify(
    token: UnverifiedJws,
    keys: JwkSet | PublicKey,
    *,
    now: float,
    algs: frozenset[str],
    leeway: int = 10,
) -> VerifiedVcJwt:
    """Verify a credential against its issuer's keys.

    The caller ties `keys` to the credential's `issuer`. Raises WrongContentType, WrappedCredential,
    InvalidProperty, ConflictingClaims, VcTooDeep, VcExpired, VcNotYetValid, HolderKeyMissing,
    MalformedStatusReference, and the errors of keys.jws.
    """
    # 1. Signed by the issuer, as a credential of this kind.
    signed = jws.verify(token, keys, algs=algs, typ=CREDENTIAL_TYP)
    check_content_type(signed.header, _CTY)
    claims = read_claims(signed.payload)
    # 2. What VCDM 2.0 asks of every credential.
    _check_context(claims)
    types = _types(claims)
    issuer = issuer_of(claims)
    subjects = _subjects(claims)
    _check_identifiers(claims, subjects)
    # 3. It is valid now, by its properties and by its claims.
    valid_from, valid_until = _check_times(claims, now, leeway)
    # 4. The key it is bound to, and where its status is kept.
    status, foreign = _statuses(claims)
    return VerifiedVcJwt(
        types=types,
        issuer=issuer,
        subjects=subjects,
        claims=claims,
        header=signed.header,
        issuer_key=signed.key,
        holder=holder_key(claims) if "cnf" in claims else None,
        valid_from=valid_from,
        valid_until=valid_until,
        status=status,
        foreign_status=foreign,
    )


def issuer_of(claims: Mapping[str, Any]) -> str:
    """Return the issuer, which `iss` repeats if it is there. Raises InvalidProperty,
    ConflictingClaims.
    """
    value = claims.get("issuer")
    issuer = value.get("id") if isinstance(value, Mapping) else value
    if not _is_url(issuer):
        raise InvalidProperty("issuer", "issuer is no URL, nor an object whose id is one")
    assert isinstance(issuer, str)
    if claims.get("iss", issuer) != issuer:
        raise ConflictingClaims("iss", "iss is not the issuer")
    return issuer


def instant(seconds: int) -> str:
    """Return an instant as a dateTimeStamp in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_claims(payload: bytes) -> dict[str, Any]:
    """Read a payload that is a credential or presentation.

    Raises MalformedJws, VcTooDeep, WrappedCredential.
    """
    claims = parse_claims(payload)
    if json_object.is_deeper(claims, MAX_DEPTH):
        raise VcTooDeep(f"more than {MAX_DEPTH} levels")
    if "vc" in claims or "vp" in claims:
        raise WrappedCredential("the payload has a claim vc or vp")
    return claims


def check_content_type(header: Mapping[str, Any], expected: str) -> None:
    """Compare `cty`, which may be absent. Raises WrongContentType."""
    given = header.get("cty", expected)
    if not isinstance(given, str) or given.lower().removeprefix("application/") != expected:
        raise WrongContentType(f"cty is not {expected}")


def objects(claims: Mapping[str, Any], name: str) -> tuple[dict[str, Any], ...]:
    """Return a property that is one object or several. Raises InvalidProperty."""
    value = claims.get(name, [])
    members = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) and one for one in members):
        raise InvalidProperty(name, f"{name} holds something that is no object, or empty")
    return tuple(members)


def texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a property that is a text or several. Raises InvalidProperty."""
    value = claims.get(name)
    members = value if isinstance(value, list) else [value]
    if not members or not all(isinstance(one, str) and one for one in members):
        raise InvalidProperty(name, f"{name} is no text, nor an array of texts")
    return tuple(members)


def _check_context(claims: Mapping[str, Any]) -> None:
    contexts = claims.get("@context")
    if not isinstance(contexts, list) or contexts[:1] != [CONTEXT]:
        raise InvalidProperty("@context", f"the first context is not {CONTEXT}")
    if not all(isinstance(one, dict) or _is_url(one) for one in contexts):
        raise InvalidProperty("@context", "a context is neither a URL nor an object")


def _types(claims: Mapping[str, Any]) -> tuple[str, ...]:
    types = texts(claims, "type")
    if BASE_TYPE not in types:
        raise InvalidProperty("type", f"type is not a {BASE_TYPE}")
    return tuple(one for one in types if one != BASE_TYPE)


def _subjects(claims: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    subjects = objects(claims, "credentialSubject")
    if not subjects:
        raise InvalidProperty("credentialSubject", "credentialSubject is missing")
    return subjects


def _check_identifiers(claims: Mapping[str, Any], subjects: tuple[dict[str, Any], ...]) -> None:
    _check_id(claims, "id")
    for one in subjects:
        _check_id(one, "credentialSubject")
    for name in _TYPED:
        for one in objects(claims, name):
            texts(one, "type")
            _check_id(one, name)
    for one in objects(claims, "credentialSchema"):
        if "id" not in one:
            raise InvalidProperty("credentialSchema", "a schema has no id")
    if claims.get("jti", claims.get("id")) != claims.get("id") and "id" in claims:
        raise ConflictingClaims("jti", "jti is not the id")
    stated = [one["id"] for one in subjects if "id" in one]
    if "sub" in claims and stated and claims["sub"] not in stated:
        raise ConflictingClaims("sub", "sub is not the id of a subject")


def _check_id(holder: Mapping[str, Any], name: str) -> None:
    if "id" in holder and not _is_url(holder["id"]):
        raise InvalidProperty(name, "an id is no URL")


def _check_times(
    claims: Mapping[str, Any], now: float, leeway: int
) -> tuple[int | None, int | None]:
    starts = [_property_time(claims, "validFrom"), _claim_time(claims, "nbf")]
    ends = [_property_time(claims, "validUntil"), _claim_time(claims, "exp")]
    issued_at = _claim_time(claims, "iat")
    if starts[0] is not None and ends[0] is not None and ends[0] < starts[0]:
        raise InvalidProperty("validUntil", "validUntil is before validFrom")
    if any(one is not None and one <= now - leeway for one in ends):
        raise VcExpired("validUntil or exp has passed")
    if any(one is not None and one > now + leeway for one in (*starts, issued_at)):
        raise VcNotYetValid("validFrom, nbf or iat lies in the future")
    return (
        max((one for one in starts if one is not None), default=None),
        min((one for one in ends if one is not None), default=None),
    )


def _property_time(claims: Mapping[str, Any], name: str) -> int | None:
    if name not in claims:
        return None
    text = claims[name]
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        raise InvalidProperty(name, f"{name} is no date and time with its zone")
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidProperty(name, f"{name} is no instant") from error


def _claim_time(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidProperty(name, f"{name} is no number")
    return int(value)


def _statuses(claims: Mapping[str, Any]) -> tuple[StatusReference | None, tuple[str, ...]]:
    """Read the claim `status`, and the property `credentialStatus` that may repeat it."""
    stated = status_reference(claims)
    foreign: list[str] = []
    for one in objects(claims, "credentialStatus"):
        if TOKEN_STATUS not in texts(one, "type"):
            foreign.extend(texts(one, "type"))
            continue
        repeated = status_reference({"status": {"status_list": one}})
        if stated is not None and repeated != stated:
            raise MalformedStatusReference("status and credentialStatus name different entries")
        stated = repeated
    return stated, tuple(foreign)


def _is_url(value: object) -> bool:
    """Whether it is an absolute URL, of whatever scheme: a DID is one."""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))
