"""What one issuer signed: opened if encrypted, verified, checked by its registered claims.

Every reader of this package begins here; what is particular to a kind of message is its own.
"""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from corpid.relying_party import errors
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.policy import Policy
from corpid.relying_party.translation import translating
from keys import jws, jwt
from keys.clock import Clock
from keys.errors import UnknownKey
from keys.jwe_decrypt import DecryptionKey, decrypt, is_encrypted

Message = Literal["id_token", "userinfo", "authorization_response", "introspection", "logout_token"]
"""What may come encrypted. An access token never does: it is for the resource, not for us."""

ISSUED: tuple[str, ...] = ("exp", "iat")


class SignedReader:
    """Reads what the issuer signed with its token keys for one audience."""

    def __init__(
        self,
        issuer: str,
        keys: KeySource,
        clock: Clock,
        policy: Policy,
        decryption_keys: Iterable[DecryptionKey] = (),
    ) -> None:
        unknown = policy.require_encryption.difference(get_args(Message))
        if unknown:  # a slip of the pen would otherwise require nothing
            raise ValueError(f"require_encryption: there is no {', '.join(sorted(unknown))}")
        self.issuer = issuer
        self.policy = policy
        self._keys = keys
        self._clock = clock
        self._decryption_keys = tuple(decryption_keys)

    def now(self) -> float:
        """Return the time, in epoch seconds."""
        return self._clock()

    def opened(self, text: str) -> str:
        """Return the signed token inside an encrypted one, and any other text as it is.

        Raises DecryptionFailed, TokenMalformed, TokenTypeWrong, AlgorithmRefused.
        """
        if not is_encrypted(text):
            return text
        with translating():
            try:
                return decrypt(text, self._decryption_keys)
            except UnknownKey as error:  # one of ours, not the issuer's
                raise errors.DecryptionFailed(str(error)) from error

    async def message(
        self,
        message: Message,
        text: str,
        *,
        typ: str | None,
        audience: str,
        require: tuple[str, ...] = ISSUED,
    ) -> dict[str, Any]:
        """Return the claims of a message that may come encrypted; it must, if the policy says so.

        Raises as `opened` and `claims`, and NotEncrypted.
        """
        signed = self.opened(text)
        if signed is text and message in self.policy.require_encryption:
            raise errors.NotEncrypted
        return await self.claims(signed, typ=typ, audience=audience, require=require)

    async def claims(
        self, token: str, *, typ: str | None, audience: str, require: tuple[str, ...] = ISSUED
    ) -> dict[str, Any]:
        """Return the claims of a signed token of this type, in force, for this audience.

        `require` are the registered claims that must be there. Raises TokenMalformed,
        TokenTypeWrong, AlgorithmRefused, KeyUnknown, SignatureInvalid, IssuerUnexpected,
        AudienceUnexpected, TokenExpired, TokenNotYetValid, ClaimInvalid; KeysUnavailable,
        MetadataInvalid.
        """
        with translating():
            parsed = jws.parse(token)
            keys = await self._keys.keys("tokens", self.issuer, parsed.header.get("kid"))
            signed = jws.verify(parsed, keys, algs=self.policy.algorithms, typ=typ)
            claims = jwt.parse_claims(signed.payload)
            lives = "exp" in claims
            jwt.check_claims(
                claims,
                issuer=self.issuer,
                audience=audience,
                now=self._clock(),
                leeway=self.policy.leeway,
                require=require,
                max_lifetime=self.policy.max_token_lifetime if lives else None,
            )
        return claims

    def require_fresh(self, claims: dict[str, Any]) -> None:
        """Refuse an answer that has no end of its own and was made longer ago than the policy says.

        Raises AnswerTooOld.
        """
        if claims["iat"] + self.policy.answer_max_age + self.policy.leeway < self._clock():
            raise errors.AnswerTooOld
