"""Deferred issuance (OpenID4VCI 1.0, 8.3 and 9): what waits for an operator's yes."""

import asyncio
from typing import Any

import orjson
import pytest

from corpid.domain.errors import NotAllowed, NotFound
from corpid.services.deferrals import LIFETIME_MS, MOST_WAITING, Deferrals
from corpid.storage.database import Database
from corpid.storage.purge import purge
from keys.signer import LocalSigner, generate
from oidc.issuer.metadata import issuer_metadata
from tests.support.asgi import Answer, call
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    World,
    credential_in,
    payload_of,
)

APPROVAL = frozenset({"representative", "company-identity@careful-wallet"})
OPERATOR = "operator:test"
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database, approval=APPROVAL).prepare()


async def collect(world: World, token: str, transaction_id: object, **more: Any) -> Answer:
    headers = await world.wallet().headers(token, "/deferred-credential")
    return await call(
        world.deferred,
        "POST",
        path="/deferred-credential",
        headers=headers,
        body=orjson.dumps({"transaction_id": transaction_id, **more}),
    )


async def begun(world: World, token: str) -> str:
    answer = await world.wallet().ask(token)
    assert answer.status == 202, answer.body
    return str(answer.json["transaction_id"])


async def waiting(world: World) -> str:
    (one,) = await Deferrals(world.store, world.clock).find(everything=False, limit=10)
    return one.deferral_id


async def approve(world: World) -> None:
    deferrals = Deferrals(world.store, world.clock)
    await deferrals.approve(await waiting(world), OPERATOR, "met in person")


def refused(answer: Answer, error: str = "invalid_transaction_id", status: int = 400) -> None:
    assert (answer.status, answer.error) == (status, error)


async def test_8_3_a_credential_that_waits_is_202_with_transaction_id_and_interval(
    world: World,
) -> None:
    answer = await world.wallet().ask(await world.grant())
    assert answer.status == 202
    assert set(answer.json) == {"transaction_id", "interval"}
    assert answer.json["interval"] > 0
    assert answer.header("cache-control") == "no-store"
    assert await world.wrote("credential") == 0


async def test_9_2_pending_is_202_with_the_same_id_then_the_credential_once(world: World) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    pending = await collect(world, token, transaction_id)
    assert (pending.status, pending.json["transaction_id"]) == (202, transaction_id)
    assert pending.json["interval"] > 0
    await approve(world)
    answer = await collect(world, token, transaction_id)
    assert set(answer.json) == {"credentials", "notification_id"}
    bound = payload_of(credential_in(answer))["cnf"]["jwk"]
    assert bound["x"] == world.wallet().holder.public_jwk["x"]
    refused(await collect(world, token, transaction_id))
    assert await world.wrote("credential") == 1
    told = {"notification_id": answer.json["notification_id"], "event": "credential_accepted"}
    assert (await world.wallet().notify(token, told)).status == 204


async def test_a_batch_waits_as_a_whole(world: World) -> None:
    holders: list[LocalSigner] = [generate("ES256") for _ in range(3)]
    wallet, token = world.wallet(), await world.grant()
    proofs = {"jwt": [await wallet.proof(signer=one) for one in holders]}
    body = {"credential_configuration_id": "representative", "proofs": proofs}
    transaction_id = (await wallet.ask(token, body)).json["transaction_id"]
    await approve(world)
    answer = await collect(world, token, transaction_id)
    bound = [payload_of(one["credential"])["cnf"]["jwk"] for one in answer.json["credentials"]]
    assert [jwk["x"] for jwk in bound] == [one.public_jwk["x"] for one in holders]


async def test_two_that_collect_at_once_get_it_once(world: World) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    await approve(world)
    answers = await asyncio.gather(*(collect(world, token, transaction_id) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert await world.wrote("credential") == 1


@SQLITE
async def test_9_3_a_denied_one_is_credential_request_denied_without_the_reason(
    world: World,
) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    await Deferrals(world.store, world.clock).deny(await waiting(world), OPERATOR, "looks forged")
    answer = await collect(world, token, transaction_id)
    refused(answer, "credential_request_denied")
    assert b"forged" not in answer.body


@SQLITE
@pytest.mark.parametrize("value", [None, 7, "", "x", "a.b", "x" * 5000, ["x"]])
async def test_9_3_what_is_no_transaction_id_of_ours_is_refused(
    world: World, value: object
) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    refused(await collect(world, token, value))
    refused(await collect(world, token, transaction_id[:-1]))


@SQLITE
async def test_9_another_holders_or_wallets_transaction_is_unknown(world: World) -> None:
    transaction_id = await begun(world, await world.grant())
    refused(await collect(world, await world.grant(CLERK, MANDATE), transaction_id))
    refused(
        await collect(world, await world.grant(client_id="bank"), transaction_id),
        "invalid_token",
        401,
    )


@SQLITE
async def test_9_the_access_token_must_cover_the_credential(world: World) -> None:
    transaction_id = await begun(world, await world.grant())
    narrow = await world.grant(scope=("credential.company_identity",))
    refused(await collect(world, narrow, transaction_id), "insufficient_scope", 403)
    refused(await collect(world, "cid_at_unknown", transaction_id), "invalid_token", 401)
    later = await world.grant()
    await approve(world)
    assert (await collect(world, later, transaction_id)).status == 200


@SQLITE
async def test_what_was_approved_is_not_collected_for_another_authority(world: World) -> None:
    """Else a yes to one mandate would be a yes to every mandate of the same person."""
    transaction_id = await begun(world, await world.grant(CLERK, MANDATE))
    await approve(world)
    refused(await collect(world, await world.grant(CLERK, "another-mandate"), transaction_id))
    detail = {
        "type": "openid_credential",
        "credential_configuration_id": "representative",
        "credential_identifiers": ["representative/002"],
    }
    another = await world.grant(CLERK, MANDATE, details=(detail,))
    refused(await collect(world, another, transaction_id))
    same = await world.grant(CLERK, MANDATE)
    assert (await collect(world, same, transaction_id)).status == 200


async def test_what_held_at_the_request_must_hold_at_the_issuance(world: World) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    await approve(world)
    await world.store.write(lambda uow: uow.organisations.suspend(ORGANISATION, world.now_ms()))
    refused(await collect(world, token, transaction_id), "credential_request_denied")
    await world.store.write(lambda uow: uow.organisations.resume(ORGANISATION))
    assert (await collect(world, token, transaction_id)).status == 200, "it was not used up"


@SQLITE
async def test_what_would_be_refused_now_does_not_wait(world: World) -> None:
    token = await world.grant()
    await world.store.write(lambda uow: uow.organisations.suspend(ORGANISATION, world.now_ms()))
    refused(await world.wallet().ask(token), "credential_request_denied")
    assert await world.wrote("deferred_issuance") == 0


async def test_asking_again_is_the_same_transaction(world: World) -> None:
    token = await world.grant()
    first = await begun(world, token)
    answers = await asyncio.gather(*(world.wallet().ask(token) for _ in range(4)))
    assert {answer.json["transaction_id"] for answer in answers} == {first}
    assert await world.wrote("deferred_issuance") == 1


@SQLITE
async def test_nobody_fills_the_operators_list(world: World) -> None:
    token, wallet = await world.grant(), world.wallet()
    for _ in range(MOST_WAITING):
        wallet.holder = generate("ES256")
        assert (await wallet.ask(token)).status == 202
    wallet.holder = generate("ES256")
    refused(await wallet.ask(token), "credential_request_denied")
    assert await world.wrote("deferred_issuance") == MOST_WAITING


@SQLITE
async def test_a_replayed_proof_is_refused_here_too(world: World) -> None:
    token = await world.grant()
    transaction_id = await begun(world, token)
    headers = await world.wallet().headers(token, "/deferred-credential")
    body = orjson.dumps({"transaction_id": transaction_id})
    for status in (202, 401):
        answer = await call(
            world.deferred, "POST", path="/deferred-credential", headers=headers, body=body
        )
        assert answer.status == status
    refused(answer, "invalid_dpop_proof", 401)


@SQLITE
async def test_only_what_the_policy_names_waits(world: World) -> None:
    wallet = world.wallet()
    assert (await wallet.ask(await world.grant(), of="company-identity")).status == 200
    metadata = issuer_metadata(world.issuer)
    assert metadata["deferred_credential_endpoint"].endswith("/deferred-credential")
    plain = World(world.database)
    assert "deferred_credential_endpoint" not in issuer_metadata(plain.issuer)
    configuration = world.issuer.config.configurations["company-identity"]
    for client_id, waits in (("careful-wallet", True), ("other", False)):
        token = await world.grant(client_id="")
        found = await world.store.read.provider_reads.access_token(world.hasher.hash(token))
        assert found is not None
        assert found[1] is not None
        grant = found[1]
        grant.client_id = client_id  # type: ignore[misc]
        assert world.issuance.must_wait(grant, configuration) is waits


@SQLITE
async def test_it_waits_for_a_month_and_is_then_forgotten(world: World) -> None:
    transaction_id = await begun(world, await world.grant())
    world.now += LIFETIME_MS / 1000
    refused(await collect(world, await world.grant(), transaction_id))
    deferrals = Deferrals(world.store, world.clock)
    (one,) = await deferrals.find(everything=True, limit=10)
    with pytest.raises(NotAllowed):
        await deferrals.approve(one.deferral_id, OPERATOR, "")
    with pytest.raises(NotFound):
        await deferrals.deny("unknown", OPERATOR, "")
    assert (await purge(world.database, world.now_ms()))["deferred_issuance"] == 0
    world.now += LIFETIME_MS / 1000 + 1
    assert (await purge(world.database, world.now_ms()))["deferred_issuance"] == 1


@SQLITE
async def test_an_operator_decides_once(world: World) -> None:
    await begun(world, await world.grant())
    deferrals = Deferrals(world.store, world.clock)
    deferral_id = await waiting(world)
    await deferrals.deny(deferral_id, OPERATOR, "no")
    with pytest.raises(NotAllowed):
        await deferrals.approve(deferral_id, OPERATOR, "yes after all")
    (denied,) = await world.store.read.operations.audit_rows(10, "issuance.denied")
    assert b"operator:test" in denied
