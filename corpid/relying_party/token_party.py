"""What a relying party does with tokens and signed answers."""

from typing import Literal, Unpack

from corpid.relying_party.access_tokens import Call, Needs
from corpid.relying_party.authority import level_needed
from corpid.relying_party.parts import Parts, given
from corpid.relying_party.results import (
    VerifiedAccessToken,
    VerifiedAuthorizationResponse,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedUserInfo,
)
from corpid.relying_party.step_up import challenge as step_up_challenge


class TokenParty(Parts):
    """The methods of RelyingParty for tokens."""

    async def verify_id_token(
        self,
        token: str,
        *,
        nonce: str | None,
        client_id: str | None = None,
        min_acr: str | None = None,
        max_age: int | None = None,
        access_token: str | None = None,
        code: str | None = None,
    ) -> VerifiedIdToken:
        """Verify an ID token of a sign-in that this relying party began.

        `nonce` is the one that was sent; None only if none was. `min_acr` is `loa1` to `loa4` or
        the URI; `max_age` in seconds. With `access_token` and `code` their hashes are compared.

        Raises TokenMalformed, TokenTypeWrong, AlgorithmRefused, KeyUnknown, SignatureInvalid,
        IssuerUnexpected, AudienceUnexpected, AuthorizedPartyUnexpected, TokenExpired,
        TokenNotYetValid, ClaimInvalid, NonceMismatch, HashMismatch, AuthenticationTooOld,
        AssuranceTooLow, DecryptionFailed, NotEncrypted; KeysUnavailable, MetadataInvalid.
        """
        return await self._tokens.id_token(
            token,
            client_id=given(client_id, self.client_id, "client_id"),
            nonce=nonce,
            min_acr=min_acr,
            max_age=max_age,
            access_token=access_token,
            code=code,
        )

    async def verify_access_token(
        self,
        token: str,
        *,
        audience: str | None = None,
        **needs: Unpack[Needs],
    ) -> VerifiedAccessToken:
        """Verify an access token that a caller sent to a resource of this relying party.

        Pass `dpop` when the request has a DPoP header, and `certificate` (DER, or PEM as text)
        when its connection has a client certificate, which you or your proxy saw. A token that is
        bound to either is refused without it; `require_binding` refuses unbound ones too.
        `scopes` must be covered. `min_acr` and `max_age` as in verify_id_token; what they refuse
        is answered with `step_up_challenge`.

        Raises as verify_id_token, and ScopeMissing, DpopMissing, DpopInvalid, DpopReplayed,
        DpopKeyMismatch, CertificateMissing, CertificateMismatch, TokenNotBound.
        """
        call = Call(given(audience, self.audience, "audience"), **needs)
        return await self._access_tokens.access_token(token, call)

    async def verify_introspection(
        self,
        answer: str,
        *,
        access_token: str,
        client_id: str | None = None,
        audience: str | None = None,
        **needs: Unpack[Needs],
    ) -> VerifiedAccessToken:
        """Verify a signed introspection answer (RFC 9701), and the access token that it describes.

        `access_token` is the one that you asked about, `client_id` you who asked, `audience` the
        resource; the rest as in verify_access_token, which this replaces for opaque tokens.

        Raises as verify_access_token, and TokenInactive, AnswerTooOld, DecryptionFailed,
        NotEncrypted.
        """
        return await self._access_tokens.introspection(
            answer,
            access_token=access_token,
            client_id=given(client_id, self.client_id, "client_id"),
            call=Call(given(audience, self.audience, "audience"), **needs),
        )

    async def verify_authorization_response(
        self, response: str, *, state: str | None, client_id: str | None = None
    ) -> VerifiedAuthorizationResponse:
        """Verify the `response` parameter of a signed authorization response (JARM).

        `state` is the one that was sent; None only if none was. Look at `error` before `code`.

        Raises as verify_id_token, and StateMismatch.
        """
        return await self._answers.authorization_response(
            response, client_id=given(client_id, self.client_id, "client_id"), state=state
        )

    async def verify_userinfo(
        self, answer: str, *, signed_in: VerifiedIdToken, client_id: str | None = None
    ) -> VerifiedUserInfo:
        """Verify a UserInfo answer in a JWT, for the sign-in of a verified ID token.

        Raises as verify_id_token, and SubjectMismatch, AnswerTooOld.
        """
        return await self._answers.userinfo(
            answer,
            client_id=given(client_id, self.client_id, "client_id"),
            signed_in=signed_in,
        )

    def step_up_challenge(
        self,
        *,
        min_acr: str | None = None,
        max_age: int | None = None,
        scheme: Literal["DPoP", "Bearer"] = "DPoP",
    ) -> str:
        """Return the `WWW-Authenticate` value for a 401 after AssuranceTooLow or
        AuthenticationTooOld (RFC 9470, 3): the client asks the person to sign in as it says.

        Give what was asked of verify_access_token. Raises ValueError for neither of the two, and
        for a level that does not exist.
        """
        if min_acr is None and max_age is None:
            raise ValueError("give min_acr or max_age: a challenge says what is missing")
        acr_values: tuple[str, ...] = ()
        if min_acr is not None:
            acr_values = (f"{self._acr_base}/loa{level_needed(min_acr, self._acr_base)}",)
        return step_up_challenge(
            acr_values=acr_values, max_age=max_age, scheme=scheme, algs=self._policy.algorithms
        )

    async def verify_logout_token(
        self, token: str, *, client_id: str | None = None
    ) -> VerifiedLogoutToken:
        """Verify a back-channel logout token. A token obeyed once is refused the second time.

        Raises as verify_id_token, and LogoutInvalid.
        """
        expected = given(client_id, self.client_id, "client_id")
        return await self._tokens.logout_token(token, client_id=expected)
