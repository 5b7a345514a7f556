"""Trust in wallet providers: what is in the store is what every process believes, at once."""

import secrets

import pytest

from corpid.domain.errors import AlreadyExists, InvalidValue, NotFound
from corpid.services.wallet_providers import MAX_TRUSTED, KnownAttesters, WalletProviders
from corpid.storage.database import Database
from corpid.storage.store import SqlStore
from oidc.attestation_status import AttestationStatuses
from oidc.attesters import KEYS, WALLETS
from tests.support.attesting import WalletProvider
from tests.support.outbound import TableOutbound

NOW = 1_800_000_000.0
PROVIDER = WalletProvider(NOW)
PEM = PROVIDER.anchors_pem.encode()


def clock() -> float:
    return NOW


def store(database: Database) -> SqlStore:
    return SqlStore(database, clock, secrets.token_bytes)


def known(kept: SqlStore) -> KnownAttesters:
    return KnownAttesters(kept, AttestationStatuses(TableOutbound(), clock))


async def ids(attesters: KnownAttesters, what: str = KEYS) -> list[str]:
    return [one.attester_id for one in await attesters.of(what)]


async def test_trust_begins_and_ends_in_every_process_with_the_next_request(
    database: Database,
) -> None:
    here, there = store(database), store(database)
    providers, elsewhere = WalletProviders(here, clock), known(there)
    assert await ids(elsewhere) == []
    await providers.add("sample-wallet", "operator:test", anchors_pem=PEM)
    assert await ids(elsewhere) == ["sample-wallet"]
    found = await elsewhere.by_id("sample-wallet")
    assert found is not None
    assert found.anchors is not None
    assert await elsewhere.by_id("sample-wallet") is found  # parsed once
    await providers.remove("sample-wallet", "operator:test")
    assert await elsewhere.by_id("sample-wallet") is None
    assert await ids(elsewhere) == []


async def test_each_is_believed_about_what_it_attests_alone(database: Database) -> None:
    providers, found = WalletProviders(store(database), clock), known(store(database))
    jwks = PROVIDER.jwks
    await providers.add("of-keys", "operator:test", jwks=jwks, attests=[KEYS])
    await providers.add("of-wallets", "operator:test", jwks=jwks, attests=[WALLETS])
    assert await ids(found, KEYS) == ["of-keys"]
    assert await ids(found, WALLETS) == ["of-wallets"]


async def test_both_acts_are_in_the_audit_trail(database: Database) -> None:
    kept = store(database)
    providers = WalletProviders(kept, clock)
    await providers.add("sample-wallet", "operator:test", anchors_pem=PEM)
    await providers.remove("sample-wallet", "operator:test")
    rows = b"".join(await kept.read.operations.audit_rows(10))
    assert b"wallet_provider.added" in rows
    assert b"wallet_provider.removed" in rows


async def test_one_name_is_trusted_once_and_what_is_not_trusted_is_not_found(
    database: Database,
) -> None:
    providers = WalletProviders(store(database), clock)
    await providers.add("sample-wallet", "operator:test", anchors_pem=PEM)
    with pytest.raises(AlreadyExists):
        await providers.add("sample-wallet", "operator:test", anchors_pem=PEM)
    with pytest.raises(NotFound):
        await providers.find("other-wallet")
    with pytest.raises(NotFound):
        await providers.remove("other-wallet", "operator:test")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_trust_is_bounded(database: Database) -> None:
    providers = WalletProviders(store(database), clock)
    for number in range(MAX_TRUSTED):
        await providers.add(f"wallet-{number}", "operator:test", anchors_pem=PEM)
    with pytest.raises(InvalidValue, match="at most"):
        await providers.add("one-more", "operator:test", anchors_pem=PEM)
