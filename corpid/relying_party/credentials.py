"""Credentials: signature, holder, type, and only then status."""

from collections.abc import Collection

from corpid.relying_party import errors
from corpid.relying_party.challenge import Challenge
from corpid.relying_party.issuer_keys import IssuerKeys
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.policy import Policy
from corpid.relying_party.representatives import representative_mandate
from corpid.relying_party.results import VerifiedCredential
from corpid.relying_party.status_check import StatusCheck
from corpid.relying_party.translation import translating
from corpid.relying_party.trust import Trust
from keys.clock import Clock
from keys.errors import KeysError
from oidc.formats import sd_jwt
from oidc.formats.errors import FormatsError, HolderKeyMissing, KeyBindingMissing

# A mandate without its limit, end or services would count for more than was given.
_WHOLE = frozenset({"mandate"})


class CredentialVerifier:
    """Verifies SD-JWT VC presentations of trusted issuers."""

    def __init__(
        self,
        issuers: frozenset[str],
        keys: IssuerKeys,
        trust: Trust,
        status: StatusCheck,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._issuers = issuers
        self._keys = keys
        self._trust = trust
        self._status = status
        self._clock = clock
        self._policy = policy

    async def credential(
        self,
        presentation: str,
        *,
        types: Collection[str] | None,
        challenge: Challenge | None,
        check_status: bool,
        at: float | None,
    ) -> VerifiedCredential:
        """See RelyingParty.verify_credential."""
        now = self._clock() if at is None else at
        with translating():
            token = sd_jwt.parse(presentation)
        # 1. An issuer that is trusted; its word is checked in step 2 and nothing is fetched before.
        issuer = self._issuer(token, at)
        # 2. Signed by that issuer's key, well formed, in force, complete, nothing added.
        keys = await self._keys.of(token.jwt.header, issuer, at)
        with translating():
            credential = sd_jwt.verify_credential(
                token,
                keys,
                now=now,
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
                whole=_WHOLE,
            )
        # 3. The type that was asked for.
        if types is not None and credential.vct not in types:
            raise errors.CredentialTypeUnexpected
        # 4. Presented by its holder, to this verifier, for this request.
        if challenge is not None:
            self._check_holder(token, credential, challenge, now)
        mandates = mandates_of(credential.claims) or representative_mandate(
            credential.claims, credential.status
        )
        # 5. Not revoked or suspended. Last: for an invalid credential no list is ever fetched,
        #    since that would tell the issuer of it, and let strangers direct our requests.
        status, code = await self._status.credential(
            credential.status, issuer, wanted=check_status, at=at
        )
        return VerifiedCredential(
            type=credential.vct,
            issuer=issuer,
            claims=credential.claims,
            holder_thumbprint=None if credential.holder is None else credential.holder.thumbprint,
            holder_proven=challenge is not None,
            status=status,
            undetermined_code=code,
            valid_from=credential.not_before,
            valid_until=credential.expires_at,
            mandates=mandates,
        )

    def _issuer(self, token: sd_jwt.UnverifiedSdJwt, at: float | None) -> str:
        issuer = token.unverified_payload.get("iss")
        header = token.jwt.header
        if issuer is None and self._trust.comes_with(header):  # then the certificate says it
            issuer = self._trust.issuer(header, self._issuers, at)
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise errors.IssuerUnexpected
        return issuer

    def _check_holder(
        self,
        token: sd_jwt.UnverifiedSdJwt,
        credential: sd_jwt.VerifiedSdJwtVc,
        challenge: Challenge,
        now: float,
    ) -> None:
        try:
            if credential.holder is None:
                raise HolderKeyMissing("the credential is bound to no key")
            sd_jwt.verify_key_binding(
                token,
                credential.holder,
                audience=challenge.audience,
                nonce=challenge.nonce,
                now=now,
                algs=self._policy.algorithms,
                max_age=self._policy.key_binding_max_age,
                leeway=self._policy.leeway,
            )
        except KeyBindingMissing as error:
            raise errors.KeyBindingMissing from error
        except (KeysError, FormatsError) as error:
            raise errors.KeyBindingInvalid(error.code) from error
