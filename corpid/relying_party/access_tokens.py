"""Access tokens at a resource: JWTs that say it themselves, and what introspection says of any."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from corpid.relying_party import errors
from corpid.relying_party.authority import (
    actor_of,
    auth_time_of,
    optional_text,
    organisation_of,
    require_level,
    subject_of,
)
from corpid.relying_party.certificates import check_certificate
from corpid.relying_party.dpop import DpopRequest, verify_dpop
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.replay import ReplayStore
from corpid.relying_party.results import VerifiedAccessToken
from corpid.relying_party.signed import ISSUED, SignedReader
from corpid.relying_party.translation import translating
from keys import jwt

ACCESS_TOKEN_TYP: Final = "at+jwt"
INTROSPECTION_TYP: Final = "token-introspection+jwt"
_OF_ACCESS_TOKENS: Final = ("sub", "exp")


class Needs(TypedDict, total=False):
    """What verify_access_token and verify_introspection may be asked to look at besides."""

    scopes: str | Iterable[str]
    dpop: DpopRequest | None
    certificate: bytes | str | None
    require_binding: bool
    min_acr: str | None
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Call:
    """What a call needs of its access token, and what proves that its sender may use it."""

    audience: str
    scopes: str | Iterable[str] = ()
    dpop: DpopRequest | None = None
    certificate: bytes | str | None = None
    require_binding: bool = False
    min_acr: str | None = None
    max_age: int | None = None


class AccessTokenVerifier:
    """Verifies the access tokens of one issuer."""

    def __init__(self, reader: SignedReader, *, replay: ReplayStore, acr_base: str) -> None:
        self._reader = reader
        self._replay = replay
        self._acr_base = acr_base

    async def access_token(self, token: str, call: Call) -> VerifiedAccessToken:
        """See RelyingParty.verify_access_token (RFC 9068, 4; RFC 9449, 7.1; RFC 8705, 3)."""
        # 1. Signed by the issuer, as an access token, in force, and for this resource.
        claims = await self._reader.claims(token, typ=ACCESS_TOKEN_TYP, audience=call.audience)
        if not optional_text(claims, "jti"):
            raise errors.ClaimInvalid("jti is required")
        return await self._judged(claims, token, call)

    async def introspection(
        self, answer: str, *, access_token: str, client_id: str, call: Call
    ) -> VerifiedAccessToken:
        """See RelyingParty.verify_introspection (RFC 9701, 5 and 8.1; RFC 7662, 2.2)."""
        # 1. Signed by the issuer, as an answer of introspection, for who asked, and just now.
        claims = await self._reader.message(
            "introspection", answer, typ=INTROSPECTION_TYP, audience=client_id, require=("iat",)
        )
        self._reader.require_fresh(claims)
        # 2. Nothing outside that could make it pass for an access token.
        for name in _OF_ACCESS_TOKENS:
            if name in claims:
                raise errors.ClaimInvalid(f"{name} beside token_introspection")
        # 3. It says of the token that it is active, or nothing else.
        told = claims.get("token_introspection")
        if not isinstance(told, dict) or not isinstance(told.get("active"), bool):
            raise errors.ClaimInvalid("token_introspection")
        if not told["active"]:
            if len(told) > 1:
                raise errors.ClaimInvalid("token_introspection: inactive and more")
            raise errors.TokenInactive
        # 4. The token is this issuer's, in force, and for this resource.
        with translating():
            jwt.check_claims(
                told,
                issuer=self._reader.issuer,
                audience=call.audience,
                now=self._reader.now(),
                leeway=self._reader.policy.leeway,
                require=ISSUED,
            )
        return await self._judged(told, access_token, call)

    async def _judged(self, claims: dict[str, Any], token: str, call: Call) -> VerifiedAccessToken:
        """What is asked of an access token, wherever it is described."""
        client_id = optional_text(claims, "client_id")
        if not client_id:
            raise errors.ClaimInvalid("client_id is required")
        # 2. Covers what is asked for.
        granted = frozenset((optional_text(claims, "scope") or "").split())
        needed = call.scopes.split() if isinstance(call.scopes, str) else call.scopes
        missing = sorted(set(needed) - granted)
        if missing:
            raise errors.ScopeMissing(" ".join(missing))
        # 3. Sent by the one it was issued to: a bound token is nothing without its certificate,
        #    and nothing without its key.
        thumbprint, certificate_thumbprint = _bound_to(claims)
        if certificate_thumbprint is not None:
            check_certificate(call.certificate, certificate_thumbprint)
        if thumbprint is not None:
            await self._prove(token, thumbprint, call.dpop)
        elif call.dpop is not None or (call.require_binding and certificate_thumbprint is None):
            raise errors.TokenNotBound
        # 4. The person behind it signed in recently, and well enough (RFC 9470).
        policy, now = self._reader.policy, self._reader.now()
        auth_time = auth_time_of(claims, call.max_age, now, policy.leeway)
        acr = optional_text(claims, "acr")
        require_level(acr, call.min_acr, self._acr_base)
        return VerifiedAccessToken(
            issuer=self._reader.issuer,
            subject=subject_of(claims),
            subject_type=optional_text(claims, "sub_type"),
            client_id=client_id,
            scopes=granted,
            actor=actor_of(claims),
            organisation=organisation_of(claims),
            mandates=mandates_of(claims),
            acr=acr,
            auth_time=auth_time,
            key_thumbprint=thumbprint,
            expires_at=int(claims["exp"]),
            claims=claims,
            certificate_thumbprint=certificate_thumbprint,
        )

    async def _prove(self, token: str, thumbprint: str, dpop: DpopRequest | None) -> None:
        if dpop is None:
            raise errors.DpopMissing
        policy = self._reader.policy
        await verify_dpop(
            dpop, token, thumbprint, replay=self._replay, now=self._reader.now(), policy=policy
        )


def _bound_to(claims: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return the thumbprints of the DPoP key and of the client certificate."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return None, None
    if not isinstance(confirmation, dict):
        raise errors.ClaimInvalid("cnf")
    found = (confirmation.get("jkt"), confirmation.get("x5t#S256"))
    # Taking a token that is bound in a way unknown here as unbound would undo its protection.
    if found == (None, None):
        raise errors.ClaimInvalid("cnf")
    for thumbprint in found:
        if thumbprint is not None and (not isinstance(thumbprint, str) or not thumbprint.isascii()):
            raise errors.ClaimInvalid("cnf")
    return found
