"""Credentials: signature, holder, type, and only then status."""

from collections.abc import Collection
from dataclasses import dataclass

from corpid.relying_party import errors
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.mandates import mandates_of
from corpid.relying_party.policy import Policy
from corpid.relying_party.representatives import representative_mandate
from corpid.relying_party.results import StatusOutcome, VerifiedCredential
from corpid.relying_party.status_source import StatusSource
from corpid.relying_party.translation import translating
from corpid.relying_party.trust import Trust
from keys.clock import Clock
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey
from oidc.formats import sd_jwt
from oidc.formats.errors import FormatsError, HolderKeyMissing, KeyBindingMissing
from oidc.formats.status_list import Status
from oidc.formats.status_reference import StatusReference

# A mandate without its limit, end or services would count for more than was given.
_WHOLE = frozenset({"mandate"})


@dataclass(frozen=True, slots=True)
class Challenge:
    """What this verifier asked for: the holder's proof must name both.

    `audience` is the whole client identifier, with its prefix.
    """

    audience: str
    nonce: str


class CredentialVerifier:
    """Verifies SD-JWT VC presentations of trusted issuers."""

    def __init__(
        self,
        issuers: frozenset[str],
        keys: KeySource,
        trust: Trust,
        statuses: StatusSource,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._issuers = issuers
        self._keys = keys
        self._trust = trust
        self._statuses = statuses
        self._clock = clock
        self._policy = policy

    async def credential(
        self,
        presentation: str,
        *,
        types: Collection[str] | None,
        challenge: Challenge | None,
        check_status: bool,
    ) -> VerifiedCredential:
        """See RelyingParty.verify_credential."""
        with translating():
            token = sd_jwt.parse(presentation)
        # 1. An issuer that is trusted; its word is checked in step 2 and nothing is fetched before.
        issuer = self._issuer(token)
        # 2. Signed by that issuer's key, well formed, in force, complete, nothing added.
        keys = await self._signing_keys(token, issuer)
        with translating():
            credential = sd_jwt.verify_credential(
                token,
                keys,
                now=self._clock(),
                algs=self._policy.algorithms,
                leeway=self._policy.leeway,
                whole=_WHOLE,
            )
        # 3. The type that was asked for.
        if types is not None and credential.vct not in types:
            raise errors.CredentialTypeUnexpected
        # 4. Presented by its holder, to this verifier, for this request.
        if challenge is not None:
            self._check_holder(token, credential, challenge)
        mandates = mandates_of(credential.claims) or representative_mandate(
            credential.claims, credential.status
        )
        # 5. Not revoked or suspended. Last: for an invalid credential no list is ever fetched,
        #    since that would tell the issuer of it, and let strangers direct our requests.
        status, code = await self._status(credential.status, issuer, check_status)
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

    def _issuer(self, token: sd_jwt.UnverifiedSdJwt) -> str:
        issuer = token.unverified_payload.get("iss")
        header = token.jwt.header
        if issuer is None and self._trust.comes_with(header):  # then the certificate says it
            issuer = self._trust.issuer(header, self._issuers)
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise errors.IssuerUnexpected
        return issuer

    async def _signing_keys(self, token: sd_jwt.UnverifiedSdJwt, issuer: str) -> JwkSet | PublicKey:
        """The key of the chain that came along, else those that the issuer publishes.

        A chain that does not hold is no reason to look elsewhere.
        """
        header = token.jwt.header
        if self._trust.comes_with(header):
            return self._trust.key(header, issuer)
        if self._policy.require_certificates:
            raise errors.CertificateChainInvalid("missing")
        return await self._keys.keys("credentials", issuer, header.get("kid"))

    def _check_holder(
        self,
        token: sd_jwt.UnverifiedSdJwt,
        credential: sd_jwt.VerifiedSdJwtVc,
        challenge: Challenge,
    ) -> None:
        try:
            if credential.holder is None:
                raise HolderKeyMissing("the credential is bound to no key")
            sd_jwt.verify_key_binding(
                token,
                credential.holder,
                audience=challenge.audience,
                nonce=challenge.nonce,
                now=self._clock(),
                algs=self._policy.algorithms,
                max_age=self._policy.key_binding_max_age,
                leeway=self._policy.leeway,
            )
        except KeyBindingMissing as error:
            raise errors.KeyBindingMissing from error
        except (KeysError, FormatsError) as error:
            raise errors.KeyBindingInvalid(error.code) from error

    async def _status(
        self, reference: StatusReference | None, issuer: str, wanted: bool
    ) -> tuple[StatusOutcome, str | None]:
        if not wanted:
            return "unchecked", None
        if reference is None:
            if self._policy.require_status:
                raise errors.CredentialStatusMissing
            return "none", None
        try:
            value = await self._statuses.status(reference, issuer)
        except errors.Undetermined as error:
            if self._policy.on_undetermined == "refuse":
                raise
            return "undetermined", error.code
        if value == Status.INVALID:
            raise errors.CredentialRevoked
        if value == Status.SUSPENDED:
            raise errors.CredentialSuspended
        if value != Status.VALID:
            raise errors.CredentialStatusNotValid(f"status {value}")
        return "valid", None
