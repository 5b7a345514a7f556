"""The encoder of SD-JWT VCs (OpenID4VCI 1.0, A.3; draft-ietf-oauth-sd-jwt-vc)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from keys.clock import Random
from keys.jwk import PublicKey
from keys.signer import Signer
from oidc.formats.sd_jwt import issue
from oidc.issuer.configuration import SD_JWT_VC
from oidc.issuer.encoders import Encoded
from oidc.issuer.ports import Issuance
from oidc.issuer.type_description import ClaimPath, TypeDescription


class SdJwtVcEncoder:
    """``issuer`` is the Credential Issuer Identifier, which becomes ``iss``."""

    format: Final = SD_JWT_VC
    purpose: Final = "credentials"
    alg: Final = "ES256"

    def __init__(self, issuer: str, random: Random) -> None:
        self._issuer = issuer
        self._random = random

    def metadata(self, description: TypeDescription) -> Mapping[str, Any]:
        """See ``Encoder.metadata``."""
        return {
            "vct": description.vct,
            "credential_signing_alg_values_supported": [self.alg],
        }

    def path(self, description: TypeDescription, path: ClaimPath) -> ClaimPath:
        """See ``Encoder.path``."""
        return path

    async def encode(
        self,
        signer: Signer,
        description: TypeDescription,
        issuance: Issuance,
        holder: PublicKey,
        now: float,
    ) -> Encoded:
        """See ``Encoder.encode``."""
        claims = {
            "iss": self._issuer,
            "iat": int(now),
            "exp": issuance.expires_at,
            "vct": description.vct,
            **issuance.claims,
            "status": issuance.status,
        }
        credential = await issue(
            signer,
            claims,
            description.frame,
            # Only what makes the key: kid, alg and the rest would tell wallets apart.
            holder_jwk=holder.members,
            random=self._random,
            header={"x5c": list(signer.x5c)} if signer.x5c else None,
            decoys=description.decoys,
        )
        signed = credential.partition("~")[0]
        return Encoded(credential, hashlib.sha256(signed.encode()).digest(), signer.kid)
