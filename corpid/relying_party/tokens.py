"""ID tokens and logout tokens of one issuer."""

from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from corpid.relying_party import errors
from corpid.relying_party.authority import (
    actor_of,
    auth_time_of,
    optional_text,
    organisation_of,
    require_level,
    subject_of,
    texts,
)
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.replay import ReplayStore
from corpid.relying_party.results import VerifiedIdToken, VerifiedLogoutToken
from corpid.relying_party.signed import SignedReader
from keys.base64url import encode

LOGOUT_TOKEN_TYP: Final = "logout+jwt"
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


class TokenVerifier:
    """Verifies what one issuer signs for its clients about sign-ins."""

    def __init__(self, reader: SignedReader, *, replay: ReplayStore, acr_base: str) -> None:
        self._reader = reader
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
        claims = await self._reader.message("id_token", token, typ=None, audience=client_id)
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
        policy, now = self._reader.policy, self._reader.now()
        auth_time = auth_time_of(claims, max_age, now, policy.leeway)
        acr = optional_text(claims, "acr")
        require_level(acr, min_acr, self._acr_base)
        # 6. Which business, who acts, with what authority.
        return VerifiedIdToken(
            issuer=self._reader.issuer,
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

    async def logout_token(self, token: str, *, client_id: str) -> VerifiedLogoutToken:
        """See RelyingParty.verify_logout_token (OpenID Connect Back-Channel Logout, 2.6)."""
        # 1. Signed by the issuer, as a logout token, in force, and for this client.
        claims = await self._reader.message(
            "logout_token", token, typ=LOGOUT_TOKEN_TYP, audience=client_id
        )
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
        until = claims["exp"] + self._reader.policy.leeway + 1
        if not await self._replay.first_use(f"logout {self._reader.issuer} {token_id}", until):
            raise errors.LogoutInvalid("used before")
        return VerifiedLogoutToken(self._reader.issuer, subject, session_id, token_id, claims)


def _check_hash(claims: dict[str, Any], name: str, value: str | None) -> None:
    """Compare with the left half of the value's SHA-256 (Core, 3.1.3.6); absent is permitted."""
    if value is None or name not in claims:
        return
    half = sha256(value.encode()).digest()[:16]
    if not _equal(claims[name], encode(half)):
        raise errors.HashMismatch(name)


def _equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and compare_digest(given.encode(), expected.encode())
