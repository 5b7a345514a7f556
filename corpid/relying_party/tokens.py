"""ID tokens, access tokens and logout tokens of one issuer."""

from collections.abc import Collection, Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from corpid.relying_party import errors
from corpid.relying_party.authority import (
    actor_of,
    optional_seconds,
    optional_text,
    organisation_of,
    require_level,
    subject_of,
    texts,
)
from corpid.relying_party.certificates import check_certificate
from corpid.relying_party.dpop import DpopRequest, verify_dpop
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.policy import Policy
from corpid.relying_party.replay import ReplayStore
from corpid.relying_party.results import VerifiedAccessToken, VerifiedIdToken, VerifiedLogoutToken
from corpid.relying_party.translation import translating
from keys import jws, jwt
from keys.base64url import encode
from keys.clock import Clock

ACCESS_TOKEN_TYP: Final = "at+jwt"
LOGOUT_TOKEN_TYP: Final = "logout+jwt"
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


class TokenVerifier:
    """Verifies what one issuer signs with its token keys."""

    def __init__(
        self,
        issuer: str,
        keys: KeySource,
        clock: Clock,
        policy: Policy,
        *,
        replay: ReplayStore,
        acr_base: str,
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._clock = clock
        self._policy = policy
        self._replay = replay
        self._acr_base = acr_base

    async def id_token(
        self,
        token: str,
        *,
        client_id: str,
        nonce: str | None,
        min_acr: str | None,
        max_age: int | None,
        access_token: str | None,
        code: str | None,
    ) -> VerifiedIdToken:
        """See RelyingParty.verify_id_token (OpenID Connect Core, 3.1.3.7)."""
        # 1. Signed by the issuer, as an ID token, in force, and for this client.
        claims = await self._claims(token, typ=None, audience=client_id)
        # 2. Issued to this client, also when others may read it.
        azp = optional_text(claims, "azp")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (azp is not None or several) and azp != client_id:
            raise errors.AuthorizedPartyUnexpected
        # 3. Answers the sign-in that this browser began.
        if nonce is not None and not _equal(claims.get("nonce"), nonce):
            raise errors.NonceMismatch
        # 4. Belongs to the access token and the code that came with it.
        _check_hash(claims, "at_hash", access_token)
        _check_hash(claims, "c_hash", code)
        # 5. The person signed in recently, and well enough.
        auth_time = self._auth_time(claims, max_age)
        acr = optional_text(claims, "acr")
        require_level(acr, min_acr, self._acr_base)
        # 6. Which business, who acts, with what authority.
        return VerifiedIdToken(
            issuer=self._issuer,
            subject=subject_of(claims),
            subject_type=optional_text(claims, "sub_type"),
            actor=actor_of(claims),
            organisation=organisation_of(claims),
            mandates=mandates_of(claims),
            acr=acr,
            amr=texts(claims, "amr"),
            auth_time=auth_time,
            session_id=optional_text(claims, "sid"),
            expires_at=int(claims["exp"]),
            claims=claims,
        )

    async def access_token(
        self,
        token: str,
        *,
        audience: str,
        scopes: Collection[str],
        dpop: DpopRequest | None,
        certificate: bytes | str | None,
        require_binding: bool,
        min_acr: str | None,
        max_age: int | None,
    ) -> VerifiedAccessToken:
        """See RelyingParty.verify_access_token (RFC 9068, 4; RFC 9449, 7.1; RFC 8705, 3)."""
        # 1. Signed by the issuer, as an access token, in force, and for this resource.
        claims = await self._claims(token, typ=ACCESS_TOKEN_TYP, audience=audience)
        client_id = optional_text(claims, "client_id")
        if not client_id or not optional_text(claims, "jti"):
            raise errors.ClaimInvalid("client_id and jti are required")
        # 2. Covers what is asked for.
        granted = frozenset((optional_text(claims, "scope") or "").split())
        missing = sorted(set(scopes) - granted)
        if missing:
            raise errors.ScopeMissing(" ".join(missing))
        # 3. Sent by the one it was issued to: a bound token is nothing without its certificate,
        #    and nothing without its key.
        thumbprint, certificate_thumbprint = _bound_to(claims)
        if certificate_thumbprint is not None:
            check_certificate(certificate, certificate_thumbprint)
        if thumbprint is not None:
            await self._prove(token, thumbprint, dpop)
        elif dpop is not None or (require_binding and certificate_thumbprint is None):
            raise errors.TokenNotBound
        # 4. The person behind it signed in recently, and well enough (RFC 9470).
        auth_time = self._auth_time(claims, max_age)
        acr = optional_text(claims, "acr")
        require_level(acr, min_acr, self._acr_base)
        return VerifiedAccessToken(
            issuer=self._issuer,
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

    async def logout_token(self, token: str, *, client_id: str) -> VerifiedLogoutToken:
        """See RelyingParty.verify_logout_token (OpenID Connect Back-Channel Logout, 2.6)."""
        # 1. Signed by the issuer, as a logout token, in force, and for this client.
        claims = await self._claims(token, typ=LOGOUT_TOKEN_TYP, audience=client_id)
        token_id = optional_text(claims, "jti")
        if not token_id:
            raise errors.LogoutInvalid("jti")
        # 2. It is the order to log out, and no ID token in disguise.
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise errors.LogoutInvalid("events")
        if "nonce" in claims:
            raise errors.LogoutInvalid("nonce")
        # 3. It says whose sessions end.
        session_id = optional_text(claims, "sid")
        subject = subject_of(claims) if "sub" in claims else None
        if session_id is None and subject is None:
            raise errors.LogoutInvalid("neither sid nor sub")
        # 4. It is obeyed once, for as long as it could come again; issuers may share a store.
        until = claims["exp"] + self._policy.leeway + 1
        if not await self._replay.first_use(f"logout {self._issuer} {token_id}", until):
            raise errors.LogoutInvalid("used before")
        return VerifiedLogoutToken(self._issuer, subject, session_id, token_id, claims)

    async def _claims(self, token: str, *, typ: str | None, audience: str) -> dict[str, Any]:
        with translating():
            parsed = jws.parse(token)
            keys = await self._keys.keys("tokens", self._issuer, parsed.header.get("kid"))
            signed = jws.verify(parsed, keys, algs=self._policy.algorithms, typ=typ)
            claims = jwt.parse_claims(signed.payload)
            jwt.check_claims(
                claims,
                issuer=self._issuer,
                audience=audience,
                now=self._clock(),
                leeway=self._policy.leeway,
                max_lifetime=self._policy.max_token_lifetime,
            )
        return claims

    def _auth_time(self, claims: dict[str, Any], max_age: int | None) -> int | None:
        """Return when the person signed in; refuse it if that is longer ago than `max_age`."""
        auth_time = optional_seconds(claims, "auth_time")
        if auth_time is not None and auth_time > self._clock() + self._policy.leeway:
            raise errors.ClaimInvalid("auth_time")
        if max_age is not None:
            if auth_time is None:
                raise errors.ClaimInvalid("auth_time")
            if auth_time + max_age + self._policy.leeway < self._clock():
                raise errors.AuthenticationTooOld
        return auth_time

    async def _prove(self, token: str, thumbprint: str, dpop: DpopRequest | None) -> None:
        if dpop is None:
            raise errors.DpopMissing
        await verify_dpop(
            dpop, token, thumbprint, replay=self._replay, now=self._clock(), policy=self._policy
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


def _check_hash(claims: dict[str, Any], name: str, value: str | None) -> None:
    """Compare with the left half of the value's SHA-256 (Core, 3.1.3.6); absent is permitted."""
    if value is None or name not in claims:
        return
    half = sha256(value.encode()).digest()[:16]
    if not _equal(claims[name], encode(half)):
        raise errors.HashMismatch(name)


def _equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and compare_digest(given.encode(), expected.encode())


def as_scopes(scopes: str | Iterable[str]) -> tuple[str, ...]:
    """Return required scopes given as an array or as one text with spaces."""
    return tuple(scopes.split()) if isinstance(scopes, str) else tuple(scopes)
