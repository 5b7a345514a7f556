"""What the use cases need from storage: one repository per aggregate, one unit of work.

Reading methods work on committed state (``store.read``) and inside ``store.write``; writing
methods only inside ``store.write``. A use case awaits nothing but its unit of work inside a
write, returns values, and raises to roll everything back.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from corpid.domain.mandate import Mandate, MandateEvent, Side
from corpid.domain.organisation import (
    Branch,
    Identifier,
    IdentifierScheme,
    Organisation,
    Registration,
    Representation,
)
from corpid.domain.person import PasswordMethod, Person, TotpMethod
from corpid.services.credential_ports import Credentials
from corpid.services.credential_view_ports import CredentialViews
from corpid.services.deferred import DeferredIssuances
from corpid.services.issuance_batches import IssuanceBatches
from corpid.services.outbox import Outbox
from corpid.services.polled import PolledRequests
from corpid.services.records import (
    AuthorityRow,
    ClientRecord,
    ClientSession,
    Consent,
    GivenGrant,
    Interaction,
    MandateHistoryRow,
    OutboxMessage,
    Session,
    Tries,
)
from corpid.services.registration_ports import Registrations
from corpid.services.status_ports import StatusLists
from corpid.services.wallet_provider_ports import WalletProviders
from keys.ring import KeyRecord
from oidc.ports import ProviderReads, ProviderWrites

T = TypeVar("T")


class Organisations(Protocol):
    """Businesses, their numbers, and what registers say of them."""

    async def by_id(self, organisation_id: str) -> Organisation | None: ...
    async def by_number(self, scheme: IdentifierScheme, value: str) -> Organisation | None: ...
    async def search(self, text: str, limit: int) -> list[Organisation]:
        """By the beginning of a number or of a name, in any script."""

    async def identifiers(self, organisation_id: str) -> list[Identifier]: ...
    async def branches(self, organisation_id: str) -> list[Branch]: ...
    async def registration_at(self, organisation_id: str, at_ms: int) -> Registration | None:
        """What was recorded as known at that instant."""

    async def add(
        self, organisation_id: str, identifier: Identifier, registration: Registration
    ) -> None: ...
    async def add_identifier(self, organisation_id: str, identifier: Identifier) -> None: ...
    async def replace_registration(self, registration: Registration) -> None:
        """End the open row at ``registration.recorded_at`` and add this one."""

    async def add_branch(self, branch: Branch, now_ms: int) -> None: ...
    async def suspend(self, organisation_id: str, now_ms: int) -> bool: ...
    async def resume(self, organisation_id: str) -> bool: ...


class People(Protocol):
    """People and how they sign in."""

    async def by_id(self, person_id: str) -> Person | None: ...
    async def by_username(self, username: str) -> PasswordMethod | None: ...
    async def username_of(self, person_id: str) -> str | None: ...
    async def totp(self, person_id: str) -> TotpMethod | None: ...
    async def add(self, person: Person) -> None: ...
    async def add_password(self, method: PasswordMethod, now_ms: int) -> None: ...
    async def set_password_hash(self, username: str, password_hash: str) -> None: ...
    async def add_totp(self, method: TotpMethod, now_ms: int) -> None: ...
    async def use_totp_step(self, person_id: str, step: int) -> bool:
        """Accept a code's time step; False when that step or a later one was used."""

    async def close(self, person_id: str, now_ms: int) -> bool: ...


class Guesses(Protocol):
    """Counts of failed tries. One that is read inside a write nobody else changes meanwhile."""

    async def tries(self, slot: bytes) -> Tries: ...
    async def keep(self, slot: bytes, tries: Tries, expires_at: int) -> None: ...
    async def forget(self, slot: bytes) -> None: ...


class Authority(Protocol):
    """Representations and mandates."""

    async def representation(self, representation_id: str) -> Representation | None: ...
    async def representations_of(
        self, person_id: str, at_ms: int | None = None
    ) -> list[Representation]:
        """Open ones, or those recorded as open at an instant."""

    async def representations_in(
        self, organisation_id: str, at_ms: int | None = None
    ) -> list[Representation]:
        """Open ones, or those recorded as open at an instant."""

    async def add_representation(self, representation: Representation) -> None: ...
    async def end_representation(self, representation_id: str, now_ms: int) -> bool: ...
    async def mandate(self, mandate_id: str) -> Mandate | None: ...
    async def mandates_held_by(self, holder_kind: str, holder_id: str) -> list[Mandate]: ...
    async def mandates_in(self, organisation_id: str) -> list[Mandate]: ...
    async def standing(
        self, organisation_id: str, person_id: str, authority: str
    ) -> tuple[object, ...] | None:
        """A value that changes when the organisation, person, or mandate or representation does.

        None when there is no such mandate or representation. Inside a write the rows are kept
        from changing until it is over.
        """

    async def mandate_history(self, mandate_id: str) -> list[MandateHistoryRow]: ...
    async def add_mandate(
        self, mandate: Mandate, side: Side, actor: str, reason: str = ""
    ) -> None: ...
    async def change_mandate(
        self, mandate: Mandate, event: MandateEvent, side: Side, actor: str, reason: str = ""
    ) -> None:
        """Write the new state and its event; ``mandate.changed_at`` is the recorded time."""


class Clients(Protocol):
    """Relying parties."""

    async def by_id(self, client_id: str) -> ClientRecord | None: ...
    async def at(self, client_id: str, at_ms: int) -> ClientRecord | None: ...
    async def all(self, limit: int = 1000) -> list[ClientRecord]: ...
    async def add(self, client: ClientRecord) -> None: ...
    async def replace_policy(self, client: ClientRecord) -> None: ...
    async def disable(self, client_id: str, now_ms: int) -> bool: ...
    async def enable(self, client: ClientRecord, now_ms: int) -> None:
        """From now on again; no policy is in force from when it was disabled until now."""


class SignIns(Protocol):
    """Browser sessions, interactions and consents."""

    async def session(self, session_hash: bytes) -> Session | None: ...
    async def add_session(self, session: Session) -> None: ...
    async def strengthen_session(self, before: bytes, session: Session) -> bool:
        """Write the assurance, methods and sign-in time of a session, under its new hash.

        False when the session of the hash ``before`` has ended, or has another one by now.
        """

    async def session_by_id(self, session_id: str) -> Session | None: ...
    async def sessions_of(self, person_id: str, now_ms: int) -> list[Session]:
        """Those that have neither ended nor expired, the last used first."""

    async def renew_session(self, session: Session) -> bool:
        """Write all but who and since when, under a new hash; False when it has ended."""

    async def touch_session(self, session_id: str, now_ms: int) -> None:
        """Write when it was used."""

    async def end_session(self, session_id: str, now_ms: int) -> bool: ...
    async def end_sessions_of(self, person_id: str, now_ms: int) -> int: ...
    async def interaction(self, interaction_hash: bytes) -> Interaction | None: ...
    async def add_interaction(self, interaction: Interaction) -> None: ...
    async def open_interactions(self, client_id: str, now_ms: int, at_most: int) -> int:
        """How many of a client wait for a person; no more than ``at_most``."""

    async def update_interaction(self, interaction: Interaction) -> None: ...
    async def finish_interaction(self, interaction_hash: bytes, now_ms: int) -> bool:
        """False when it was finished before."""

    async def consent(
        self, person_id: str, organisation_id: str, client_id: str
    ) -> Consent | None: ...
    async def give_consent(self, consent: Consent) -> None:
        """Replace the open consent, if any."""

    async def end_consents(
        self,
        now_ms: int,
        *,
        person_id: str | None = None,
        client_id: str | None = None,
        organisation_id: str | None = None,
    ) -> int:
        """End those of a person, to a client, or for an organisation; one of these is given."""

    async def end_consent(
        self, person_id: str, organisation_id: str, client_id: str, now_ms: int
    ) -> int: ...


class Grants(Protocol):
    """Ending authorizations with their tokens."""

    async def in_session(self, session_id: str) -> list[ClientSession]:
        """Every client that was ever given something in a session, each organisation once."""

    async def live_sessions(
        self,
        now_ms: int,
        *,
        authority: str | None = None,
        person_id: str | None = None,
        organisation_id: str | None = None,
    ) -> list[ClientSession]:
        """The same of live grants under an authority, by a person, or for an organisation."""

    async def signed_in_at(self, client_id: str, auth_time: int) -> list[tuple[str, str]]:
        """Who signed in for whom at a client at one second (epoch): (person, organisation), each
        pair once, whether their grants have ended or not.
        """

    async def end_signed_out(self, session_id: str, now_ms: int, reason: str) -> int:
        """End the grants of a session that was signed out of.

        What was granted for access while away (offline_access) goes on; its access tokens end.
        """

    async def by_id(self, grant_id: str) -> GivenGrant | None:
        """Whose it is, also when it has ended."""

    async def end(self, grant_id: str, now_ms: int, reason: str) -> int: ...
    async def end_by_authority(self, authority: str, now_ms: int, reason: str) -> int: ...
    async def end_by_actor(self, person_id: str, now_ms: int, reason: str) -> int: ...
    async def end_by_subject(self, organisation_id: str, now_ms: int, reason: str) -> int: ...
    async def end_by_session(self, session_id: str, now_ms: int, reason: str) -> int: ...
    async def end_by_client(self, client_id: str, now_ms: int, reason: str) -> int: ...


class Operations(Protocol):
    """Keys, sealed secrets, facts about the database, audit, outbox, change counters."""

    async def keys(self) -> list[KeyRecord]: ...
    async def add_key(self, record: KeyRecord) -> None: ...
    async def update_key(self, record: KeyRecord) -> None: ...
    async def authorities(self) -> dict[str, AuthorityRow]:
        """The roots of the development authority, by name."""

    async def add_authority(self, row: AuthorityRow) -> None: ...
    async def set_revocation_list(self, name: str, revocation_list: bytes) -> None: ...
    async def secrets(self) -> dict[str, bytes]: ...
    async def add_secret(self, name: str, sealed: bytes, now_ms: int) -> None: ...
    async def meta(self) -> dict[str, str]: ...
    async def set_meta(self, name: str, value: str) -> None: ...
    async def audit(self, event: str, facts: Mapping[str, object]) -> None: ...
    async def audit_rows(self, limit: int, event: str | None = None) -> list[bytes]: ...
    async def enqueue(self, message: OutboxMessage) -> None: ...
    async def changes(self) -> Mapping[str, int]: ...
    async def bump(self, topic: str) -> None:
        """Raise a change counter: ``clients``, ``keys``, ``authority`` or ``status``.

        Last of all in a write: on PostgreSQL the counter's row is locked from here to the end.
        ``authority`` is raised by every write of an organisation, person, representation or
        mandate (see ``KnownAuthorities``).
        """


class UnitOfWork(Protocol):
    """Every repository over one connection or one transaction."""

    @property
    def has_one_writer(self) -> bool:
        """Whether nobody else can write until this write is over."""

    @property
    def organisations(self) -> Organisations: ...
    @property
    def people(self) -> People: ...
    @property
    def guesses(self) -> Guesses: ...
    @property
    def authority(self) -> Authority: ...
    @property
    def clients(self) -> Clients: ...
    @property
    def registrations(self) -> Registrations: ...
    @property
    def wallet_providers(self) -> WalletProviders: ...
    @property
    def sign_ins(self) -> SignIns: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def credentials(self) -> Credentials: ...
    @property
    def credential_views(self) -> CredentialViews: ...
    @property
    def issuance_batches(self) -> IssuanceBatches: ...
    @property
    def deferred_issuances(self) -> DeferredIssuances: ...
    @property
    def status_lists(self) -> StatusLists: ...
    @property
    def operations(self) -> Operations: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def polled_requests(self) -> PolledRequests: ...
    @property
    def provider_reads(self) -> ProviderReads: ...
    @property
    def provider_writes(self) -> ProviderWrites: ...


class Store(Protocol):
    """The durable store."""

    @property
    def read(self) -> UnitOfWork:
        """Committed state; writing methods must not be called on it."""

    async def write(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """One transaction; durable when this returns. ``work`` awaits only its unit of work."""

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Be told soon after another process changed something (a hint, not a promise)."""
