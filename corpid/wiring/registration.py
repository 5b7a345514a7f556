"""Clients that register themselves, or come with a metadata document, as the settings have it."""

from corpid.services.client_documents import DocumentRules, MetadataDocumentClients
from corpid.services.client_registration import ClientRegistrations, RegistrationRules
from corpid.services.registration_policy import RegistrationPolicy
from corpid.settings import Settings
from corpid.wiring.foundation import Foundation
from oidc.ports import Outbound
from oidc.registration_ports import ClientDocuments, ClientRegistry


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


def documents(base: Foundation, outbound: Outbound) -> ClientDocuments | None:
    """The clients whose id is the address of their metadata, or None where there are none."""
    settings = base.settings
    if not settings.client_document_hosts:
        return None
    rules = DocumentRules(
        hosts=frozenset(settings.client_document_hosts),
        policy=policy(settings),
        per_hour=settings.registration_per_hour,
        most=settings.registration_max,
    )
    return MetadataDocumentClients(
        base.store, outbound, base.hasher, base.clock, base.random, rules
    )
