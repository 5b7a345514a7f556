"""The encoder of mdocs (OpenID4VCI 1.0, A.2; ISO/IEC 18013-5)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from keys import base64url
from keys.certificates import read_chain
from keys.clock import Random
from keys.jwk import PublicKey
from keys.signer import Signer
from oidc.errors import TemporarilyUnavailable
from oidc.formats import cose
from oidc.formats.mdoc import Validity, issue
from oidc.issuer.configuration import MDOC
from oidc.issuer.encoders import Encoded
from oidc.issuer.ports import Issuance
from oidc.issuer.type_description import ClaimPath, TypeDescription

AUTHORITY: Final = "authority"
"""The one element that holds all that says how far an authority goes.

A holder may withhold any element of an mdoc. What narrows an authority must not be withheld alone,
so it stands in one element with what it narrows.
"""


class MdocEncoder:
    """Signs with a document signer's key, which has a certificate under an IACA root."""

    format: Final = MDOC
    purpose: Final = "mdoc"
    alg: Final = "ES256"

    def __init__(self, random: Random) -> None:
        self._random = random

    def metadata(self, description: TypeDescription) -> Mapping[str, Any]:
        """See ``Encoder.metadata``. The algorithm by both of its numbers (A.2.2, RFC 9864)."""
        return {
            "doctype": description.doctype,
            "credential_signing_alg_values_supported": [
                cose.algorithm_id(self.alg),
                cose.fully_specified_id(self.alg),
            ],
        }

    def path(self, description: TypeDescription, path: ClaimPath) -> Sequence[str | int | None]:
        """See ``Encoder.path``: namespace and element first (appendix C.2)."""
        inside = (AUTHORITY,) if path[0] in _undivided(description) else ()
        return (description.namespace, *inside, *path)

    async def encode(
        self,
        signer: Signer,
        description: TypeDescription,
        issuance: Issuance,
        holder: PublicKey,
        now: float,
    ) -> Encoded:
        """See ``Encoder.encode``. It is dated within the life of the certificate, as verifiers
        demand (ISO/IEC 18013-5, 9.3.1).

        Raises:
            TemporarilyUnavailable: the signing key has no certificate that is in force.
        """
        certified_from, certified_until = _certified(signer)
        signed_at = max(int(now), certified_from)
        valid_until = min(issuance.expires_at, certified_until)
        if valid_until <= signed_at:
            raise TemporarilyUnavailable("mdocs cannot be signed just now")
        mdoc = await issue(
            signer,
            {description.namespace: _elements(description, issuance.claims)},
            doc_type=description.doctype,
            device_jwk=holder.jwk,
            validity=Validity(signed_at, signed_at, valid_until),
            random=self._random,
            status=issuance.status,
        )
        digest = hashlib.sha256(mdoc.security_object).digest()
        return Encoded(base64url.encode(mdoc.issuer_signed), digest, signer.kid)


def _undivided(description: TypeDescription) -> frozenset[str | int | None]:
    """The claims that stand in one element: all that cannot be withheld, where any narrows."""
    if not any(claim.narrows for claim in description.claims):
        return frozenset()
    return frozenset(
        claim.path[0]
        for claim in description.claims
        if len(claim.path) == 1 and not claim.disclosable
    )


def _elements(description: TypeDescription, claims: Mapping[str, Any]) -> dict[str, Any]:
    undivided = _undivided(description)
    elements = {name: value for name, value in claims.items() if name not in undivided}
    if undivided:
        elements[AUTHORITY] = {name: value for name, value in claims.items() if name in undivided}
    return elements


def _certified(signer: Signer) -> tuple[int, int]:
    """The first and the last second of the certificate; 0 and 0 when there is none."""
    if not signer.x5c:
        return 0, 0
    certificate = read_chain(signer.x5c[:1])[0]
    return (
        int(certificate.not_valid_before_utc.timestamp()),
        int(certificate.not_valid_after_utc.timestamp()),
    )
