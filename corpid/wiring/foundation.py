"""Store, keys and secrets of one database: what both the admin CLI and the service stand on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from corpid.errors import NotInitialised
from corpid.services.bootstrap import Secrets, check
from corpid.services.certificates import Certificates
from corpid.services.key_rings import KeyRings
from corpid.services.known_authorities import KnownAuthorities
from corpid.services.mandate_status import MandateStatus
from corpid.services.offers import Offers
from corpid.services.pairwise import Pairwise
from corpid.services.revocation import Revocation
from corpid.services.session_list import SessionList
from corpid.services.status_lists import StatusAllocator
from corpid.services.status_reopening import StatusReopening
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import Database, open_database
from corpid.storage.lineage import lineage
from corpid.storage.store import SqlStore
from keys.clock import Clock, Random, system_clock, system_random
from keys.sealing import MasterKey
from oidc.secrets import TokenHasher

_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Foundation:
    """Everything that needs the database and the master key, and no protocol."""

    settings: Settings
    clock: Clock
    random: Random
    database: Database
    store: SqlStore
    master: MasterKey
    secrets: Secrets
    rings: KeyRings
    certificates: Certificates
    pairwise: Pairwise
    hasher: TokenHasher
    authorities: KnownAuthorities
    allocator: StatusAllocator
    mandate_status: MandateStatus
    revocation: Revocation
    offers: Offers
    session_list: SessionList


def master_key(settings: Settings) -> MasterKey:
    """The master key from where the settings say.

    Raises:
        ConfigurationError: there is none.
        MalformedKey: it is no master key.
    """
    return MasterKey.from_text(settings.read_master_key())


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, or None for another engine."""
    parts = urlsplit(url)
    return Path(unquote(parts.path[1:])) if parts.scheme == "sqlite" else None


async def check_database(settings: Settings) -> None:
    """Refuse a database that is missing, or not of this version; migrate SQLite if allowed.

    Raises:
        NotInitialised: there is none yet.
        MigrationError: it is of a newer version, or must be migrated by command.
    """
    url = settings.database_location()
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise NotInitialised(f"there is no database at {file}: run `corpid init` once")
    if file is not None and settings.migrate == "auto":
        await migrations.migrate(url)
    else:
        await migrations.check(url)


@asynccontextmanager
async def foundation(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    random: Random = system_random,
) -> AsyncIterator[Foundation]:
    """Open the database, check that it is this issuer's, and build on it; closed at the end.

    Raises:
        ServiceError: the database or the master key is missing or not the right one.
    """
    master = master_key(settings)
    await check_database(settings)
    database = await open_database(settings.database_location())
    try:
        store = SqlStore(database, clock, random)
        secrets = await check(store, master, settings.issuer)
        rings = KeyRings(store, master, clock)
        await rings.reload()
        await _follow(store, database, master, clock, random)
        hasher = TokenHasher(secrets["tokens"])
        allocator = StatusAllocator(store, master, clock, random)
        yield Foundation(
            settings=settings,
            clock=clock,
            random=random,
            database=database,
            store=store,
            master=master,
            secrets=secrets,
            rings=rings,
            certificates=Certificates(store, master, settings.issuer, clock, random),
            pairwise=Pairwise(secrets["pairwise"]),
            hasher=hasher,
            authorities=KnownAuthorities(store, clock),
            allocator=allocator,
            mandate_status=MandateStatus(store, allocator, clock, settings.status_url),
            revocation=Revocation(store, clock, random),
            offers=Offers(store, hasher, settings.issuer, clock, random),
            session_list=SessionList(
                store, clock, random, idle=settings.session_idle_minutes * _MINUTE
            ),
        )
    finally:
        await database.close()


async def _follow(
    store: SqlStore, database: Database, master: MasterKey, clock: Clock, random: Random
) -> None:
    """Before any entry is given out: is this database the one that it was?"""
    reopening = StatusReopening(store, master, clock, random)
    closed = await reopening.follow(await lineage(database))
    if not closed:
        return
    import structlog  # no command waits for it otherwise

    logger = structlog.stdlib.get_logger("corpid.foundation")
    for list_id in closed:
        logger.warning("restored or taken over: a status list was closed", list_id=list_id)
