"""The relying party: one object that knows its issuer and verifies all that comes from it."""

from collections.abc import Collection

from corpid.relying_party.credential_party import CredentialParty
from corpid.relying_party.parts import given
from corpid.relying_party.recognise import Kind, recognise
from corpid.relying_party.results import (
    VerifiedAccessToken,
    VerifiedAuthorizationResponse,
    VerifiedCredential,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedStatus,
    VerifiedUserInfo,
)
from corpid.relying_party.token_party import TokenParty

AnyVerified = (
    VerifiedIdToken
    | VerifiedAccessToken
    | VerifiedLogoutToken
    | VerifiedAuthorizationResponse
    | VerifiedUserInfo
    | VerifiedCredential
    | VerifiedStatus
)


class RelyingParty(TokenParty, CredentialParty):
    """Verifies the tokens and credentials of one issuer, and caches its keys and status lists.

    Make one and keep it; threads, each with its event loop, may share it if `fetch` and `replay`
    can be shared, as the defaults can. `client_id` is the default for ID and logout tokens,
    `audience` (the resource's URI) for access tokens. `credential_issuers` are trusted for
    credentials beside `issuer`. `acr_base` is where the acr URIs live, by default `<issuer>/acr`.
    `decryption_keys` is your private JWK for encryption, or a JWK Set of them (ValueError if it is
    none); `Policy.require_encryption` then refuses what does not come encrypted. With
    `trust_anchors` (certificates, DER or PEM) credentials and status lists that come with `x5c` are
    verified up to them and no key is fetched; `Policy.require_certificates` refuses all others.

    Every method returns a typed value, or raises `VerificationFailed` (not valid) or
    `Undetermined` (nothing can be said now); both carry a stable `code`.
    """

    def opened(self, text: str) -> str:
        """Return the signed token inside an encrypted one (not verified), any other text as it is.

        Raises DecryptionFailed, TokenMalformed, TokenTypeWrong, AlgorithmRefused.
        """
        return self._reader.opened(text)

    async def verify_any(
        self,
        text: str | bytes,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        nonce: str | None = None,
        state: str | None = None,
        types: str | Collection[str] | None = None,
        session_transcript: bytes | None = None,
        at: float | None = None,
    ) -> AnyVerified:
        """Find out by its `typ` what a text is and verify it as that, and only that; bytes may be
        a status list as CWT.

        For people and tools that look at one thing at a time. Without `nonce` an ID token is not
        tied to a sign-in, nor a credential to its holder (an mdoc: without `session_transcript`),
        without `state` an authorization response not to a request, and UserInfo never to a sign-in.
        `at`, an instant of the past, is for credentials.
        Raises NotRecognised, and as the verifier of the kind; ValueError for a credential with
        `nonce` but no `audience`, and for anything else with `at`.
        """
        found: AnyVerified
        kind = recognise(text if isinstance(text, bytes) else self.opened(text))
        if at is not None and kind not in (Kind.CREDENTIAL, Kind.MDOC):
            raise ValueError("at is for credentials: a token counts only now")
        if isinstance(text, bytes):
            return await self.verify_status_list(text)
        match kind:
            case Kind.CREDENTIAL:
                bound = audience if nonce is not None else None
                found = await self.verify_credential(
                    text, audience=bound, nonce=nonce, types=types, at=at
                )
            case Kind.MDOC:
                found = await self.verify_mdoc(
                    text, session_transcript=session_transcript, types=types, at=at
                )
            case Kind.ACCESS_TOKEN:
                found = await self.verify_access_token(text, audience=audience)
            case Kind.LOGOUT_TOKEN:
                found = await self.verify_logout_token(text, client_id=client_id)
            case Kind.STATUS_LIST:
                found = await self.verify_status_list(text)
            case Kind.ID_TOKEN:
                found = await self.verify_id_token(text, client_id=client_id, nonce=nonce)
            case Kind.INTROSPECTION:
                found = await self.verify_introspection(
                    text, access_token="", client_id=client_id, audience=audience
                )
            case Kind.AUTHORIZATION_RESPONSE:
                expected = given(client_id, self.client_id, "client_id")
                found = await self._answers.authorization_response(
                    text, client_id=expected, state=state, ask_state=state is not None
                )
            case Kind.USERINFO:
                expected = given(client_id, self.client_id, "client_id")
                found = await self._answers.userinfo(text, client_id=expected, signed_in=None)
        return found
