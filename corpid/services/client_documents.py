"""Clients whose id is the address of their metadata (``ClientDocuments``): fetched when they come,
kept like clients that registered themselves, within policy and bounds.

What an outsider can make us do is ask a host that the operator allows for a document. So the
clients that are known come first: for others the requests per minute and at once are counted.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from corpid.domain.errors import AlreadyExists, DomainError, InvalidValue, NotAllowed
from corpid.services.client_metadata import Registration, metadata
from corpid.services.clients import Clients
from corpid.services.pace import Pace
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import ClientRecord, SelfRegistration
from corpid.services.registration_bounds import Turns, check_bounds
from corpid.services.registration_policy import RegistrationPolicy, wanted
from keys.clock import Clock, Random
from oidc.errors import InvalidClient, OAuthError, TooManyRequests
from oidc.ports import Outbound
from oidc.provider.client_documents import Address, fetch, read_address
from oidc.records import Client
from oidc.secrets import TokenHasher

ANY_HOST: Final = "*"
LIFETIME: Final = 600
"""Seconds that a document counts where the answer does not say."""

SHORTEST: Final = 60
LONGEST: Final = 3600
FIRST_REST: Final = 5
LONGEST_REST: Final = 60
"""Seconds without a request for an address that has just failed: doubled each time, up to this."""

CHANGES: Final = Pace(burst=10, seconds=600)
"""Of one client's document that are taken up."""

MOST_KNOWN: Final = 1000
AT_ONCE: Final = 8
AT_ONCE_OF_HOST: Final = 4
STRANGERS_OF_HOST: Final = 30
STRANGERS: Final = 120
"""Requests within a minute for addresses that are no client yet."""

_LATER: Final = "the client's metadata document cannot be asked for just now: try again later"


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """``hosts`` are those whose documents count, ``host:port`` where the port is not 443.

    ``per_hour`` and ``most`` bound the clients of the whole service that come this way.
    """

    hosts: frozenset[str]
    policy: RegistrationPolicy = field(default_factory=RegistrationPolicy)
    per_hour: int = 60
    most: int = 10_000

    def allow(self, authority: str) -> bool:
        """Whether the documents of this host count."""
        return ANY_HOST in self.hosts or authority in self.hosts


@dataclass(slots=True)
class _Known:
    """What this process knows of an address: how long its document counts, or that it failed."""

    until: float = 0.0
    rest_until: float = 0.0
    failures: int = 0


class MetadataDocumentClients:
    """``oidc.registration_ports.ClientDocuments``. What is kept in memory is this process' own."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        hasher: TokenHasher,
        clock: Clock,
        random: Random,
        rules: DocumentRules,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._hasher = hasher
        self._clock = clock
        self._random = random
        self._rules = rules
        self._pace = Turns(store, hasher, clock)
        self._clients = Clients(store, clock, random)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}
        self._at_once: Counter[str] = Counter()
        self._minute = 0
        self._strangers: Counter[str] = Counter()

    async def client(self, client_id: str) -> Client | None:
        """See ``ClientDocuments.client``."""
        address = read_address(client_id)
        if not self._rules.allow(address.authority):
            raise InvalidClient("metadata documents of this host are not accepted here")
        read = self._store.read
        if self._counts(client_id):
            found = await read.provider_reads.client(client_id)
            if found is not None:
                return found
        record = await read.clients.by_id(client_id)
        if record is not None and record.disabled_at is not None:
            return None  # the operator's word stands, whatever the document says
        await self._renewed(address, record)
        return await read.provider_reads.client(client_id)

    def _counts(self, client_id: str) -> bool:
        known = self._known.get(client_id)
        return known is not None and self._clock() < known.until

    async def _renewed(self, address: Address, record: ClientRecord | None) -> None:
        """Ask for the document once, however many wait for it."""
        turn = self._turns.get(address.client_id)
        if turn is not None:
            async with turn:
                pass
            if not self._counts(address.client_id):
                raise TooManyRequests(_LATER, headers={"Retry-After": str(FIRST_REST)})
            return
        self._admit(address, stranger=record is None)
        turn = self._turns[address.client_id] = asyncio.Lock()
        self._at_once[address.authority] += 1
        try:
            async with turn:
                await self._renew(address, record)
        finally:
            del self._turns[address.client_id]
            self._at_once[address.authority] -= 1
            if not self._at_once[address.authority]:
                del self._at_once[address.authority]

    def _admit(self, address: Address, *, stranger: bool) -> None:
        """Whether its document may be asked for now. An error is not kept (section 4.2 of the
        draft): it only is not asked for anew at once.

        Raises:
            TooManyRequests: not now.
        """
        now = self._clock()
        known = self._known.get(address.client_id)
        if known is not None and now < known.rest_until:
            rest = str(int(known.rest_until - now) + 1)
            raise TooManyRequests(_LATER, headers={"Retry-After": rest})
        host = address.authority
        if len(self._turns) >= AT_ONCE or self._at_once[host] >= AT_ONCE_OF_HOST:
            raise TooManyRequests(_LATER, headers={"Retry-After": str(FIRST_REST)})
        if not stranger:
            return
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            self._strangers.clear()
        if self._strangers[host] >= STRANGERS_OF_HOST or self._strangers.total() >= STRANGERS:
            raise TooManyRequests(_LATER, headers={"Retry-After": "60"})
        self._strangers[host] += 1

    async def _renew(self, address: Address, record: ClientRecord | None) -> None:
        try:
            document, max_age = await fetch(address, self._outbound)
            asked = self._wanted(document, address)
            await self._keep(address, asked, record)
        except (OAuthError, DomainError) as error:
            self._failed(address.client_id)
            if isinstance(error, InvalidClient | TooManyRequests):
                raise
            reason = error.description if isinstance(error, OAuthError) else str(error)
            text = reason.encode("ascii", "replace").decode("ascii")
            raise InvalidClient(f"the client's metadata document is refused: {text}") from None
        lifetime = LIFETIME if max_age is None else max_age
        self._remember(
            address.client_id,
            _Known(until=self._clock() + min(max(lifetime, SHORTEST), LONGEST)),
        )

    def _wanted(self, document: Mapping[str, Any], address: Address) -> Registration:
        """The document as a registration within the policy; its host is its sector.

        The document vouches for the redirect URIs that it lists, as one at a
        ``sector_identifier_uri`` does (OpenID Connect Core 8.1).
        """
        asked = wanted(document, self._rules.policy)
        uri = asked.sector_identifier_uri
        if uri is not None and not uri.lower().startswith(f"https://{address.authority}/"):
            raise InvalidValue("the sector is the host of the metadata document, and no other")
        return asked

    async def _keep(
        self, address: Address, asked: Registration, record: ClientRecord | None
    ) -> None:
        client_id, actor = address.client_id, f"client:{address.client_id}"
        if record is None:
            try:
                await self._clients.add(
                    asked,
                    actor,
                    client_id=client_id,
                    sector=address.host,
                    also=self._registered(client_id),
                    of_document=True,
                )
            except AlreadyExists:
                return  # by another process, just now
        elif not _same(metadata(asked), record.metadata):
            # Each change keeps a row of the client's history for good.
            await self._pace.take("change of the document", client_id, CHANGES)
            try:
                await self._clients.replace(
                    client_id, asked, actor, sector=record.sector, of_document=True
                )
            except NotAllowed:
                return  # it was disabled meanwhile, which stands

    def _registered(self, client_id: str) -> Any:
        """It registered itself, which is kept with it: so it is purged when nobody uses it."""
        now_ms = int(self._clock() * 1000)
        # The registration access token of which this is the hash was never anybody's.
        nobodys = self._hasher.hash(self._random(32).hex())

        async def also(uow: UnitOfWork) -> None:
            count, rules = uow.registrations.count_documents_since, self._rules
            await check_bounds(count, rules.per_hour, rules.most, now_ms)
            one = SelfRegistration(client_id, nobodys, None, self._rules.policy.document(), now_ms)
            if not await uow.registrations.add(one):
                raise AlreadyExists("another process was first")

        return also

    def _failed(self, client_id: str) -> None:
        before = self._known.get(client_id)
        failures = 1 if before is None else before.failures + 1
        rest = min(FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)
        self._remember(client_id, _Known(rest_until=self._clock() + rest, failures=failures))

    def _remember(self, client_id: str, known: _Known) -> None:
        self._known[client_id] = known
        self._known.move_to_end(client_id)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(orjson.loads(orjson.dumps(dict(one))) == dict(other))
