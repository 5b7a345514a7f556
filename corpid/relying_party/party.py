"""The relying party: one object that knows its issuer and verifies all that comes from it."""

from collections.abc import Collection, Iterable
from typing import Final, Literal

from corpid.relying_party import errors
from corpid.relying_party.authority import level_needed
from corpid.relying_party.credentials import Challenge, CredentialVerifier
from corpid.relying_party.dpop import DpopRequest
from corpid.relying_party.fetch import Fetch, StandardFetch
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.mandates import Mandate
from corpid.relying_party.policy import Policy
from corpid.relying_party.recognise import Kind, recognise
from corpid.relying_party.replay import MemoryReplayStore, ReplayStore
from corpid.relying_party.results import (
    StatusOutcome,
    VerifiedAccessToken,
    VerifiedCredential,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedStatus,
)
from corpid.relying_party.status_source import StatusSource
from corpid.relying_party.step_up import challenge as step_up_challenge
from corpid.relying_party.tokens import TokenVerifier, as_scopes
from corpid.relying_party.translation import translating
from keys import jws
from keys.clock import Clock, system_clock
from oidc.formats.status_list import Status
from oidc.formats.status_token import MAX_TOKEN_BYTES

AnyVerified = (
    VerifiedIdToken
    | VerifiedAccessToken
    | VerifiedLogoutToken
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
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.audience = audience
        self._acr_base = (f"{issuer}/acr" if acr_base is None else acr_base).rstrip("/")
        self._clock = clock
        self._policy = policy
        get = StandardFetch() if fetch is None else fetch
        self._keys = KeySource(get, clock, policy)
        self._statuses = StatusSource(get, self._keys, clock, policy)
        self._tokens = TokenVerifier(
            issuer,
            self._keys,
            clock,
            policy,
            replay=MemoryReplayStore(clock) if replay is None else replay,
            acr_base=self._acr_base,
        )
        self._credentials = CredentialVerifier(
            frozenset({issuer, *credential_issuers}), self._keys, self._statuses, clock, policy
        )

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
        AssuranceTooLow; KeysUnavailable, MetadataInvalid.
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
        scopes: str | Iterable[str] = (),
        dpop: DpopRequest | None = None,
        certificate: bytes | str | None = None,
        require_binding: bool = False,
        min_acr: str | None = None,
        max_age: int | None = None,
    ) -> VerifiedAccessToken:
        """Verify an access token that a caller sent to a resource of this relying party.

        Pass `dpop` when the request has a DPoP header, and `certificate` (DER, or PEM as text)
        when its connection has a client certificate, which you or your proxy saw. A token that is
        bound to either is refused without it; `require_binding` refuses unbound ones too.
        `min_acr` and `max_age` as in verify_id_token; what they refuse is answered with
        `step_up_challenge`.

        Raises as verify_id_token, and ScopeMissing, DpopMissing, DpopInvalid, DpopReplayed,
        DpopKeyMismatch, CertificateMissing, CertificateMismatch, TokenNotBound.
        """
        return await self._tokens.access_token(
            token,
            audience=_given(audience, self.audience, "audience"),
            scopes=as_scopes(scopes),
            dpop=dpop,
            certificate=certificate,
            require_binding=require_binding,
            min_acr=min_acr,
            max_age=max_age,
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
        """Verify an SD-JWT VC, with the holder's proof for `audience` and `nonce`.

        Both None verifies a credential without asking who presents it: it says what the issuer
        said, and `holder_proven` is False. `types` are the acceptable `vct` values.

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
        return await self._credentials.credential(
            presentation,
            types={types} if isinstance(types, str) else types,
            challenge=challenge,
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
        try:
            value = await self._statuses.status(mandate.status, issuer or self.issuer)
        except errors.Undetermined:
            if self._policy.on_undetermined == "refuse":
                raise
            return "undetermined"
        if value == Status.INVALID:
            raise errors.MandateRevoked
        if value == Status.SUSPENDED:
            raise errors.MandateSuspended
        if value != Status.VALID:
            raise errors.CredentialStatusNotValid(f"status {value}")
        return "valid"

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

    async def verify_any(
        self,
        text: str,
        *,
        client_id: str | None = None,
        audience: str | None = None,
        nonce: str | None = None,
        types: str | Collection[str] | None = None,
    ) -> AnyVerified:
        """Find out by its `typ` what a text is and verify it as that, and only that.

        For people and tools that look at one thing at a time. Without `nonce` an ID token is not
        tied to a sign-in, nor a credential to its holder. Raises NotRecognised, and as the
        verifier of the kind; ValueError for a credential with `nonce` but no `audience`.
        """
        match recognise(text):
            case Kind.CREDENTIAL:
                bound = audience if nonce is not None else None
                return await self.verify_credential(text, audience=bound, nonce=nonce, types=types)
            case Kind.ACCESS_TOKEN:
                return await self.verify_access_token(text, audience=audience)
            case Kind.LOGOUT_TOKEN:
                return await self.verify_logout_token(text, client_id=client_id)
            case Kind.STATUS_LIST:
                return await self.verify_status_list(text)
            case Kind.ID_TOKEN:
                return await self.verify_id_token(text, client_id=client_id, nonce=nonce)


def _given(argument: str | None, default: str | None, name: str) -> str:
    value = default if argument is None else argument
    if not value:
        raise ValueError(f"{name} is needed: to RelyingParty or to the call")
    return value
