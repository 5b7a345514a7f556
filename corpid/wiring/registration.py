"""Registration by clients themselves, as the settings have it."""

from corpid.services.client_registration import ClientRegistrations, RegistrationRules
from corpid.services.registration_policy import RegistrationPolicy
from corpid.settings import Settings
from corpid.wiring.foundation import Foundation
from oidc.ports import Outbound
from oidc.registration_ports import ClientRegistry


def policy(settings: Settings) -> RegistrationPolicy:
    """What a self-registered client may have."""
    return RegistrationPolicy(
        settings.registration_profiles,
        settings.registration_scopes,
        settings.registration_grant_types,
    )


def registry(base: Foundation, outbound: Outbound) -> ClientRegistry | None:
    """The registry, or None where registration is off."""
    settings = base.settings
    if settings.registration == "off":
        return None
    rules = RegistrationRules(
        open=settings.registration == "open",
        policy=policy(settings),
        per_hour=settings.registration_per_hour,
        most=settings.registration_max,
    )
    return ClientRegistrations(base.store, outbound, base.hasher, base.clock, base.random, rules)
