"""Making a new database's foundations, and checking them at every start.

A database belongs to one issuer and one master key for good: its tokens, credentials and pairwise
subjects carry both. Anything else is refused, clearly, before the service answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from corpid.domain.identifiers import new_id
from corpid.errors import NotInitialised, WrongDatabase
from corpid.services.ports import Store, UnitOfWork
from corpid.services.records import StatusListRow
from keys.clock import Clock, Random
from keys.errors import WrongMasterKey
from keys.keyring import new_record
from keys.ring import KeyRecord, Purpose
from keys.sealing import MasterKey

RINGS: Final[tuple[tuple[Purpose, str], ...]] = (
    ("tokens", "ES256"),
    ("tokens", "RS256"),
    ("credentials", "ES256"),
    ("status", "ES256"),
    ("metadata", "ES256"),
    ("mdoc", "ES256"),
    ("encryption", "ECDH-ES"),
)
SECRETS: Final = ("pairwise", "tokens", "dpop-nonce", "credential-nonce", "cookies")
STATUS_LISTS: Final = 3
STATUS_LIST_SIZE: Final = 1 << 20
STATUS_BITS: Final = 2
_SECRET_BYTES: Final = 32
_ISSUER: Final = "issuer"
_MASTER_CHECK: Final = "master_key_check"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The unsealed secrets of a database, by use. Never rotated: identifiers depend on them."""

    values: Mapping[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        return self.values[name]

    def __repr__(self) -> str:
        return "Secrets(hidden)"


def permutation_context(list_id: str) -> str:
    """What the sealed permutation key of a status list is bound to."""
    return f"status-list/{list_id}"


def new_status_list(master: MasterKey, now_ms: int, random: Random, size: int) -> StatusListRow:
    """An empty status list with a permutation key of its own."""
    list_id = new_id(random)
    sealed = master.seal(random(_SECRET_BYTES), permutation_context(list_id))
    return StatusListRow(
        list_id=list_id,
        bits=STATUS_BITS,
        size=size,
        sealed_permutation_key=sealed,
        reserved=0,
        version=0,
        created_at=now_ms,
    )


async def is_initialised(store: Store) -> bool:
    """Whether the database has its foundations."""
    return _ISSUER in await store.read.operations.meta()


async def initialise(
    store: Store, master: MasterKey, issuer: str, clock: Clock, random: Random
) -> None:
    """Give a migrated, empty database its issuer, secrets, first keys and status lists.

    Raises:
        WrongDatabase: it has them already.
    """
    if await is_initialised(store):
        raise WrongDatabase("this database is initialised already")
    now_ms = int(clock() * 1000)
    keys: list[KeyRecord] = [
        new_record(purpose, alg, master, now_ms, publish_lead_ms=0) for purpose, alg in RINGS
    ]
    secrets = {name: master.seal(random(_SECRET_BYTES), f"secret/{name}") for name in SECRETS}
    lists = [new_status_list(master, now_ms, random, STATUS_LIST_SIZE) for _ in range(STATUS_LISTS)]

    async def work(uow: UnitOfWork) -> None:
        await uow.operations.set_meta(_ISSUER, issuer)
        await uow.operations.set_meta(_MASTER_CHECK, master.check_value())
        for name, sealed in secrets.items():
            await uow.operations.add_secret(name, sealed, now_ms)
        for key in keys:
            await uow.operations.add_key(key)
        for row in lists:
            await uow.status_lists.add(row)
        await uow.operations.audit("service.initialised", {"issuer": issuer})

    await store.write(work)


async def check(store: Store, master: MasterKey, issuer: str) -> Secrets:
    """The database's secrets, once it is sure that it is this issuer's under this master key.

    Raises:
        NotInitialised: the database has no foundations yet.
        WrongDatabase: it was made under another issuer or another master key.
    """
    meta = await store.read.operations.meta()
    if _ISSUER not in meta:
        raise NotInitialised("the database is empty: run `corpid init` once to set it up")
    try:
        master.check(meta[_MASTER_CHECK])
    except WrongMasterKey:
        raise WrongDatabase(
            "the master key is not the one that this database was made with: give the right "
            "CORPID_MASTER_KEY_FILE (nothing was changed)"
        ) from None
    if meta[_ISSUER] != issuer:
        raise WrongDatabase(
            f"this database belongs to the issuer {meta[_ISSUER]}, but CORPID_ISSUER is {issuer}: "
            "set it back, or use another database"
        )
    sealed = await store.read.operations.secrets()
    return Secrets({name: master.open(box, f"secret/{name}") for name, box in sealed.items()})
