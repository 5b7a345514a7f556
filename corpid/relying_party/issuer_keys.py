"""The keys that may have signed a credential: certified ones that came along, or published ones."""

from collections.abc import Mapping
from typing import Any

from corpid.relying_party import errors
from corpid.relying_party.key_source import KeySource
from corpid.relying_party.policy import Policy
from corpid.relying_party.trust import Trust
from keys.jwk import JwkSet, PublicKey


class IssuerKeys:
    """Finds an issuer's keys for a JOSE header. The issuer is trusted already."""

    def __init__(self, keys: KeySource, trust: Trust, policy: Policy) -> None:
        self._keys = keys
        self._trust = trust
        self._policy = policy

    async def of(
        self, header: Mapping[str, Any], issuer: str, at: float | None
    ) -> JwkSet | PublicKey:
        """Return the key of the chain that came along, which held `at` that instant (None: now),
        else those that the issuer publishes.

        A chain that does not hold is no reason to look elsewhere.

        Raises CertificateChainInvalid; KeysUnavailable, MetadataInvalid.
        """
        if self._trust.comes_with(header):
            return self._trust.key(header, issuer, at=at)
        if self._policy.require_certificates:
            raise errors.CertificateChainInvalid("missing")
        return await self._keys.keys("credentials", issuer, header.get("kid"))
