"""Attestations of wallets and of their keys, as the settings have it."""

from collections.abc import Mapping
from dataclasses import replace

from corpid.errors import ConfigurationError
from corpid.services.wallet_providers import KnownAttesters
from corpid.settings import Settings
from corpid.wiring.foundation import Foundation
from oidc.attestation_status import AttestationStatuses
from oidc.issuer.configuration import CredentialConfiguration, KeyAttestationNeed
from oidc.ports import Outbound


def known_attesters(base: Foundation, outbound: Outbound) -> KnownAttesters:
    """Those that are trusted, and what they have withdrawn."""
    return KnownAttesters(base.store, AttestationStatuses(outbound, base.clock))


def needing_attestation(
    settings: Settings, configurations: Mapping[str, CredentialConfiguration]
) -> Mapping[str, CredentialConfiguration]:
    """The credential configurations, and of which of them a key must be attested.

    Raises:
        ConfigurationError: a setting names a configuration that does not exist.
    """
    named = settings.key_attestation_for
    unknown = [name for name in named if name not in configurations]
    if unknown:
        raise ConfigurationError(
            f"CORPID_KEY_ATTESTATION_FOR names {', '.join(unknown)}: there are "
            f"{', '.join(configurations)}"
        )
    if settings.key_attestation != "required":
        return configurations
    need = KeyAttestationNeed(settings.key_storage_levels, settings.user_authentication_levels)
    return {
        name: replace(one, key_attestation=need) if not named or name in named else one
        for name, one in configurations.items()
    }
