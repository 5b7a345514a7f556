"""Signed answers of the issuer to its client: the authorization response, and UserInfo."""

from hmac import compare_digest
from typing import Final

from corpid.relying_party import errors
from corpid.relying_party.authority import (
    actor_of,
    optional_text,
    organisation_of,
    subject_of,
)
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.results import (
    VerifiedAuthorizationResponse,
    VerifiedIdToken,
    VerifiedUserInfo,
)
from corpid.relying_party.signed import SignedReader

_OF_ID_TOKENS: Final = ("sub", "nonce")


class AnswerVerifier:
    """Verifies what one issuer answers to its clients and signs."""

    def __init__(self, reader: SignedReader) -> None:
        self._reader = reader

    async def authorization_response(
        self, response: str, *, client_id: str, state: str | None, ask_state: bool = True
    ) -> VerifiedAuthorizationResponse:
        """See RelyingParty.verify_authorization_response (JARM, 4.4)."""
        # 1. Signed by the issuer, in force, and for this client: another server's answer, brought
        #    here to mix the two up, ends before its code is read.
        claims = await self._reader.message(
            "authorization_response", response, typ=None, audience=client_id, require=("exp",)
        )
        # 2. An authorization response, and no other JWT of the same type.
        for name in _OF_ID_TOKENS:
            if name in claims:
                raise errors.ClaimInvalid(f"{name} in an authorization response")
        code, error = optional_text(claims, "code"), optional_text(claims, "error")
        if (not code) == (not error):
            raise errors.ClaimInvalid("exactly one of code and error")
        # 3. Answers the request that this browser was sent with.
        given = optional_text(claims, "state")
        if ask_state and not _same(given, state):
            raise errors.StateMismatch
        return VerifiedAuthorizationResponse(
            issuer=self._reader.issuer,
            code=code,
            error=error,
            error_description=optional_text(claims, "error_description"),
            state=given,
            expires_at=int(claims["exp"]),
            claims=claims,
        )

    async def userinfo(
        self, answer: str, *, client_id: str, signed_in: VerifiedIdToken | None
    ) -> VerifiedUserInfo:
        """See RelyingParty.verify_userinfo (OpenID Connect Core, 5.3.2 and 5.3.4)."""
        # 1. Signed by the issuer, for this client, and just now.
        claims = await self._reader.message(
            "userinfo", answer, typ=None, audience=client_id, require=("iat",)
        )
        self._reader.require_fresh(claims)
        # 2. UserInfo, and no ID token: that has an end.
        if "exp" in claims or "nonce" in claims:
            raise errors.ClaimInvalid("exp or nonce in a UserInfo answer")
        subject, actor = subject_of(claims), actor_of(claims)
        # 3. Speaks of the business and the person that signed in. `sub` alone is the business, so
        #    that a colleague's answer would pass.
        if signed_in is not None and (subject, actor) != (signed_in.subject, signed_in.actor):
            raise errors.SubjectMismatch
        return VerifiedUserInfo(
            issuer=self._reader.issuer,
            subject=subject,
            subject_type=optional_text(claims, "sub_type"),
            actor=actor,
            organisation=organisation_of(claims),
            mandates=mandates_of(claims),
            claims=claims,
        )


def _same(given: str | None, sent: str | None) -> bool:
    if given is None or sent is None:
        return given is sent
    return compare_digest(given.encode(), sent.encode())
