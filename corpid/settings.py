"""The service's settings: from the environment (``CORPID_…``), a ``.env``-style file, or code.

Every setting has a doc line; ``corpid config show`` prints them with their present values, and
secrets are never printed.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import orjson
from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from corpid.errors import ConfigurationError
from corpid.setting_values import header_name, hosts, networks

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """What an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="CORPID_", env_file=None, extra="forbid", frozen=True, validate_default=True
    )

    issuer: str = Field(
        default="http://127.0.0.1:8080",
        description="The one issuer: OpenID Provider, credential issuer and jwt-vc-issuer. "
        "https except on loopback; it may have a path; it never changes for a database.",
    )
    database_url: str = Field(
        default="sqlite:///corpid.db",
        description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
    )
    database_password_file: Path | None = Field(
        default=None,
        description="A file with the password of the database URL, which then has none itself.",
    )
    master_key_file: Path | None = Field(
        default=Path("master.key"),
        description="The file with the master key (32 bytes in base64url), mode 0600.",
    )
    master_key: str | None = Field(
        default=None,
        repr=False,
        description="The master key itself, instead of a file.",
    )
    status_base: str | None = Field(
        default=None,
        description="Where status lists are published; default: the issuer. Lists outlive hosts.",
    )
    acr_base: str | None = Field(default=None, description="Base of acr values; default issuer/acr")
    vct_base: str | None = Field(default=None, description="Base of vct values; default issuer/vct")
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="The port to listen on.")
    operations_host: str = Field(
        default="127.0.0.1", description="The address where operators' requests are listened for."
    )
    operations_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="The port for /metrics, and /healthz and /readyz besides; http, and nothing "
        "that the world should reach. Without it there are no metrics.",
    )
    tls_certificate: Path | None = Field(default=None, description="Certificate chain (PEM).")
    tls_key: Path | None = Field(default=None, description="The certificate's key (PEM).")
    migrate: Literal["auto", "never"] = Field(
        default="auto",
        description="auto: SQLite databases are migrated at start. PostgreSQL always by command.",
    )
    dpop_nonce: Literal["optional", "required"] = Field(
        default="optional", description="Whether every DPoP proof must carry a server nonce."
    )
    credential_encryption: Literal["off", "offered", "required"] = Field(
        default="offered",
        description="Whether wallets can, or must, encrypt credential requests and responses on "
        "top of TLS. It needs a key: `corpid key rotate encryption --alg ECDH-ES` where a database "
        "was made without one.",
    )
    credential_approval: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Credential types (ids, separated by commas) that are issued only when an "
        "operator has said yes (`corpid issuance approve`); `type@client_id` for one wallet alone.",
    )
    credential_live_max: int = Field(
        default=200,
        ge=100,
        le=10_000,
        description="How many live credentials of one type a wallet may have by one authorization.",
    )
    credential_batch_size: int = Field(
        default=10,
        ge=1,
        le=100,
        description="How many credentials of one type a wallet gets by one request at most, each "
        "for a key of its own; 1 switches batches off.",
    )
    resource_sectors: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="Audience of JWT access tokens -> its sector of pairwise subjects (JSON).",
    )
    proxies: Annotated[tuple[str, ...], NoDecode, AfterValidator(networks)] = Field(
        default=(),
        description="The reverse proxies (addresses or CIDR networks, separated by commas). What "
        "only a proxy may say counts from these peers alone.",
    )
    client_certificate_header: Annotated[str | None, AfterValidator(header_name)] = Field(
        default=None,
        description="The header in which the proxies hand over a client's TLS certificate. "
        "Without it there is no mutual TLS. The proxies must strip it from what outsiders send.",
    )
    client_certificate_form: Literal["rfc9440", "urlencoded-pem"] = Field(
        default="rfc9440",
        description="How the certificate is written there: as RFC 9440 has it, or as nginx does "
        "in $ssl_client_escaped_cert.",
    )
    client_certificate_authorities: Path | None = Field(
        default=None,
        description="File with the authorities (PEM) whose certificates clients with "
        "tls_client_auth use; without it that method does not exist.",
    )
    mtls_origin: str | None = Field(
        default=None,
        description="Scheme and host where the proxies ask clients for certificates, if that is "
        "another than the issuer's; published as mtls_endpoint_aliases.",
    )
    outbound_networks: Annotated[tuple[str, ...], NoDecode, AfterValidator(networks)] = Field(
        default=(),
        description="Private networks (CIDR, separated by commas) that relying parties' addresses "
        "may lead to; without them only public addresses are reached.",
    )
    outbound_authorities: Path | None = Field(
        default=None,
        description="File with certificate authorities (PEM) that are believed there beside the "
        "system's.",
    )
    registration: Literal["off", "token", "open"] = Field(
        default="token",
        description="Whether clients may register themselves: not at all, with an initial access "
        "token (corpid client token create), or anybody.",
    )
    registration_profiles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("fapi2",),
        description="Profiles that a self-registered client may have, in order of preference.",
    )
    registration_scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("openid", "entity.identity"),
        description="Scopes that a self-registered client may have.",
    )
    registration_grant_types: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("authorization_code",),
        description="Grant types that a self-registered client may have.",
    )
    registration_per_hour: int = Field(
        default=60, ge=1, description="Clients that may register themselves within an hour."
    )
    registration_max: int = Field(
        default=10_000, ge=1, description="Clients that may register themselves in all."
    )
    registration_unused_days: int = Field(
        default=30,
        ge=1,
        description="After how many days a self-registered client that nobody used is deleted.",
    )
    client_document_hosts: Annotated[tuple[str, ...], NoDecode, AfterValidator(hosts)] = Field(
        default=(),
        description="Hosts whose client ID metadata documents count (separated by commas; "
        "host:port where the port is not 443; * for every public host). A client_id is then the "
        "https address of its metadata. Empty: no client comes that way.",
    )
    wallet_attestation: Literal["off", "on", "challenge"] = Field(
        default="off",
        description="Whether wallets may authenticate by the attestation of their provider (corpid "
        "wallet-provider add); challenge: with a fresh challenge of ours in each proof.",
    )
    haip: Literal["off", "required"] = Field(
        default="off",
        description="required: credentials are only for wallets of the profile haip (HAIP 1.0), "
        "and the service does not start unless it meets the issuer's rules (corpid config haip).",
    )
    key_attestation: Literal["off", "accepted", "required"] = Field(
        default="off",
        description="Key attestations of wallet providers (corpid wallet-provider add): not "
        "looked at, taken where a wallet sends one, or demanded for credentials.",
    )
    key_attestation_for: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The credentials (configuration ids, separated by commas) that one is "
        "demanded for; empty: all.",
    )
    key_storage_levels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="What a demanded attestation must say of where the key is kept: one of these, "
        "such as iso_18045_high,iso_18045_moderate; empty: anything.",
    )
    user_authentication_levels: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="The same of how its user is asked before it signs.",
    )
    open_requests_per_client: int = Field(
        default=2000,
        ge=10,
        description="Requests of one public or self-registered client that may wait for a person "
        "at once.",
    )
    session_hours: int = Field(
        default=8, ge=1, le=24 * 30, description="Life of a sign-in, however much it is used."
    )
    session_idle_minutes: int = Field(
        default=60, ge=5, le=24 * 60 * 30, description="A sign-in ends when unused for so long."
    )
    step_up_max_age: int = Field(
        default=900,
        ge=60,
        description="How long ago (seconds) a person may have signed in who revokes or resumes a "
        "credential on the pages; else they sign in again.",
    )
    status_poll_ms: int = Field(
        default=50, ge=5, le=1000, description="How often changes of status are looked for."
    )
    logout_poll_ms: int = Field(
        default=500, ge=20, le=60_000, description="How often logout tokens to send are looked for."
    )
    purge_seconds: int = Field(
        default=60, ge=1, description="How often rows past their lifetime are purged."
    )
    argon2_memory_kib: int = Field(
        default=19_456, ge=64, description="argon2id memory per password check, KiB."
    )
    log_format: Literal["json", "console"] = Field(default="json", description="Log lines.")

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("resource_sectors", mode="before")
    @classmethod
    def _decode(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError("must be a JSON object of audiences and their sectors") from None

    @field_validator(
        "proxies",
        "outbound_networks",
        "registration_profiles",
        "registration_scopes",
        "registration_grant_types",
        "client_document_hosts",
        "key_attestation_for",
        "credential_approval",
        "key_storage_levels",
        "user_authentication_levels",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("registration_profiles", "registration_scopes", "registration_grant_types")
    @classmethod
    def _check_some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must have at least one; registration as a whole can be off")
        return value

    @field_validator("mtls_origin")
    @classmethod
    def _check_origin(cls, value: str | None) -> str | None:
        cls._check_url(value)
        if value is not None and urlsplit(value).path:
            raise ValueError("must have no path: the endpoints' paths are the issuer's")
        return value

    @field_validator("issuer", "status_base", "acr_base", "vct_base")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("must be an absolute https URL")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
            raise ValueError("must use https: http is for loopback only")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("must have no query, fragment or user")
        if value.endswith("/"):
            raise ValueError("must not end with a slash")
        return value

    @model_validator(mode="after")
    def _check_tls(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        return self

    @model_validator(mode="after")
    def _check_client_certificates(self) -> "Settings":
        if self.client_certificate_header is not None and not self.proxies:
            raise ValueError(
                "client_certificate_header needs proxies: from anybody else it does not count"
            )
        if self.client_certificate_header is None and (
            self.client_certificate_authorities is not None or self.mtls_origin is not None
        ):
            raise ValueError(
                "client_certificate_authorities and mtls_origin need client_certificate_header"
            )
        return self

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service by https: cookies are then ``__Host-`` Secure."""
        return self.issuer.startswith("https://")

    @property
    def status_url(self) -> str:
        """The URL under which status lists are published."""
        return f"{self.status_base or self.issuer}/status"

    @property
    def acr_url(self) -> str:
        """Base of the acr values."""
        return self.acr_base or f"{self.issuer}/acr"

    @property
    def vct_url(self) -> str:
        """Base of the vct values."""
        return self.vct_base or f"{self.issuer}/vct"

    def database_location(self) -> str:
        """The database URL with its password, from the file if one is set.

        Raises:
            ConfigurationError: the password file cannot be read.
        """
        if self.database_password_file is None:
            return self.database_url
        try:
            password = self.database_password_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"the database password file {self.database_password_file} cannot be read"
            ) from None
        parts = urlsplit(self.database_url)
        user, _, host = parts.netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:{quote(password, safe='')}@{host}"
        return urlunsplit(parts._replace(netloc=netloc))

    def read_master_key(self) -> str:
        """The master key's text.

        Raises:
            ConfigurationError: there is none, and where one was looked for.
        """
        if self.master_key:
            return self.master_key
        if self.master_key_file is None:
            raise ConfigurationError(
                "no master key: set CORPID_MASTER_KEY_FILE to its file (or CORPID_MASTER_KEY)"
            )
        try:
            return self.master_key_file.read_text("ascii")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"the master key file {self.master_key_file} cannot be read: put the key there, "
                "set CORPID_MASTER_KEY_FILE to where it is, or run `corpid init` for a new database"
            ) from None
