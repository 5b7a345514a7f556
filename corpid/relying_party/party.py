"""The relying party: one object that knows its issuer and verifies all that comes from it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal, Unpack

from corpid.relying_party.access_tokens import AccessTokenVerifier, Call, Needs
from corpid.relying_party.answers import AnswerVerifier
from corpid.relying_party.authority import level_needed
from corpid.relying_party.challenge import Challenge
from corpid.relying_party.credentials import CredentialVerifier
from corpid.relying_party.fetch import Fetch, StandardFetch
from corpid.relying_party.issuer_keys import IssuerKeys
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.mandates import Mandate
from corpid.relying_party.mdocs import MdocVerifier
from corpid.relying_party.policy import Policy
from corpid.relying_party.recognise import Kind, recognise
from corpid.relying_party.replay import MemoryReplayStore, ReplayStore
from corpid.relying_party.results import (
    StatusOutcome,
    VerifiedAccessToken,
    VerifiedAuthorizationResponse,
    VerifiedCredential,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedStatus,
    VerifiedUserInfo,
)
from corpid.relying_party.signed import SignedReader
from corpid.relying_party.status_check import StatusCheck
from corpid.relying_party.status_source import StatusSource
from corpid.relying_party.step_up import challenge as step_up_challenge
from corpid.relying_party.tokens import TokenVerifier
from corpid.relying_party.translation import translating
from corpid.relying_party.trust import Anchor, Trust
from corpid.relying_party.w3c_credentials import W3cVerifier, is_w3c
from keys import jws
from keys.clock import Clock, system_clock
from keys.errors import MalformedKey
from keys.jwe_decrypt import DecryptionKey, parse_keys
from oidc.formats.status_token import MAX_TOKEN_BYTES

AnyVerified = (
    VerifiedIdToken
    | VerifiedAccessToken
    | VerifiedLogoutToken
    | VerifiedAuthorizationResponse
    | VerifiedUserInfo
    | VerifiedCredential
    | VerifiedStatus
)
DEFAULT_POLICY: Final = Policy()


class RelyingParty:
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

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        fetch: Fetch | None = None,
        clock: Clock = system_clock,
        policy: Policy = DEFAULT_POLICY,
        replay: ReplayStore | None = None,
        credential_issuers: Iterable[str] = (),
        acr_base: str | None = None,
        decryption_keys: Mapping[str, Any] | None = None,
        trust_anchors: Iterable[Anchor] = (),
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.audience = audience
        self._acr_base = (f"{issuer}/acr" if acr_base is None else acr_base).rstrip("/")
        self._clock = clock
        self._policy = policy
        get = StandardFetch() if fetch is None else fetch
        self._keys = KeySource(get, clock, policy)
        trust = Trust(trust_anchors, clock)
        self._statuses = StatusSource(get, self._keys, trust, clock, policy)
        self._reader = SignedReader(issuer, self._keys, clock, policy, _private(decryption_keys))
        store = MemoryReplayStore(clock) if replay is None else replay
        base = self._acr_base
        self._tokens = TokenVerifier(self._reader, replay=store, acr_base=base)
        self._access_tokens = AccessTokenVerifier(self._reader, replay=store, acr_base=base)
        self._answers = AnswerVerifier(self._reader)
        issuers = frozenset({issuer, *credential_issuers})
        keys = IssuerKeys(self._keys, trust, policy)
        self._status = StatusCheck(self._statuses, policy)
        self._credentials = CredentialVerifier(issuers, keys, trust, self._status, clock, policy)
        self._w3c = W3cVerifier(issuers, keys, self._status, clock, policy)
        self._mdocs = MdocVerifier(issuers, trust, self._status, clock, policy)

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
            client_id=_given(client_id, self.client_id, "client_id"),
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
        call = Call(_given(audience, self.audience, "audience"), **needs)
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
            client_id=_given(client_id, self.client_id, "client_id"),
            call=Call(_given(audience, self.audience, "audience"), **needs),
        )

    async def verify_authorization_response(
        self, response: str, *, state: str | None, client_id: str | None = None
    ) -> VerifiedAuthorizationResponse:
        """Verify the `response` parameter of a signed authorization response (JARM).

        `state` is the one that was sent; None only if none was. Look at `error` before `code`.

        Raises as verify_id_token, and StateMismatch.
        """
        return await self._answers.authorization_response(
            response, client_id=_given(client_id, self.client_id, "client_id"), state=state
        )

    async def verify_userinfo(
        self, answer: str, *, signed_in: VerifiedIdToken, client_id: str | None = None
    ) -> VerifiedUserInfo:
        """Verify a UserInfo answer in a JWT, for the sign-in of a verified ID token.

        Raises as verify_id_token, and SubjectMismatch, AnswerTooOld.
        """
        return await self._answers.userinfo(
            answer,
            client_id=_given(client_id, self.client_id, "client_id"),
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
        expected = _given(client_id, self.client_id, "client_id")
        return await self._tokens.logout_token(token, client_id=expected)

    async def verify_credential(
        self,
        presentation: str,
        *,
        audience: str | None,
        nonce: str | None,
        types: str | Collection[str] | None = None,
        check_status: bool = True,
    ) -> VerifiedCredential:
        """Verify an SD-JWT VC or a W3C credential in a JWT, with the holder's proof (key binding
        JWT, `vp+jwt`) for `audience` and `nonce`.

        Both None verifies a credential without asking who presents it: it says what the issuer
        said, and `holder_proven` is False. `types` are the acceptable `vct` values or W3C types.

        Raises CredentialMalformed, IssuerUnexpected, KeyUnknown, SignatureInvalid,
        AlgorithmRefused, TokenTypeWrong, CredentialExpired, CredentialNotYetValid,
        CredentialTypeUnexpected, KeyBindingMissing, KeyBindingInvalid, CredentialRevoked,
        CredentialSuspended, CredentialStatusNotValid, CredentialStatusMissing,
        StatusIndexOutOfRange, TokenMalformed, ClaimInvalid; KeysUnavailable, MetadataInvalid,
        and, if the policy refuses, StatusUnavailable, StatusExpired, StatusTokenInvalid.
        """
        if (audience is None) != (nonce is None):
            raise ValueError("give both audience and nonce, or neither")
        challenge = None
        if audience is not None and nonce is not None:
            challenge = Challenge(audience, nonce)
        verifier = self._w3c if is_w3c(presentation) else self._credentials
        return await verifier.credential(
            presentation,
            types={types} if isinstance(types, str) else types,
            challenge=challenge,
            check_status=check_status,
        )

    async def verify_mdoc(
        self,
        document: bytes | str,
        *,
        session_transcript: bytes | None,
        types: str | Collection[str] | None = None,
        check_status: bool = True,
    ) -> VerifiedCredential:
        """Verify an mdoc whose IACA root is among `trust_anchors`: a DeviceResponse with one
        document, or an IssuerSigned; bytes, or text in base64url.

        `session_transcript` is the encoded one of your session (`openid4vp_transcript`,
        `dc_api_transcript`), which the device must have signed; None does not ask who shows it.

        Raises as verify_credential, and CertificateChainInvalid.
        """
        return await self._mdocs.verify(
            document,
            session_transcript=session_transcript,
            types={types} if isinstance(types, str) else types,
            check_status=check_status,
        )

    async def check_mandate(self, mandate: Mandate, *, issuer: str | None = None) -> StatusOutcome:
        """Ask whether a mandate, verified earlier, still stands.

        `issuer` is that of the credential it came in, by default this relying party's issuer.
        Returns `none` for a mandate without a status entry. Raises MandateRevoked,
        MandateSuspended, CredentialStatusNotValid, StatusIndexOutOfRange, and the Undetermined
        errors if the policy refuses.
        """
        if mandate.status is None:
            return "none"
        return await self._status.mandate(mandate.status, issuer or self.issuer)

    async def verify_status_list(self, token: str) -> VerifiedStatus:
        """Verify a status list token of the issuer, taken by its own word for which list it is.

        Raises TokenMalformed, ClaimInvalid; StatusExpired, StatusTokenInvalid, KeysUnavailable,
        MetadataInvalid.
        """
        with translating():
            jws.parse(token, max_bytes=MAX_TOKEN_BYTES)
        found = await self._statuses.verify(token, None, self.issuer)
        statuses = found.statuses
        return VerifiedStatus(
            self.issuer, found.uri, statuses.bits, statuses.size, found.issued_at, found.expires_at
        )

    def opened(self, text: str) -> str:
        """Return the signed token inside an encrypted one (not verified), any other text as it is.

        Raises DecryptionFailed, TokenMalformed, TokenTypeWrong, AlgorithmRefused.
        """
        return self._reader.opened(text)

    async def verify_any(
        self,
        text: str,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        nonce: str | None = None,
        state: str | None = None,
        types: str | Collection[str] | None = None,
        session_transcript: bytes | None = None,
    ) -> AnyVerified:
        """Find out by its `typ` what a text is and verify it as that, and only that.

        For people and tools that look at one thing at a time. Without `nonce` an ID token is not
        tied to a sign-in, nor a credential to its holder (an mdoc: without `session_transcript`),
        without `state` an authorization response not to a request, and UserInfo never to a sign-in.
        Raises NotRecognised, and as the verifier of the kind; ValueError for a credential with
        `nonce` but no `audience`.
        """
        found: AnyVerified
        match recognise(self.opened(text)):
            case Kind.CREDENTIAL:
                bound = audience if nonce is not None else None
                found = await self.verify_credential(text, audience=bound, nonce=nonce, types=types)
            case Kind.MDOC:
                found = await self.verify_mdoc(
                    text, session_transcript=session_transcript, types=types
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
                expected = _given(client_id, self.client_id, "client_id")
                found = await self._answers.authorization_response(
                    text, client_id=expected, state=state, ask_state=state is not None
                )
            case Kind.USERINFO:
                expected = _given(client_id, self.client_id, "client_id")
                found = await self._answers.userinfo(text, client_id=expected, signed_in=None)
        return found


def _given(argument: str | None, default: str | None, name: str) -> str:
    value = default if argument is None else argument
    if not value:
        raise ValueError(f"{name} is needed: to RelyingParty or to the call")
    return value


def _private(keys: Mapping[str, Any] | None) -> tuple[DecryptionKey, ...]:
    if keys is None:
        return ()
    try:
        return parse_keys(keys)
    except MalformedKey as error:
        raise ValueError(f"decryption_keys: {error}") from error
