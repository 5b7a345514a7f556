"""What a wallet registers: who attests it, and what the profile `haip` asks of it besides."""

from typing import Final, Protocol

from corpid.domain.errors import InvalidValue
from corpid.services.client_tls import Tls
from corpid.services.wallet_provider_ports import PROVIDER_ID
from oidc.attesters import METHODS
from oidc.profiles import Profile

_CODE: Final = "authorization_code"


class Wanted(Protocol):
    """The part of a registration that this is about."""

    @property
    def wallet_provider(self) -> str | None:
        """Who attests its instances."""

    @property
    def method(self) -> str:
        """How it authenticates."""

    @property
    def grants(self) -> tuple[str, ...]:
        """Its grant types."""

    @property
    def detail_types(self) -> tuple[str, ...]:
        """Its types of authorization details."""

    @property
    def tls(self) -> Tls:
        """What it does with TLS certificates."""


def check_wallet(wanted: Wanted, profile: Profile) -> None:
    """Check the part of a registration that is about wallets.

    Raises:
        InvalidValue: the method and the wallet provider do not go together, or the profile
            `haip` has a rule against it, which is named.
    """
    provider_id = wanted.wallet_provider
    if (provider_id is not None) != (wanted.method in METHODS):
        raise InvalidValue(
            f"a wallet that authenticates by attestation ({', '.join(sorted(METHODS))}) names its "
            "wallet provider, and no other client does"
        )
    if provider_id is not None and not PROVIDER_ID.fullmatch(provider_id):
        raise InvalidValue("a wallet provider's id has 3 to 64 small letters, digits and . _ -")
    if profile.dpop_required and wanted.tls.bound_tokens:
        raise InvalidValue(f"the profile {profile.name} binds tokens to DPoP keys (HAIP 4)")
    if profile.credentials_by_scope:
        if wanted.detail_types:
            raise InvalidValue(
                f"the profile {profile.name} names credentials by scope alone (HAIP 4.3): leave "
                "the types of authorization details out"
            )
        if _CODE not in wanted.grants:
            raise InvalidValue(
                f"a wallet of the profile {profile.name} has the grant authorization_code (HAIP 4)"
            )
