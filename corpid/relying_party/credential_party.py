"""What a relying party does with credentials, mandates and status lists."""

from collections.abc import Collection

from corpid.relying_party.challenge import Challenge
from corpid.relying_party.mandates import Mandate
from corpid.relying_party.parts import Parts
from corpid.relying_party.results import StatusOutcome, VerifiedCredential, VerifiedStatus
from corpid.relying_party.translation import translating
from corpid.relying_party.w3c_credentials import is_w3c
from keys import jws
from oidc.formats.status_token import MAX_TOKEN_BYTES


class CredentialParty(Parts):
    """The methods of RelyingParty for credentials."""

    async def verify_credential(
        self,
        presentation: str,
        *,
        audience: str | None,
        nonce: str | None,
        types: str | Collection[str] | None = None,
        check_status: bool = True,
        at: float | None = None,
    ) -> VerifiedCredential:
        """Verify an SD-JWT VC or a W3C credential in a JWT, with the holder's proof (key binding
        JWT, `vp+jwt`) for `audience` and `nonce`.

        Both None verifies a credential without asking who presents it: it says what the issuer
        said, and `holder_proven` is False. `types` are the acceptable `vct` values or W3C types.

        `at` is an instant of the past (epoch seconds), such as when the presentation was received:
        credential, certificates, holder's proof and status are judged as of then, by the status
        list that the issuer says was in force. Which keys the issuer has is asked now.

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
            at=self._past(at),
        )

    async def verify_mdoc(
        self,
        document: bytes | str,
        *,
        session_transcript: bytes | None,
        types: str | Collection[str] | None = None,
        check_status: bool = True,
        at: float | None = None,
    ) -> VerifiedCredential:
        """Verify an mdoc whose IACA root is among `trust_anchors`: a DeviceResponse with one
        document, or an IssuerSigned; bytes, or text in base64url.

        `session_transcript` is the encoded one of your session (`openid4vp_transcript`,
        `dc_api_transcript`), which the device must have signed; None does not ask who shows it.
        `at` as in verify_credential.

        Raises as verify_credential, and CertificateChainInvalid.
        """
        return await self._mdocs.verify(
            document,
            session_transcript=session_transcript,
            types={types} if isinstance(types, str) else types,
            check_status=check_status,
            at=self._past(at),
        )

    async def check_mandate(
        self, mandate: Mandate, *, issuer: str | None = None, at: float | None = None
    ) -> StatusOutcome:
        """Ask whether a mandate, verified earlier, still stands, or stood `at` an instant of the
        past (epoch seconds).

        `issuer` is that of the credential it came in, by default this relying party's issuer.
        Returns `none` for a mandate without a status entry. Raises MandateRevoked,
        MandateSuspended, CredentialStatusNotValid, StatusIndexOutOfRange, and the Undetermined
        errors if the policy refuses.
        """
        if mandate.status is None:
            return "none"
        return await self._status.mandate(mandate.status, issuer or self.issuer, self._past(at))

    async def verify_status_list(self, token: str | bytes) -> VerifiedStatus:
        """Verify a status list token of the issuer, taken by its own word for which list it is.

        Text is a JWT, bytes may be a CWT as well.

        Raises TokenMalformed, ClaimInvalid; StatusExpired, StatusTokenInvalid, KeysUnavailable,
        MetadataInvalid.
        """
        if isinstance(token, str):
            with translating():
                jws.parse(token, max_bytes=MAX_TOKEN_BYTES)
            token = token.encode("ascii")
        found = await self._status_tokens.verify(token, None, self.issuer)
        statuses = found.statuses
        return VerifiedStatus(
            self.issuer, found.uri, statuses.bits, statuses.size, found.issued_at, found.expires_at
        )

    def _past(self, at: float | None) -> float | None:
        if at is not None and at > self._clock():
            raise ValueError("at lies in the future: nobody knows what will be")
        return at
