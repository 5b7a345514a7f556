"""What every endpoint of the authorization server shares: configuration, ports, clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keys.clock import Clock, Random
from oidc.attesters import Attesters
from oidc.mutual_tls import MutualTls
from oidc.ports import (
    Claims,
    Delegations,
    DetailType,
    Interactions,
    Outbound,
    ProviderStore,
    Signers,
)
from oidc.provider.backchannel import Backchannel
from oidc.provider.client_keys import ClientKeys
from oidc.registration_ports import ClientDocuments
from oidc.secrets import Nonces, TokenHasher


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds."""

    pushed_request: int = 90
    device_code: int = 600
    code: int = 60
    access_token: int = 300
    id_token: int = 300
    refresh_token: int = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """The published face of the authorization server.

    ``issuer`` may have a path. ``scopes`` maps each scope that works to the claims it brings.
    ``acr_values`` are URIs in order of strength. ``registration`` says that clients may register
    themselves, ``client_documents`` that a client's id may be the address of its metadata.
    ``extra_metadata`` goes into discovery as it is.
    ``detail_types`` are the types of authorization details (RFC 9396) that mean something here.
    ``open_requests`` is how many requests of one client that is counted may wait at once.
    ``mutual_tls`` is None where no proxy hands over client certificates. ``attestation`` says that
    clients may authenticate by attestation, ``attestation_challenge`` that they need a challenge.
    ``haip`` says that nobody gets a credential but wallets that authenticate (HAIP 1.0, 4.4.1).
    """

    issuer: str
    scopes: Mapping[str, tuple[str, ...]]
    acr_values: tuple[str, ...]
    ui_locales: tuple[str, ...] = ("en", "zh-Hant", "zh-Hans")
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    dpop_nonce_required: bool = False
    mutual_tls: MutualTls | None = None
    service_documentation: str | None = None
    open_requests: int = 2000
    registration: bool = False
    client_documents: bool = False
    attestation: bool = False
    attestation_challenge: bool = False
    haip: bool = False
    extra_metadata: Mapping[str, object] = field(default_factory=dict)
    detail_types: Mapping[str, DetailType] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """An endpoint's URL: the path is appended to the issuer."""
        return self.issuer.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Provider:
    """The authorization server's parts, handed to each endpoint.

    ``attesters`` is None where no client authenticates by attestation.
    """

    config: ProviderConfig
    store: ProviderStore
    signers: Signers
    claims: Claims
    delegations: Delegations
    backchannel: Backchannel
    interactions: Interactions
    clock: Clock
    random: Random
    hasher: TokenHasher
    dpop_nonces: Nonces
    outbound: Outbound
    client_keys: ClientKeys
    client_documents: ClientDocuments | None = None
    attesters: Attesters | None = None

    @property
    def dpop_nonce_required(self) -> bool:
        """Whether every DPoP proof must carry a server nonce (RFC 9449 8)."""
        return self.config.dpop_nonce_required

    @property
    def mutual_tls(self) -> MutualTls | None:
        """How client certificates come, if they do."""
        return self.config.mutual_tls

    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self.clock() * 1000)

    def fresh_dpop_nonce(self) -> list[tuple[bytes, bytes]]:
        """The DPoP-Nonce header for a response, where nonces are demanded (RFC 9449 8.2)."""
        if not self.config.dpop_nonce_required:
            return []
        return [(b"dpop-nonce", self.dpop_nonces.issue(self.clock(), self.random).encode())]
