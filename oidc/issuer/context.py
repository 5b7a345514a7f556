"""What every endpoint of the credential issuer shares: configuration, ports, clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keys.clock import Clock, Random
from oidc.attesters import Attesters
from oidc.issuer.configuration import CredentialConfiguration
from oidc.issuer.credential_request import ATTESTATION, JWT
from oidc.issuer.encoders import Encoder
from oidc.issuer.encryption import EncryptionPolicy
from oidc.issuer.ports import IssuerKeys, IssuerStore
from oidc.issuer.type_description import TypeDescription
from oidc.mutual_tls import MutualTls
from oidc.secrets import Nonces, TokenHasher


@dataclass(frozen=True, slots=True)
class IssuerConfig:
    """The published face of the credential issuer.

    ``issuer`` is the Credential Issuer Identifier and may have a path. ``configurations`` are
    by configuration id. ``names`` is the issuer's own name by language tag; ``choose_language``
    gives the tag to answer an Accept-Language header in. ``earlier`` are versions of types that are
    not issued any more, and whose type metadata stay. ``mutual_tls`` is None where no proxy
    hands over client certificates. ``batch_size`` is how many credentials one request gets at
    most. ``encryption`` is None where requests and responses are never encrypted.
    ``haip`` says that the rules of HAIP 1.0 are demanded of wallets.
    ``deferred`` says that some issuances wait.
    """

    issuer: str
    configurations: Mapping[str, CredentialConfiguration]
    names: Mapping[str, str]
    choose_language: Callable[[str], str]
    dpop_nonce_required: bool = False
    mutual_tls: MutualTls | None = None
    earlier: tuple[TypeDescription, ...] = ()
    batch_size: int = 1
    encryption: EncryptionPolicy | None = None
    haip: bool = False
    deferred: bool = False

    def url(self, path: str) -> str:
        """An endpoint's URL: the path is appended to the issuer."""
        return self.issuer.rstrip("/") + path


@dataclass(frozen=True, slots=True)
class Issuer:
    """The credential issuer's parts, handed to each endpoint.

    ``encoders`` are by format: one for each format that a configuration has, or ValueError.
    ``credential_nonces`` are the c_nonces (lifetime 300 s); their key is not that of
    ``dpop_nonces``, so that one never passes for the other. ``attesters`` is None where key
    attestations are not looked at.
    """

    config: IssuerConfig
    store: IssuerStore
    keys: IssuerKeys
    encoders: Mapping[str, Encoder]
    clock: Clock
    random: Random
    hasher: TokenHasher
    dpop_nonces: Nonces
    credential_nonces: Nonces
    attesters: Attesters | None = None

    def __post_init__(self) -> None:
        formats = {one.format for one in self.config.configurations.values()}
        if not formats <= self.encoders.keys():
            raise ValueError(f"no encoder for {sorted(formats - self.encoders.keys())}")

    @property
    def proof_types(self) -> tuple[str, ...]:
        """The types of key proofs that a request may have (OpenID4VCI 1.0, Appendix F)."""
        return (JWT,) if self.attesters is None else (JWT, ATTESTATION)

    @property
    def dpop_nonce_required(self) -> bool:
        """Whether every DPoP proof must carry a server nonce (RFC 9449 8)."""
        return self.config.dpop_nonce_required

    @property
    def mutual_tls(self) -> MutualTls | None:
        """How client certificates come, if they do."""
        return self.config.mutual_tls

    def fresh_dpop_nonce(self) -> list[tuple[bytes, bytes]]:
        """The DPoP-Nonce header for a response, where nonces are demanded (RFC 9449 8.2)."""
        if not self.config.dpop_nonce_required:
            return []
        return [(b"dpop-nonce", self.dpop_nonces.issue(self.clock(), self.random).encode())]
