"""Relying parties: registered, shown as they were, changed with their history kept.

Disabling one is `services.revocation`'s, for its tokens end with it.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from corpid.domain.errors import AlreadyExists, InvalidValue, NotAllowed, NotFound
from corpid.domain.identifiers import new_id
from corpid.services.client_metadata import (
    SECRET_METHODS,
    Registration,
    metadata,
    sector_of,
)
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import ClientRecord
from keys.clock import Clock, Random
from oidc.secrets import client_secret_hash, new_token

CLIENT_SECRET: Final = "cid_cs_"
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{2,99}")


Also = Callable[[UnitOfWork], Awaitable[None]]


async def nothing_else(_: UnitOfWork) -> None:
    """Nothing besides."""


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client as it is registered now. ``secret`` (256 random bits) is shown this once."""

    record: ClientRecord
    secret: str | None


class Clients:
    """The use cases around relying parties."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    async def add(
        self,
        wanted: Registration,
        actor: str,
        *,
        client_id: str | None = None,
        sector: str | None = None,
        also: Also = nothing_else,
        of_document: bool = False,
    ) -> RegisteredClient:
        """Register a client; without ``client_id`` a random one is taken.

        ``sector`` is one that was found out beforehand (``sectors``). ``of_document`` says that
        the id is the address of the client's metadata, and was checked as such. ``also`` runs
        first in the same transaction, and what it raises undoes all.

        Raises:
            InvalidValue: it may not be registered like this.
            AlreadyExists: the client id is taken.
        """
        chosen = new_id(self._random) if client_id is None else client_id
        if not of_document and not _CLIENT_ID.fullmatch(chosen):
            raise InvalidValue("a client id has 3 to 100 letters, digits and . _ ~ -")
        secret, secret_hash = self._secret(wanted)
        now_ms = int(self._clock() * 1000)
        record = ClientRecord(
            client_id=chosen,
            sector=sector_of(wanted, chosen) if sector is None else sector,
            metadata=metadata(wanted),
            secret_hash=secret_hash,
            created_at=now_ms,
            recorded_at=now_ms,
        )

        async def work(uow: UnitOfWork) -> None:
            await also(uow)
            if await uow.clients.by_id(chosen) is not None:
                raise AlreadyExists(f"a client with the id {chosen} exists already")
            await uow.clients.add(record)
            await _note(uow, "client.added", record, actor)

        await self._store.write(work)
        return RegisteredClient(record, secret)

    async def replace(
        self,
        client_id: str,
        wanted: Registration,
        actor: str,
        *,
        new_secret: bool = False,
        sector: str | None = None,
        of_document: bool = False,
    ) -> RegisteredClient:
        """Register other metadata from now on; what was before stays in the history.

        The sector stays as it is; so redirect URIs of another host need it to be named.

        Raises:
            NotFound: there is no such client.
            NotAllowed: it is disabled, its sector would change, or it is what its document says.
            InvalidValue: it may not be registered like this.
        """
        if client_id.startswith("https://") and not of_document:
            raise NotAllowed(
                "this client is what the metadata document at its id says: change that, or disable "
                "the client"
            )
        checked = metadata(wanted)
        sector = sector_of(wanted, client_id) if sector is None else sector
        secret, secret_hash = self._secret(wanted)
        now_ms = int(self._clock() * 1000)

        async def work(uow: UnitOfWork) -> RegisteredClient:
            known = await find_client(uow, client_id)
            if known.disabled_at is not None:
                raise NotAllowed("this client is disabled")
            if sector != known.sector:
                raise NotAllowed(
                    f"the sector of this client is {known.sector} for good: every identifier "
                    "that it knows would change. Name it, or register another client"
                )
            keeps = known.secret_hash is not None and secret is not None and not new_secret
            record = ClientRecord(
                client_id=client_id,
                sector=known.sector,
                metadata=checked,
                secret_hash=known.secret_hash if keeps else secret_hash,
                created_at=known.created_at,
                recorded_at=now_ms,
            )
            await uow.clients.replace_policy(record)
            await _note(uow, "client.changed", record, actor)
            return RegisteredClient(record, None if keeps else secret)

        return await self._store.write(work)

    async def show(self, client_id: str, at_ms: int | None = None) -> ClientRecord:
        """A client as registered now, or as it was at ``at_ms`` (epoch ms).

        Raises:
            NotFound: there is none, or not yet then.
        """
        read = self._store.read.clients
        if at_ms is None:
            return await find_client(self._store.read, client_id)
        found = await read.at(client_id, at_ms)
        if found is None:
            raise NotFound(f"the client {client_id[:100]!r} was not known then")
        return found

    async def list(self) -> list[ClientRecord]:
        """Every client, disabled ones too."""
        return await self._store.read.clients.all()

    def _secret(self, wanted: Registration) -> tuple[str | None, bytes | None]:
        if wanted.method not in SECRET_METHODS:
            return None, None
        secret = new_token(CLIENT_SECRET, self._random)
        return secret, client_secret_hash(secret)


async def find_client(uow: UnitOfWork, client_id: str) -> ClientRecord:
    """The client, disabled ones too.

    Raises:
        NotFound: there is none.
    """
    found = await uow.clients.by_id(client_id)
    if found is None:
        raise NotFound(f"no client has the id {client_id[:100]!r}")
    return found


async def _note(uow: UnitOfWork, event: str, record: ClientRecord, actor: str) -> None:
    shown: dict[str, Any] = dict(record.metadata)
    await uow.operations.audit(
        event,
        {
            "client_id": record.client_id,
            "sector": record.sector,
            "metadata": shown,
            "has_secret": record.secret_hash is not None,
            "actor": actor,
        },
    )
    await uow.operations.bump("clients")
