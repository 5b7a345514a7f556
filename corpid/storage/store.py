"""The durable store: the use cases' ports over an open database."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from corpid.services.ports import UnitOfWork
from corpid.storage.change_counters import ChangeCounters
from corpid.storage.client_cache import ClientCache
from corpid.storage.deferred_issuances import SqlDeferredIssuances
from corpid.storage.interface import Database, Transaction
from corpid.storage.issuance_batches import SqlIssuanceBatches
from corpid.storage.polled_requests import SqlPolled
from corpid.storage.provider_store import SqlProviderReads, SqlProviderStore, SqlProviderWrites
from corpid.storage.repositories.authority import SqlAuthority
from corpid.storage.repositories.clients import SqlClients
from corpid.storage.repositories.credential_views import SqlCredentialViews
from corpid.storage.repositories.credentials import SqlCredentials
from corpid.storage.repositories.grants import SqlGrants
from corpid.storage.repositories.guesses import SqlGuesses
from corpid.storage.repositories.operations import SqlOperations
from corpid.storage.repositories.organisations import SqlOrganisations
from corpid.storage.repositories.outbox import SqlOutbox
from corpid.storage.repositories.people import SqlPeople
from corpid.storage.repositories.registrations import SqlRegistrations
from corpid.storage.repositories.sign_ins import SqlSignIns
from corpid.storage.repositories.status_lists import SqlStatusLists
from corpid.storage.repositories.wallet_providers import SqlWalletProviders
from corpid.storage.scope import CHANGES, Scope
from keys.clock import Clock, Random

T = TypeVar("T")


class SqlUnitOfWork:
    """``services.ports.UnitOfWork``. A repository holds nothing but the scope: made when used."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def has_one_writer(self) -> bool:
        """See ``UnitOfWork.has_one_writer``."""
        return self._scope.writes.has_one_writer

    @property
    def organisations(self) -> SqlOrganisations:
        """Businesses."""
        return SqlOrganisations(self._scope)

    @property
    def people(self) -> SqlPeople:
        """People."""
        return SqlPeople(self._scope)

    @property
    def guesses(self) -> SqlGuesses:
        """Counts of failed tries."""
        return SqlGuesses(self._scope)

    @property
    def authority(self) -> SqlAuthority:
        """Representations and mandates."""
        return SqlAuthority(self._scope)

    @property
    def clients(self) -> SqlClients:
        """Relying parties."""
        return SqlClients(self._scope)

    @property
    def registrations(self) -> SqlRegistrations:
        """Clients that registered themselves."""
        return SqlRegistrations(self._scope)

    @property
    def wallet_providers(self) -> SqlWalletProviders:
        """Trusted wallet providers."""
        return SqlWalletProviders(self._scope)

    @property
    def sign_ins(self) -> SqlSignIns:
        """Sessions, interactions, consents."""
        return SqlSignIns(self._scope)

    @property
    def grants(self) -> SqlGrants:
        """Ending authorizations."""
        return SqlGrants(self._scope)

    @property
    def credentials(self) -> SqlCredentials:
        """Offers and issuance records."""
        return SqlCredentials(self._scope)

    @property
    def credential_views(self) -> SqlCredentialViews:
        """Lists of credentials and offers."""
        return SqlCredentialViews(self._scope)

    @property
    def deferred_issuances(self) -> SqlDeferredIssuances:
        """What waits for an operator."""
        return SqlDeferredIssuances(self._scope)

    @property
    def issuance_batches(self) -> SqlIssuanceBatches:
        """How far bulk issuances have come."""
        return SqlIssuanceBatches(self._scope)

    @property
    def status_lists(self) -> SqlStatusLists:
        """Status lists."""
        return SqlStatusLists(self._scope)

    @property
    def operations(self) -> SqlOperations:
        """Keys, secrets, audit, outbox, change counters."""
        return SqlOperations(self._scope)

    @property
    def outbox(self) -> SqlOutbox:
        """Messages to others."""
        return SqlOutbox(self._scope)

    @property
    def polled_requests(self) -> SqlPolled:
        """What waits for a person while its client asks."""
        return SqlPolled(self._scope)

    @property
    def provider_reads(self) -> SqlProviderReads:
        """What the authorization server reads."""
        return SqlProviderReads(self._scope)

    @property
    def provider_writes(self) -> SqlProviderWrites:
        """What the authorization server writes."""
        return SqlProviderWrites(self._scope)


class SqlStore:
    """``services.ports.Store``; ``provider`` is the authorization server's view of it."""

    def __init__(self, database: Database, clock: Clock, random: Random) -> None:
        clients, counters = ClientCache(), ChangeCounters()
        self._database = database
        self._clock = clock
        self._random = random
        self._clients = clients
        self._counters = counters
        self._callbacks: list[Callable[[], None]] = []
        self.read = SqlUnitOfWork(Scope(database, None, clock, random, clients, counters))
        self.provider = SqlProviderStore(database, clock, random, clients, counters)

    async def write(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """See ``Store.write``; ``work`` may be run again after a conflict."""

        def unit(transaction: Transaction) -> Awaitable[T]:
            return work(
                SqlUnitOfWork(
                    Scope(
                        transaction,
                        transaction,
                        self._clock,
                        self._random,
                        self._clients,
                        self._counters,
                    )
                )
            )

        return await self._database.write(unit)

    def subscribe(self, changed: Callable[[], None]) -> None:
        """See ``Store.subscribe``; works from ``listen`` on."""
        self._callbacks.append(changed)

    async def listen(self) -> None:
        """Begin to hear of changes in other processes. Call it once.

        On SQLite nothing is ever heard: there the counters are read (``operations.changes``).
        """
        await self._database.subscribe(CHANGES, self._changed)

    def _changed(self) -> None:
        for callback in self._callbacks:
            callback()
