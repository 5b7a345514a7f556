"""HAIP 1.0 at the credential endpoint: who gets a credential where it is required."""

from dataclasses import replace
from typing import Any

import pytest

from corpid.services.ports import UnitOfWork
from corpid.services.records import ClientRecord
from corpid.storage.database import Database
from keys.signer import generate
from oidc.issuer.credential import CredentialEndpoint
from tests.support.asgi import Answer
from tests.support.attesting import TableAttesters, WalletProvider
from tests.support.issuer_world import NOW, World

PROVIDER = WalletProvider(NOW)
HOLDER = generate("ES256")


async def world_with(database: Database, *, haip: bool, by: str = "x5c") -> World:
    """An issuer with three clients: a wallet of the profile, one of another, a disabled one."""
    world = await World(database, haip=haip).prepare()
    trusted = TableAttesters(PROVIDER.trusted(by=by))
    world.issuer = replace(world.issuer, attesters=trusted)
    world.credential = CredentialEndpoint(world.issuer)

    async def work(uow: UnitOfWork) -> None:
        for name, profile in (("of-the-profile", "haip"), ("of-another", "fapi2")):
            record: dict[str, Any] = {"profile": profile, "client_name": "Sample Wallet"}
            await uow.clients.add(ClientRecord(name, "wallet.example", record, None, 1, 1))
        await uow.operations.bump("clients")

    await world.store.write(work)
    return world


async def ask(world: World, client_id: str) -> Answer:
    return await world.wallet().ask(await world.grant(client_id=client_id))


async def test_haip_4_4_1_credentials_are_for_wallets_of_the_profile(database: Database) -> None:
    world = await world_with(database, haip=True)
    assert (await ask(world, "of-the-profile")).status == 200
    for client_id in ("of-another", ""):
        answer = await ask(world, client_id)
        assert (answer.status, answer.error) == (400, "credential_request_denied")
        assert answer.json["error_description"].startswith("HAIP 4.4.1")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_where_it_is_not_required_every_wallet_gets_them(database: Database) -> None:
    world = await world_with(database, haip=False)
    for client_id in ("of-the-profile", "of-another", ""):
        assert (await ask(world, client_id)).status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("haip", "status"), [(True, 400), (False, 200)])
async def test_haip_4_5_1_the_certificate_of_a_key_attestation_is_in_x5c(
    database: Database, haip: bool, status: int
) -> None:
    world = await world_with(database, haip=haip, by="jwks")
    compact = await PROVIDER.key_attestation(HOLDER, nonce=world.wallet().nonce(), header={})
    body = {
        "credential_configuration_id": "representative",
        "proofs": {"attestation": [compact]},
    }
    answer = await world.wallet().ask(await world.grant(client_id="of-the-profile"), body)
    assert answer.status == status
    if haip:
        assert answer.error == "invalid_proof"
        assert "must be in x5c" in answer.json["error_description"]
