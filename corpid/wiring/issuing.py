"""The credential issuer on its foundation: for the service, and for operators' commands."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from corpid.domain.languages import negotiate
from corpid.services import credential_catalogue
from corpid.services.credentials import CredentialIssuance
from corpid.services.deferrals import ApprovalPolicy
from corpid.services.operator_issuance import OFFER_LIFETIME, OperatorIssuance
from corpid.services.step_up import StepUp
from corpid.settings import Settings
from corpid.wiring.attestation import known_attesters
from corpid.wiring.credential_formats import WorkingConfigurations, encoders
from corpid.wiring.foundation import Foundation
from corpid.wiring.outbound import outbound
from oidc.attesters import Attesters
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.context import Issuer, IssuerConfig
from oidc.issuer.encryption import EncryptionPolicy
from oidc.mutual_tls import MutualTls
from oidc.secrets import Nonces

DPOP_NONCE_SECONDS: Final = 300
CREDENTIAL_NONCE_SECONDS: Final = 300
OPERATOR_NONCE_SECONDS: Final = 7 * 24 * 3600
"""For proofs that are collected into a file: none of the endpoint's nonces lives so long."""
ISSUER_NAMES: Final = {"en": "Corp ID", "zh-Hant": "企業身份", "zh-Hans": "企业身份"}


def credential_issuance(base: Foundation) -> CredentialIssuance:
    """Who may have which credential, and its record."""
    settings = base.settings
    return CredentialIssuance(
        base.store,
        base.allocator,
        base.offers,
        base.clock,
        base.random,
        settings.status_url,
        StepUp(settings.acr_url),
        haip=settings.haip == "required",
        approval=ApprovalPolicy(frozenset(settings.credential_approval)),
        most_live=settings.credential_live_max,
    )


def credential_issuer(
    base: Foundation,
    issuance: CredentialIssuance,
    configurations: Mapping[str, CredentialConfiguration],
    attesters: Attesters,
    certificates: MutualTls | None = None,
) -> Issuer:
    """The issuer over its port; ``certificates`` reads those of clients, where any come."""
    settings = base.settings
    config = IssuerConfig(
        issuer=settings.issuer,
        configurations=configurations,
        earlier=credential_catalogue.earlier(settings.vct_url),
        names=ISSUER_NAMES,
        choose_language=lambda header: negotiate(None, header),
        dpop_nonce_required=settings.dpop_nonce == "required",
        mutual_tls=certificates,
        batch_size=settings.credential_batch_size,
        encryption=_encryption(settings),
        haip=settings.haip == "required",
        deferred=bool(settings.credential_approval),
    )
    return Issuer(
        config=config,
        store=issuance,
        keys=base.rings,
        encoders=encoders(base),
        clock=base.clock,
        random=base.random,
        hasher=base.hasher,
        dpop_nonces=Nonces(base.secrets["dpop-nonce"], DPOP_NONCE_SECONDS),
        credential_nonces=Nonces(base.secrets["credential-nonce"], CREDENTIAL_NONCE_SECONDS),
        attesters=None if settings.key_attestation == "off" else attesters,
    )


def operator_nonces(base: Foundation) -> Nonces:
    """The nonces for proofs that operators take in; no nonce of the endpoint passes for one."""
    key = hashlib.sha256(b"operator" + base.secrets["credential-nonce"]).digest()
    return Nonces(key, OPERATOR_NONCE_SECONDS)


def operator_issuance(
    base: Foundation, actor: str, reason: str, offer_lifetime: int = OFFER_LIFETIME
) -> OperatorIssuance:
    """Issuing by command: the service's own issuer, with the nonces that operators give out."""
    issuance = credential_issuance(base)
    attesters = known_attesters(base, outbound(base.settings))
    issuer = credential_issuer(base, issuance, WorkingConfigurations(base), attesters)
    return OperatorIssuance(
        base.store,
        issuance,
        replace(issuer, credential_nonces=operator_nonces(base)),
        base.offers,
        actor=actor,
        reason=reason,
        offer_lifetime=offer_lifetime,
    )


def _encryption(settings: Settings) -> EncryptionPolicy | None:
    if settings.credential_encryption == "off":
        return None
    required = settings.credential_encryption == "required"
    return EncryptionPolicy(required, required)
