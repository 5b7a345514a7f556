"""HAIP 1.0 at this issuer: what is known of it, and whether it may start."""

from corpid.errors import ConfigurationError
from corpid.services import credential_catalogue
from corpid.services.haip import IssuerFacts, check_issuer, unmet
from corpid.wiring.foundation import Foundation
from keys.errors import NoSigningKey
from oidc.attesters import WALLETS


async def issuer_facts(base: Foundation) -> IssuerFacts:
    """What the report on the issuer is about."""
    settings = base.settings
    trusted = await base.store.read.wallet_providers.trusted()
    return IssuerFacts(
        wallet_attestation=settings.wallet_attestation != "off",
        key_attestation=settings.key_attestation != "off",
        required=settings.haip == "required",
        wallet_providers_with_anchors=sum(
            bool(one.certificates) and WALLETS in one.attests for one in trusted
        ),
        signing_chains={purpose: _chain(base, purpose) for purpose in ("credentials", "status")},
        scopes={
            name: one.scope
            for name, one in credential_catalogue.configurations(settings.vct_url).items()
        },
    )


async def require(base: Foundation) -> None:
    """Refuse to start where HAIP is required and the issuer does not meet it.

    Raises:
        ConfigurationError: with every rule that is not met.
    """
    if base.settings.haip != "required":
        return
    failures = unmet(check_issuer(await issuer_facts(base)))
    if failures:
        said = "; ".join(f"{one.section} {one.rule}: {one.says}" for one in failures)
        raise ConfigurationError(
            f"CORPID_HAIP=required is not met: {said}. `corpid config haip` says what to do"
        )


def _chain(base: Foundation, purpose: str) -> tuple[str, ...]:
    try:
        return base.rings.signer(purpose, "ES256").x5c
    except NoSigningKey:
        return ()
