"""The encoder of W3C credentials in a JWT (VCDM 2.0, VC-JOSE-COSE), not using JSON-LD."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from keys.jwk import PublicKey
from keys.signer import Signer
from oidc.formats import vc_jwt
from oidc.formats.status_reference import status_reference
from oidc.issuer.configuration import VC_JWT
from oidc.issuer.encoders import Encoded
from oidc.issuer.ports import Issuance
from oidc.issuer.type_description import ClaimPath, TypeDescription


class VcJwtEncoder:
    """``issuer`` is the Credential Issuer Identifier, which becomes ``issuer`` and ``iss``.

    Nothing in such a credential can be withheld.
    """

    format: Final = VC_JWT
    purpose: Final = "credentials"
    alg: Final = "ES256"

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def metadata(self, description: TypeDescription) -> Mapping[str, Any]:
        """See ``Encoder.metadata``: as for ``jwt_vc_json`` (A.1.1.2)."""
        return {
            "credential_definition": {"type": [vc_jwt.BASE_TYPE, description.w3c_type]},
            "credential_signing_alg_values_supported": [self.alg],
        }

    def path(self, description: TypeDescription, path: ClaimPath) -> Sequence[str | int | None]:
        """See ``Encoder.path``: from the root of the credential."""
        return ("credentialSubject", *path)

    async def encode(
        self,
        signer: Signer,
        description: TypeDescription,
        issuance: Issuance,
        holder: PublicKey,
        now: float,
    ) -> Encoded:
        """See ``Encoder.encode``."""
        credential = await vc_jwt.issue(
            signer,
            issuance.claims,
            issuer=self._issuer,
            types=[description.w3c_type],
            issued_at=int(now),
            valid_until=issuance.expires_at,
            # Only what makes the key: kid, alg and the rest would tell wallets apart.
            holder_jwk=holder.members,
            status=status_reference({"status": issuance.status}),
        )
        return Encoded(credential, hashlib.sha256(credential.encode()).digest(), signer.kid)
