"""Status list tokens, as JWT and as CWT, under the keys of their issuer."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from corpid.relying_party.errors import (
    CertificateChainInvalid,
    ClaimInvalid,
    StatusExpired,
    StatusTokenInvalid,
    Undetermined,
)
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.policy import Policy
from corpid.relying_party.trust import Trust
from keys import jws
from keys.certificates import STATUS_SIGNING
from keys.clock import Clock
from keys.errors import KeysError
from keys.jwk import JwkSet, PublicKey
from oidc.formats import errors as format_errors
from oidc.formats.status_cwt import CWT_TYP, is_cwt, jose_header, parse_cwt, verify_cwt
from oidc.formats.status_token import (
    MAX_TOKEN_BYTES,
    STATUS_TYP,
    VerifiedStatusList,
    verify_token,
)

_MEDIA_TYPES: Final = {"jwt": f"application/{STATUS_TYP}", "cwt": CWT_TYP}


def accept(policy: Policy) -> str:
    """Return the `Accept` header of a request for a list: what comes first is wanted most."""
    return ", ".join(
        _MEDIA_TYPES[one] if at == 0 else f"{_MEDIA_TYPES[one]};q={round(1 - at / 10, 1)}"
        for at, one in enumerate(policy.status_formats)
    )


class StatusTokens:
    """Verifies them. What a token is, its signed type says, not the answer that it came in."""

    def __init__(self, keys: KeySource, trust: Trust, clock: Clock, policy: Policy) -> None:
        self._keys = keys
        self._trust = trust
        self._clock = clock
        self._policy = policy

    async def verify(
        self, token: bytes, uri: str | None, issuer: str, *, at: int | None = None
    ) -> VerifiedStatusList:
        """Verify a token that claims to be the list at `uri`, None for any list.

        `at` is the instant of the past (epoch seconds) that it must speak of (Token Status List,
        8.4: from iat to exp, and no leeway), by default now. Who signs lists is judged now: it is
        now that they are served.

        Raises StatusExpired, StatusTokenInvalid, KeysUnavailable or MetadataInvalid, and
        ClaimInvalid for a token that does not say which list it is.
        """
        try:
            return await self._verified(token, uri, issuer, at)
        except format_errors.StatusTokenExpired as error:
            raise StatusExpired from error
        except CertificateChainInvalid as error:
            raise StatusTokenInvalid(f"{error.code}: {error.detail}") from error
        except UnicodeDecodeError as error:
            raise StatusTokenInvalid("not text") from error
        except format_errors.StatusSubjectMismatch as error:
            if uri is None:
                raise ClaimInvalid("sub") from error
            raise StatusTokenInvalid(error.code) from error
        except (KeysError, format_errors.FormatsError) as error:
            raise StatusTokenInvalid(error.code) from error

    async def _verified(
        self, token: bytes, uri: str | None, issuer: str, at: int | None
    ) -> VerifiedStatusList:
        form: Literal["jwt", "cwt"] = "cwt" if is_cwt(token) else "jwt"
        if form not in self._policy.status_formats:
            raise StatusTokenInvalid(f"not wanted as {form}")
        algs, leeway = self._policy.algorithms, self._policy.leeway if at is None else 0
        now = self._clock() if at is None else at
        if form == "cwt":
            header = jose_header(parse_cwt(token))
            keys = await self._signing_keys(header, issuer)
            return verify_cwt(token, keys, uri=uri, now=now, algs=algs, leeway=leeway)
        compact = token.decode("ascii").strip()
        header = jws.parse(compact, max_bytes=MAX_TOKEN_BYTES).header
        keys = await self._signing_keys(header, issuer)
        return verify_token(compact, keys, uri=uri, now=now, algs=algs, leeway=leeway)

    async def _signing_keys(self, header: Mapping[str, Any], issuer: str) -> JwkSet | PublicKey:
        """Return the issuer's keys that may have signed: its credentials' ones, else its tokens'.

        An issuer may publish its status keys in either place; both are documents of its own. A
        certificate must be one for signing status lists (Token Status List, 10).
        """
        if self._trust.comes_with(header):
            return self._trust.key(header, issuer, usage=STATUS_SIGNING)
        if self._policy.require_certificates:
            raise CertificateChainInvalid("missing")
        kid = header.get("kid")
        try:
            keys = await self._keys.keys("credentials", issuer, kid)
            if not isinstance(kid, str) or keys.has_kid(kid):
                return keys
        except Undetermined:
            pass  # an issuer without credentials has only the other document
        return await self._keys.keys("tokens", issuer, kid)
