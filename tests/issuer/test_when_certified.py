"""A service that runs offers mdocs, and proves its status lists, as soon as keys are certified."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from corpid.services.bootstrap import initialise
from corpid.services.detail_types import CREDENTIAL, detail_types
from corpid.services.signed_status_list import carries_chain
from corpid.services.status_publisher import StatusPublisher
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.wiring.attestation import known_attesters
from corpid.wiring.credential_formats import WorkingConfigurations
from corpid.wiring.foundation import Foundation, foundation
from corpid.wiring.issuing import credential_issuance, credential_issuer
from corpid.wiring.outbound import outbound
from corpid.wiring.service import KeyWatch
from keys.sealing import MasterKey
from oidc.errors import InvalidAuthorizationDetails
from oidc.issuer.metadata import MetadataEndpoint
from tests.support.asgi import call

NOW = 1_790_000_000.0
LATER = NOW + 1
MDOC = "company-identity-mdoc"


async def made(folder: Path) -> Settings:
    master = MasterKey.generate()
    settings = Settings(
        database_url=f"sqlite:///{folder}/test.db", master_key=master.text(), master_key_file=None
    )
    await migrations.migrate(settings.database_url)
    database = await open_database(settings.database_url)
    store = SqlStore(database, lambda: NOW, secrets.token_bytes)
    await initialise(store, master, settings.issuer, lambda: NOW, secrets.token_bytes)
    await database.close()
    return settings


def endpoint(base: Foundation, configurations: WorkingConfigurations) -> MetadataEndpoint:
    attesters = known_attesters(base, outbound(base.settings))
    issuance = credential_issuance(base)
    return MetadataEndpoint(credential_issuer(base, issuance, configurations, attesters))


async def shown(metadata: MetadataEndpoint) -> set[str]:
    answer = await call(metadata, "GET", path="/.well-known/openid-credential-issuer")
    return set(answer.json["credential_configurations_supported"])


async def test_metadata_and_authorization_details_follow_the_keys(tmp_path: Path) -> None:
    settings = await made(tmp_path)
    asked: dict[str, Any] = {"type": CREDENTIAL, "credential_configuration_id": MDOC}
    async with foundation(settings, clock=lambda: NOW) as service:
        configurations = WorkingConfigurations(service)
        watch = KeyWatch(service, configurations)
        metadata = endpoint(service, configurations)
        details = detail_types(configurations, service.clock)[CREDENTIAL]
        await watch.look()
        assert MDOC not in await shown(metadata)
        with pytest.raises(InvalidAuthorizationDetails):
            details.read(asked)

        async with foundation(settings, clock=lambda: NOW) as operator:  # another process
            await operator.certificates.initialise("HK", "Sample Issuer", "operator:test")
        await watch.look()
        assert MDOC in await shown(metadata)
        assert details.read(asked) == asked


def chains(publisher: StatusPublisher) -> list[bool]:
    """Of each list that is served, whether its header has a certificate chain."""
    found = [publisher.current(uri.rpartition("/")[2]) for uri in publisher.uris()]
    assert all(found)
    return [carries_chain(one.body.decode()) for one in found if one is not None]


async def test_status_lists_carry_the_chain_as_soon_as_there_is_one(tmp_path: Path) -> None:
    """Not only once they have grown old: verifiers by HAIP look for the chain."""
    settings = await made(tmp_path)
    now = NOW
    async with foundation(settings, clock=lambda: now) as service:
        configurations = WorkingConfigurations(service)
        watch = KeyWatch(service, configurations)
        await watch.look()
        publisher, beside = (
            StatusPublisher(service.store, service.rings, service.clock, settings.status_url)
            for _ in range(2)
        )
        await publisher.refresh()
        await beside.refresh()
        assert not any(chains(publisher))
        async with foundation(settings, clock=lambda: now) as operator:  # another process
            await operator.certificates.initialise("HK", "Sample Issuer", "operator:test")
        now = LATER
        await watch.look()
        await publisher.refresh()
        assert all(chains(publisher))
        signed = [publisher.current(uri.rpartition("/")[2]) for uri in publisher.uris()]
        now = LATER + 1
        await beside.refresh()  # takes it over
        await publisher.refresh()
        again = [beside.current(uri.rpartition("/")[2]) for uri in publisher.uris()]
        assert [one and one.etag for one in again] == [one and one.etag for one in signed]
