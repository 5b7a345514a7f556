"""What the credential issuer needs from its host."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from keys.record import record
from keys.signer import Signer
from oidc.issuer.configuration import CredentialConfiguration
from oidc.records import AccessToken, Grant

T = TypeVar("T")


@record
class Issuance:
    """The host's yes to one credential: what it will say, until when, and where its status is kept.

    ``claims`` are the type's own. ``expires_at`` is in epoch seconds. ``status`` is the whole
    ``status`` claim, with an entry that nothing else has. ``credential_id`` is the host's name for
    it. ``basis`` is the host's own note of what it decided upon; it is given back when the
    credential is recorded.
    """

    credential_id: str
    claims: Mapping[str, Any]
    expires_at: int
    status: Mapping[str, Any]
    basis: object


@record
class IssuedCredential:
    """A credential that was signed and must be recorded before it is handed out.

    ``payload_digest`` is that of ``Encoded``. ``issued_at`` is in epoch ms, and so is
    ``token_issued_at``: when the access token was given.
    """

    grant: Grant
    configuration: CredentialConfiguration
    issuance: Issuance
    holder_thumbprint: str
    payload_digest: bytes
    signing_kid: str
    issued_at: int
    token_issued_at: int


class BasisChanged(Exception):
    """What a decision rested on changed before it was recorded: nothing was; decide again."""


class NotificationEvent(StrEnum):
    """What a wallet may tell (OpenID4VCI 1.0, 11.1)."""

    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


class DeferralState(StrEnum):
    """How it stands with an issuance that waits; ``over``: obtained, or it waited too long."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    OVER = "over"


@record
class Deferral:
    """An issuance that waits (OpenID4VCI 1.0, 9). ``holders`` are the public JWKs.

    ``dataset`` stands for what the credential would say: the grant's authority and identifiers.
    ``created_at`` is in epoch ms.
    """

    deferral_id: str
    client_id: str
    subject: str
    actor: str
    configuration_id: str
    dataset: str
    holders: tuple[Mapping[str, str], ...]
    state: DeferralState
    created_at: int


class IssuerWrites(Protocol):
    """What the issuer writes, inside one transaction."""

    async def use_once(self, key_hash: bytes, expires_at: int) -> bool:
        """Remember a one-time value; False when it was used before."""

    async def record(self, issued: Sequence[IssuedCredential]) -> None:
        """Keep the records of one response's credentials, which differ in key, entry and id alone.

        Of what this grant, type and each key got before, end at once what came by this token and
        was never answered; the rest gives way when these are accepted, or after a day.

        Raises:
            CredentialRequestDenied: one of the earlier ones was revoked, or is suspended.
            BasisChanged: the facts are not those of the decision any more.
        """

    async def defer(self, deferral: Deferral) -> str:
        """Keep it, and return the id under which it waits: an earlier one's that is the same.

        Raises:
            CredentialRequestDenied: this holder waits for too much already.
        """

    async def take_deferred(self, deferral_id: str) -> bool:
        """Claim what was approved; False when it was taken already."""

    async def notify(
        self, credential_ids: Sequence[str], event: NotificationEvent, grant: Grant
    ) -> bool:
        """Take note of what the wallet says of all of them; False when they are not this holder's.

        Hearing the same again changes nothing (11: idempotent).
        """


class IssuerStore(Protocol):
    """Reads, the decision, and writes as atomic units that are durable when ``write`` returns."""

    async def access_token(self, token_hash: bytes) -> tuple[AccessToken, Grant | None] | None:
        """An access token and its grant."""

    async def decide(
        self, grant: Grant, configuration: CredentialConfiguration, count: int, issued_at: int
    ) -> tuple[Issuance, ...]:
        """Whether this holder may have this credential now, ``count`` times, each with an entry.

        ``issued_at`` (epoch seconds) is what they will say of when they were issued.

        Raises:
            CredentialRequestDenied: no, and why.
            InsufficientUserAuthentication: not by this sign-in (RFC 9470).
        """

    def must_wait(self, grant: Grant, configuration: CredentialConfiguration) -> bool:
        """Whether somebody has to say yes before this is issued."""

    async def deferred(self, deferral_id: str) -> Deferral | None:
        """An issuance that waits or has waited."""

    async def offer(self, offer_id: str) -> Mapping[str, Any] | None:
        """The credential offer document, or None when there is none that can still be used."""

    async def write(self, work: Callable[[IssuerWrites], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction. It awaits nothing but the writes."""


class IssuerKeys(Protocol):
    """The signing keys. The private part never passes through here."""

    def signer(self, purpose: str, alg: str) -> Signer:
        """The key that signs now for that purpose and algorithm."""

    def encryption_jwks(self) -> Mapping[str, Any]:
        """The public keys that wallets may encrypt requests to, each with kid and alg."""

    def decrypt_claims(self, compact: str, encs: Collection[str], max_bytes: int) -> bytes:
        """Open a JWE that names one of those keys by its kid, and has one of these ``enc``.

        Raises:
            KeysError: it does not open.
        """

    def credential_jwks(self) -> Mapping[str, Any]:
        """The public keys that credentials and status lists verify with."""


@record
class PublishedCertificate:
    """A certificate or revocation list in DER, and its media type."""

    body: bytes
    media_type: str


class PublishedCertificates(Protocol):
    """What the development authority publishes, held in memory."""

    def published_certificate(self, name: str) -> PublishedCertificate | None:
        """By the name of its file, such as ``root.cer``; None when there is no such thing."""


@record
class ServedStatusList:
    """A signed status list as it goes out, as JWT and as CWT. Times and ``ttl`` are seconds."""

    body: bytes
    etag: bytes
    cwt: bytes
    cwt_etag: bytes
    issued_at: int
    expires_at: int
    ttl: int


class StatusTokens(Protocol):
    """The signed status lists, held in memory."""

    def current(self, list_id: str) -> ServedStatusList | None:
        """The newest token of that list, or None when there is no such list."""

    def uris(self) -> Sequence[str]:
        """The URIs of all lists, oldest first."""

    async def past(self, list_id: str, at: int) -> ServedStatusList | None:
        """A token of that list as it was at ``at`` (epoch seconds), or None when it is not known.

        Raises:
            TemporarilyUnavailable: too much of that is being asked for.
        """
