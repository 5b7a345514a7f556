"""What counts once, counts once: on both databases, with two processes' worth of connections."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support import stored
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import (
    ALL_GRANTS,
    API,
    NOW,
    PRE_AUTHORIZED,
    REDIRECT,
    World,
    client,
    key,
)

MACHINE = {"grant_type": "client_credentials", "resource": API}


class Process:
    """A world over a database connection of its own."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.world = World(store=store.provider)


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[list[Process]]:
    databases = [await open_database(database_url) for _ in range(2)]
    running = [
        Process(SqlStore(database, lambda: NOW, secrets.token_bytes)) for database in databases
    ]
    await register(running[0].store)
    yield running
    for database in databases:
        await database.close()


async def register(store: SqlStore) -> None:
    for client_id in ("bank", "service"):
        known = client(client_id)
        record = stored.client(
            client_id,
            sector=known.sector,
            metadata={
                "profile": "fapi2" if client_id == "bank" else "oidc",
                "redirect_uris": [REDIRECT],
                "scope": "openid mandate offline_access",
                "grant_types": sorted(ALL_GRANTS),
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [dict(key(client_id).public_jwk)]},
                "resources": [API],
            },
        )
        await store.write(lambda uow, record=record: uow.clients.add(record))  # type: ignore[misc]
    app = {
        "profile": "oidc",
        "redirect_uris": [REDIRECT],
        "scope": "openid mandate offline_access",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    }
    record = stored.client("app", sector="app.example", metadata=app)
    await store.write(lambda uow: uow.clients.add(record))


async def ended(process: Process) -> bool:
    found = await process.world.store.read.code(process.world.hash("cid_ac_1"))
    assert found is not None
    return found[1].ended_at is not None


async def test_of_two_redemptions_in_two_processes_one_wins_and_the_family_ends(
    processes: list[Process],
) -> None:
    first, second = (process.world for process in processes)
    await first.add_grant()
    code = await first.add_code()
    proofs = [await first.proof() for _ in range(2)]
    answers = await asyncio.gather(
        first.redeem(code, "bank", proofs[0]), second.redeem(code, "bank", proofs[1])
    )
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert await ended(processes[0])
    (won,) = (answer.json for answer in answers if answer.status == 200)
    token = won["access_token"]
    for world in (first, second):
        proof = await world.proof(path="/userinfo", method="GET", token=token)
        header = (b"authorization", f"DPoP {token}".encode())
        assert (await world.userinfo("GET", header, proof)).error == "invalid_token"


async def test_of_two_refreshes_in_two_processes_one_wins_and_the_family_ends(
    processes: list[Process],
) -> None:
    first, second = (process.world for process in processes)
    await first.add_grant(client_id="app")
    await first.add_refresh_token()
    form = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", "client_id": "app"}
    answers = await asyncio.gather(first.token(None, form), second.token(None, form))
    assert sorted(answer.status for answer in answers) == [200, 400]
    (won,) = (answer.json for answer in answers if answer.status == 200)
    (lost,) = (answer for answer in answers if answer.status == 400)
    assert lost.error == "invalid_grant"
    for world in (first, second):
        again = await world.token(None, {**form, "refresh_token": won["refresh_token"]})
        assert again.error == "invalid_grant"
        bearer = (b"authorization", f"Bearer {won['access_token']}".encode())
        assert (await world.userinfo("GET", bearer)).error == "invalid_token"


async def test_a_wrong_verifier_leaves_the_code_for_the_right_one(
    processes: list[Process],
) -> None:
    world = processes[0].world
    await world.add_grant()
    code = await world.add_code()
    wrong = await world.redeem(code, "bank", await world.proof(), code_verifier="w" * 43)
    assert wrong.error == "invalid_grant"
    assert (await world.redeem(code, "bank", await world.proof())).status == 200
    assert not await ended(processes[0])


async def test_an_assertion_counts_once_across_processes(processes: list[Process]) -> None:
    form = {**await processes[0].world.proving("service"), **MACHINE}
    answers = await asyncio.gather(
        *(post_form(process.world.token_endpoint, form) for process in processes * 3)
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 5


async def test_a_proof_counts_once_across_processes(processes: list[Process]) -> None:
    proof = await processes[0].world.proof()
    answers = await asyncio.gather(
        *(process.world.token("bank", MACHINE, proof) for process in processes * 3)
    )
    assert sorted(answer.status for answer in answers) == [200] + [400] * 5
    assert {answer.error for answer in answers if answer.status == 400} == {"invalid_dpop_proof"}


async def test_what_was_burnt_stays_burnt_after_a_restart(
    processes: list[Process], database_url: str
) -> None:
    form = {**await processes[0].world.proving("service"), **MACHINE, "resource": "unknown"}
    refused = await post_form(processes[0].world.token_endpoint, form)
    assert refused.error == "invalid_target"
    again = await open_database(database_url)
    world = Process(SqlStore(again, lambda: NOW, secrets.token_bytes)).world
    replay = await post_form(world.token_endpoint, {**form, "resource": API})
    assert replay.error == "invalid_client"
    await again.close()


async def redeem_offer(world: World, tx_code: str) -> Answer:
    form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "cid_pc_1", "tx_code": tx_code}
    return await world.token(None, form, await world.proof())


async def add_offer(process: Process) -> None:
    await stored.populate(process.store)
    offer = stored.offer(
        code_hash=process.world.hash("cid_pc_1"),
        transaction_code_hash=process.world.hash("4711"),
        created_at=NOW * 1000,
        expires_at=NOW * 1000 + 600_000,
    )
    await process.store.write(lambda uow: uow.credentials.add_offer(offer))


async def test_an_offer_counts_once_across_processes(processes: list[Process]) -> None:
    await add_offer(processes[0])
    answers = await asyncio.gather(
        *(redeem_offer(process.world, "4711") for process in processes * 2)
    )
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]


async def test_guesses_at_the_same_moment_end_the_offer(processes: list[Process]) -> None:
    await add_offer(processes[0])
    guesses = [f"{n:04}" for n in range(10)]
    answers = await asyncio.gather(
        *(redeem_offer(processes[n % 2].world, guess) for n, guess in enumerate(guesses))
    )
    assert {answer.error for answer in answers} == {"invalid_grant"}
    assert (await redeem_offer(processes[0].world, "4711")).error == "invalid_grant"


async def test_a_client_disabled_in_one_process_is_refused_by_the_other(
    processes: list[Process],
) -> None:
    first, second = processes
    assert await second.world.machine_token()
    await first.store.write(lambda uow: uow.clients.disable("service", NOW * 1000))
    answer = await second.world.token("service", MACHINE)
    assert (answer.status, answer.error) == (401, "invalid_client")
