"""W3C credentials in a JWT: the same checks in the same order as of an SD-JWT VC."""

from collections.abc import Collection, Mapping
from typing import Any

from corpid.relying_party import errors
from corpid.relying_party.challenge import Challenge
from corpid.relying_party.issuer_keys import IssuerKeys
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.policy import Policy
from corpid.relying_party.representatives import representative_mandate
from corpid.relying_party.results import VerifiedCredential
from corpid.relying_party.status_check import StatusCheck
from corpid.relying_party.translation import translating
from keys import jws
from keys.clock import Clock
from keys.errors import KeysError
from keys.jws import UnverifiedJws
from oidc.formats import vc_jwt, vp_jwt
from oidc.formats.errors import FormatsError, HolderKeyMissing
from oidc.formats.vp_jwt import UnverifiedPresentation


class W3cVerifier:
    """Verifies `vc+jwt`, and the one credential in a `vp+jwt`, of trusted issuers."""

    def __init__(
        self,
        issuers: frozenset[str],
        keys: IssuerKeys,
        status: StatusCheck,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._issuers = issuers
        self._keys = keys
        self._status = status
        self._clock = clock
        self._policy = policy

    async def credential(
        self,
        text: str,
        *,
        types: Collection[str] | None,
        challenge: Challenge | None,
        check_status: bool,
        at: float | None,
    ) -> VerifiedCredential:
        """See RelyingParty.verify_credential."""
        now = self._clock() if at is None else at
        with translating():
            presentation, token = _parsed(text)
        # 1. An issuer that is trusted; its word is checked in step 2 and nothing is fetched before.
        issuer = self._issuer(token)
        # 2. Signed by that issuer's key, well formed, in force.
        keys = await self._keys.of(token.header, issuer, at)
        with translating():
            credential = vc_jwt.verify(
                token,
                keys,
                now=now,
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
            )
        # 3. The type that was asked for.
        found = [one for one in credential.types if types is None or one in types]
        if types is not None and not found:
            raise errors.CredentialTypeUnexpected
        # 4. Presented by its holder, to this verifier, for this request.
        if challenge is not None:
            self._check_holder(presentation, credential, challenge, now)
        claims = _claims(credential)
        mandates = mandates_of(claims) or representative_mandate(claims, credential.status)
        # 5. Not revoked or suspended; last, as of every credential.
        status, code = await self._status.credential(
            credential.status,
            issuer,
            wanted=check_status,
            foreign=credential.foreign_status,
            at=at,
        )
        return VerifiedCredential(
            type=found[0] if found else vc_jwt.BASE_TYPE,
            issuer=issuer,
            claims=claims,
            holder_thumbprint=None if credential.holder is None else credential.holder.thumbprint,
            holder_proven=challenge is not None,
            status=status,
            undetermined_code=code,
            valid_from=credential.valid_from,
            valid_until=credential.valid_until,
            mandates=mandates,
            format="vc+jwt",
        )

    def _issuer(self, token: UnverifiedJws) -> str:
        try:
            issuer = vc_jwt.issuer_of(vc_jwt.read_claims(token.unverified_payload))
        except (KeysError, FormatsError) as error:
            raise errors.CredentialMalformed(error.code) from error
        if issuer not in self._issuers:
            raise errors.IssuerUnexpected
        return issuer

    def _check_holder(
        self,
        presentation: UnverifiedPresentation | None,
        credential: vc_jwt.VerifiedVcJwt,
        challenge: Challenge,
        now: float,
    ) -> None:
        if presentation is None:
            raise errors.KeyBindingMissing
        try:
            if credential.holder is None:
                raise HolderKeyMissing("the credential is bound to no key")
            vp_jwt.verify_holder(
                presentation,
                credential.holder,
                audience=challenge.audience,
                nonce=challenge.nonce,
                now=now,
                algs=self._policy.algorithms,
                max_age=self._policy.key_binding_max_age,
                leeway=self._policy.leeway,
            )
        except (KeysError, FormatsError) as error:
            raise errors.KeyBindingInvalid(error.code) from error


def is_w3c(text: str) -> bool:
    """Whether a text says that it is a W3C credential or presentation in a JWT."""
    if "~" in text:
        return False
    try:
        typ = jws.parse(text, max_bytes=vp_jwt.MAX_PRESENTATION_BYTES).header.get("typ")
    except KeysError:
        return False
    return isinstance(typ, str) and typ.lower().removeprefix("application/") in (
        vc_jwt.CREDENTIAL_TYP,
        vp_jwt.PRESENTATION_TYP,
    )


def _parsed(text: str) -> tuple[UnverifiedPresentation | None, UnverifiedJws]:
    token = jws.parse(text, max_bytes=vp_jwt.MAX_PRESENTATION_BYTES)
    typ = str(token.header.get("typ", "")).lower().removeprefix("application/")
    if typ != vp_jwt.PRESENTATION_TYP:
        return None, vc_jwt.parse(text)
    presentation = vp_jwt.parse(text)
    if len(presentation.credentials) != 1:
        raise errors.CredentialMalformed("several_credentials")
    return presentation, vc_jwt.parse(presentation.credentials[0])


def _claims(credential: vc_jwt.VerifiedVcJwt) -> Mapping[str, Any]:
    """What is said of the subject; of several subjects, as the credential has them."""
    if len(credential.subjects) == 1:
        return credential.subjects[0]
    return {"credentialSubject": list(credential.subjects)}
