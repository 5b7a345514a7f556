"""SD-JWT VC: what a credential must say beyond being an SD-JWT (draft-ietf-oauth-sd-jwt-vc, 2)."""

from collections.abc import Mapping
from typing import Any

from keys.jwk import JwkSet, PublicKey
from keys.record import record
from oidc.formats.errors import (
    CredentialExpired,
    CredentialNotYetValid,
    InvalidCredentialClaim,
    MissingType,
)
from oidc.formats.key_binding import holder_key
from oidc.formats.sd_jwt_names import CREDENTIAL_TYP, PROTECTED_IN_CREDENTIAL
from oidc.formats.sd_jwt_parse import UnverifiedSdJwt
from oidc.formats.sd_jwt_process import verify as verify_sd_jwt
from oidc.formats.status_reference import StatusReference, status_reference


@record
class VerifiedSdJwtVc:
    """A credential whose issuer's signature, claims and times were checked.

    Times are epoch seconds. `holder` is the key it is bound to, None for a bearer credential.
    Whether it was revoked is not known here: `status` says where to ask.
    """

    vct: str
    issuer: str | None
    claims: dict[str, Any]
    header: dict[str, Any]
    issuer_key: PublicKey
    holder: PublicKey | None
    not_before: int | None
    expires_at: int | None
    status: StatusReference | None


def verify(
    token: UnverifiedSdJwt,
    keys: JwkSet | PublicKey,
    *,
    now: float,
    algs: frozenset[str],
    leeway: int = 10,
    whole: frozenset[str] = frozenset(),
) -> VerifiedSdJwtVc:
    """Verify a credential against its issuer's keys.

    The caller ties `keys` to the credential's `iss`, and names in `whole` the claims that he would
    misread if only parts of them were shown. Raises MissingType, InvalidCredentialClaim,
    CredentialExpired, CredentialNotYetValid, HolderKeyMissing, MalformedStatusReference, and the
    errors of the SD-JWT and of its signature.
    """
    # 1. Signed by the issuer as a credential; no validity claim from a disclosure.
    signed = verify_sd_jwt(
        token,
        keys,
        algs=algs,
        typ=CREDENTIAL_TYP,
        protected=PROTECTED_IN_CREDENTIAL,
        whole=whole,
    )
    claims = signed.claims
    # 2. It says what it is, and by whom.
    vct = claims.get("vct")
    if not isinstance(vct, str) or not vct:
        raise MissingType("vct is missing or not text")
    _check_aliases(claims, vct)
    issuer = claims.get("iss")
    if issuer is not None and not isinstance(issuer, str):
        raise InvalidCredentialClaim("iss", "iss is not text")
    # 3. It is valid now.
    expires_at = seconds(claims, "exp")
    if expires_at is not None and expires_at <= now - leeway:
        raise CredentialExpired("exp", "the credential has expired")
    not_before = seconds(claims, "nbf")
    issued_at = seconds(claims, "iat")
    for name, value in (("nbf", not_before), ("iat", issued_at)):
        if value is not None and value > now + leeway:
            raise CredentialNotYetValid(name, "the credential is not valid yet")
    # 4. The key it is bound to, and where its status is kept.
    return VerifiedSdJwtVc(
        vct=vct,
        issuer=issuer,
        claims=claims,
        header=signed.header,
        issuer_key=signed.key,
        holder=holder_key(claims) if "cnf" in claims else None,
        not_before=not_before,
        expires_at=expires_at,
        status=status_reference(claims),
    )


def seconds(claims: Mapping[str, Any], name: str) -> int | None:
    """Return a NumericDate claim in whole seconds, None when absent.

    Raises InvalidCredentialClaim when it is not a number.
    """
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCredentialClaim(name, f"{name} is not a number")
    return int(value)


def _check_aliases(claims: Mapping[str, Any], vct: str) -> None:
    if "aka_vcts" not in claims:
        return
    aliases = claims["aka_vcts"]
    if not isinstance(aliases, list) or not aliases or not all(_is_name(one) for one in aliases):
        raise InvalidCredentialClaim("aka_vcts", "aka_vcts is not an array of types")
    if vct in aliases:
        raise InvalidCredentialClaim("aka_vcts", "aka_vcts repeats vct")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)
