"""A credential configuration: a type in a format, and how a wallet asks for it."""

from dataclasses import dataclass
from typing import Final

from oidc.issuer.type_description import TypeDescription

SD_JWT_VC: Final = "dc+sd-jwt"
MDOC: Final = "mso_mdoc"
VC_JWT: Final = "vc+jwt"
"""Not ``jwt_vc_json``, which is VCDM 1.1 with a claim ``vc`` (appendix A.1.1): docs/adr/0012."""


@dataclass(frozen=True, slots=True)
class KeyAttestationNeed:
    """How well a holder's key must be kept (OpenID4VCI 1.0, 12.2.4): by one of these levels each.

    Where a tuple is empty, every level will do; attested it must be.
    """

    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()

    def document(self) -> dict[str, list[str]]:
        """``key_attestations_required`` of the metadata."""
        members = {
            "key_storage": list(self.key_storage),
            "user_authentication": list(self.user_authentication),
        }
        return {name: levels for name, levels in members.items() if levels}


@dataclass(frozen=True, slots=True)
class CredentialConfiguration:
    """One entry of ``credential_configurations_supported`` (OpenID4VCI 1.0, 12.2.4).

    ``format`` names the encoder. ``key_attestation`` is None where a key need not be attested.
    """

    description: TypeDescription
    configuration_id: str
    scope: str
    format: str = SD_JWT_VC
    binding_methods: tuple[str, ...] = ("jwk",)
    key_attestation: KeyAttestationNeed | None = None
