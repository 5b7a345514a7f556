"""Clients that register themselves (``ClientRegistry``), within policy and bounds.

A registration access token is 256 random bits, kept as a keyed hash, and not rotated: an answer
that got lost would lock the client out of its own registration.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from corpid.domain.errors import DomainError, InvalidValue
from corpid.domain.identifiers import new_id
from corpid.services.client_addresses import LOOPBACK
from corpid.services.client_metadata import Registration, sector_of
from corpid.services.clients import Clients, RegisteredClient
from corpid.services.pace import Pace
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import ClientRecord, InitialToken, SelfRegistration
from corpid.services.registration_bounds import Turns, check_bounds
from corpid.services.registration_policy import RegistrationPolicy, wanted
from corpid.services.revocation import Revocation
from corpid.services.sectors import vouched_sector
from keys.clock import Clock, Random
from oidc.errors import InvalidClientMetadata, InvalidRequest, InvalidToken
from oidc.ports import Outbound
from oidc.provider.client_metadata import SERVERS_OWN
from oidc.registration_ports import ClientInformation
from oidc.secrets import TokenHasher, client_secret_hash, new_token

REGISTRATION_TOKEN: Final = "cid_ra_"
CHANGES: Final = Pace(burst=20, seconds=180)
"""Of one client's registration: each keeps a row of its history, and may have us fetch documents"""
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_REFUSED: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class RegistrationRules:
    """``open`` lets anybody register. ``per_hour`` and ``most`` bound the whole service."""

    open: bool = False
    policy: RegistrationPolicy = field(default_factory=RegistrationPolicy)
    per_hour: int = 60
    most: int = 10_000


class ClientRegistrations:
    """``oidc.registration_ports.ClientRegistry``."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        hasher: TokenHasher,
        clock: Clock,
        random: Random,
        rules: RegistrationRules,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._hasher = hasher
        self._clock = clock
        self._random = random
        self._rules = rules
        self._fetches = Pace(rules.per_hour, max(1, 3600 // rules.per_hour))
        self._turns = Turns(store, hasher, clock)
        self._clients = Clients(store, clock, random)

    async def check_initial_token(self, token: str | None) -> None:
        """See ``ClientRegistry.check_initial_token``."""
        await self._initial(token)

    async def register(self, document: Mapping[str, Any], token: str | None) -> ClientInformation:
        """See ``ClientRegistry.register``."""
        initial = await self._initial(token)
        policy = self._policy(initial)
        asked = wanted(document, policy)
        client_id = new_id(self._random)
        now_ms = self._now_ms()
        # Before anything is fetched at a stranger's word, and again when it is stored.
        await self._check_bounds(self._store.read, now_ms)
        if asked.sector_identifier_uri is not None:
            whose = "open" if initial is None else initial.token_id
            await self._turns.take("sector document", whose, self._fetches)
        sector = await self._sector(asked, client_id)
        access = new_token(REGISTRATION_TOKEN, self._random)

        async def claim(uow: UnitOfWork) -> None:
            if initial is not None and not await uow.registrations.use_initial_token(
                initial.token_id, now_ms
            ):
                raise InvalidToken("the initial access token is used up", headers=_REFUSED)
            await self._check_bounds(uow, now_ms)
            await uow.registrations.add(
                SelfRegistration(
                    client_id=client_id,
                    token_hash=self._hasher.hash(access),
                    initial_token_id=None if initial is None else initial.token_id,
                    policy=policy.document(),
                    registered_at=now_ms,
                )
            )

        made = await self._carried_out(
            self._clients.add(
                asked, f"client:{client_id}", client_id=client_id, sector=sector, also=claim
            )
        )
        return _information(made.record, access, made.secret)

    async def read(self, client_id: str, token: str) -> ClientInformation:
        """See ``ClientRegistry.read``."""
        _, record = await self._own(client_id, token)
        return _information(record, token, None)

    async def replace(
        self, client_id: str, token: str, document: Mapping[str, Any]
    ) -> ClientInformation:
        """See ``ClientRegistry.replace``."""
        registration, record = await self._own(client_id, token)
        await self._turns.take("change of the registration", client_id, CHANGES)
        _check_own_members(document, record)
        asked = wanted(document, RegistrationPolicy.from_document(registration.policy))
        sector = await self._sector(asked, client_id)
        made = await self._carried_out(
            self._clients.replace(client_id, asked, f"client:{client_id}", sector=sector)
        )
        return _information(made.record, token, made.secret)

    async def delete(self, client_id: str, token: str) -> None:
        """See ``ClientRegistry.delete``."""
        await self._own(client_id, token)
        revocation = Revocation(self._store, self._clock, self._random)
        await revocation.disable_client(client_id, f"client:{client_id}")

    async def _initial(self, token: str | None) -> InitialToken | None:
        """The initial access token, or None where none is sent and none is needed."""
        if token is None:
            if self._rules.open:
                return None
            raise InvalidToken("send an initial access token as Bearer", headers=_CHALLENGE)
        found = await self._store.read.registrations.initial_token(self._hasher.hash(token))
        if found is None or not found.is_live(self._now_ms()):
            raise InvalidToken(
                "the initial access token is unknown, used up, expired or revoked",
                headers=_REFUSED,
            )
        return found

    def _policy(self, initial: InitialToken | None) -> RegistrationPolicy:
        if initial is None or initial.policy is None:
            return self._rules.policy
        return RegistrationPolicy.from_document(initial.policy)

    async def _check_bounds(self, uow: UnitOfWork, now_ms: int) -> None:
        rules = self._rules
        await check_bounds(uow.registrations.count_since, rules.per_hour, rules.most, now_ms)

    async def _sector(self, asked: Registration, client_id: str) -> str:
        try:
            if asked.sector_identifier_uri is not None:
                return await vouched_sector(
                    asked.sector_identifier_uri, asked.redirect_uris, self._outbound
                )
            sector = sector_of(asked, client_id)
        except InvalidValue as error:
            raise InvalidClientMetadata(_ascii(str(error))) from None
        # A loopback host is everybody's own: two such clients have nothing in common.
        return client_id if sector in LOOPBACK else sector

    async def _carried_out(self, work: Any) -> RegisteredClient:
        try:
            made: RegisteredClient = await work
        except DomainError as error:
            raise InvalidClientMetadata(_ascii(str(error))) from None
        return made

    async def _own(self, client_id: str, token: str) -> tuple[SelfRegistration, ClientRecord]:
        """The registration that this token manages; every other case is answered alike."""
        read = self._store.read
        found = await read.registrations.of(client_id)
        record = None if found is None else await read.clients.by_id(client_id)
        given = self._hasher.hash(token)
        right = hmac.compare_digest(given, bytes(32) if found is None else found.token_hash)
        if found is None or record is None or record.disabled_at is not None or not right:
            raise InvalidToken(
                "the registration access token is not this client's", headers=_REFUSED
            )
        return found, record

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _check_own_members(document: Mapping[str, Any], record: ClientRecord) -> None:
    """RFC 7592 2.2: nothing that the server gave comes back; a secret is the one that is known."""
    mine = sorted(SERVERS_OWN & document.keys())
    if mine:
        raise InvalidRequest(f"leave out what the server gave: {', '.join(mine)}")
    secret = document.get("client_secret")
    if secret is None:
        return
    known = record.secret_hash or bytes(32)
    if not isinstance(secret, str) or not hmac.compare_digest(client_secret_hash(secret), known):
        raise InvalidClientMetadata("client_secret is not the client's; it cannot be chosen")


def _information(record: ClientRecord, token: str, secret: str | None) -> ClientInformation:
    return ClientInformation(
        client_id=record.client_id,
        issued_at=record.created_at // 1000,
        metadata=record.metadata,
        registration_token=token,
        secret=secret,
    )


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
