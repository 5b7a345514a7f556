"""Bounded storage: a self-registered client that nobody used goes."""

from typing import Any

from sqlalchemy import func, select

from corpid.services.ports import UnitOfWork
from corpid.services.records import Consent
from corpid.storage.constructs import table
from corpid.storage.purge import TOKENS_KEPT, purge
from corpid.storage.statement import Statement
from corpid.storage.unused_clients import purge_unused_clients, unused_clients
from tests.support.provider_world import basic
from tests.support.registration_world import RegistrationWorld

OIDC: dict[str, Any] = {
    "profile": "oidc",
    "token_endpoint_auth_method": "client_secret_basic",
    "jwks": None,
}


async def rows(world: RegistrationWorld, name: str) -> int:
    row = await world.database.one(Statement(select(func.count()).select_from(table(name))))
    assert row is not None
    return int(row[0])


async def test_an_unused_client_goes_with_all_of_it(world: RegistrationWorld) -> None:
    client = await world.registered(**OIDC)
    now_ms = int(world.now * 1000)
    assert await purge_unused_clients(world.database, now_ms) == 0
    assert await unused_clients(world.database, now_ms + 1) == 1
    credentials = basic(client["client_id"], client["client_secret"])
    assert (await world.form("/introspect", {"token": "x"}, credentials)).status == 200
    assert await purge_unused_clients(world.database, now_ms + 1) == 1
    for name in ("client", "client_policy", "client_registration", "sector"):
        assert await rows(world, name) == 0, name
    # The next request already is a stranger's, whatever a process had kept of the client.
    assert (await world.form("/introspect", {"token": "x"}, credentials)).status == 401
    assert (await world.manage("GET", client)).status == 401


async def test_many_go_in_small_batches(world: RegistrationWorld) -> None:
    for _ in range(5):
        await world.registered()
    pauses = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    later = int(world.now * 1000) + 1
    assert await purge_unused_clients(world.database, later, batch=2, pause=pause) == 5
    assert len(pauses) == 2


async def test_a_client_that_somebody_agreed_to_stays(world: RegistrationWorld) -> None:
    from tests.support.stored import populate

    await populate(world.store)
    client = await world.registered()
    consent = Consent("per-1", "org-1", client["client_id"], frozenset({"openid"}), "", 1)

    async def agree(uow: UnitOfWork) -> None:
        await uow.sign_ins.give_consent(consent)

    await world.store.write(agree)
    assert await purge_unused_clients(world.database, int(world.now * 1000) + 1) == 0
    assert (await world.manage("GET", client)).status == 200


async def test_an_operators_client_stays(world: RegistrationWorld) -> None:
    from corpid.domain.languages import Names
    from corpid.services.client_metadata import Registration
    from corpid.services.clients import Clients

    base = world.built.service.foundation
    wanted = Registration(Names(en="Sample"), profile="oidc", redirect_uris=("https://x.example/",))
    await Clients(base.store, base.clock, base.random).add(wanted, "operator:test")
    await world.registered(redirect_uris=["https://x.example/other"])
    assert await purge_unused_clients(world.database, int(world.now * 1000) + 1) == 1
    assert (await rows(world, "client"), await rows(world, "sector")) == (1, 1)


async def test_a_token_goes_a_month_after_its_end(world: RegistrationWorld) -> None:
    await world.initial_token(days=1)
    end = int(world.now * 1000) + 86_400_000
    assert (await purge(world.database, end + TOKENS_KEPT))["registration_token"] == 0
    assert (await purge(world.database, end + TOKENS_KEPT + 1))["registration_token"] == 1
