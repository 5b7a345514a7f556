"""A service that runs offers mdocs as soon as their signing key has a certificate."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from corpid.services.bootstrap import initialise
from corpid.services.detail_types import CREDENTIAL, detail_types
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
