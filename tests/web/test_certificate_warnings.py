"""Who keeps the service learns in time that a certificate must be renewed."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from corpid.services.bootstrap import initialise
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.web.app import Application, application
from keys.sealing import MasterKey
from tests.support.asgi import call

DAY = 86_400


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def running(tmp_path: Path, clock: Clock) -> AsyncIterator[Application]:
    master = MasterKey.generate()
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'corpid.db'}",
        master_key=master.text(),
        purge_seconds=3600,
    )
    await migrations.migrate(settings.database_url)
    database = await open_database(settings.database_url)
    store = SqlStore(database, clock, secrets.token_bytes)
    await initialise(store, master, settings.issuer, clock, secrets.token_bytes)
    await database.close()
    async with application(settings, clock=clock) as made:
        yield made


async def test_readiness_and_metrics_tell_of_certificates_that_end(
    running: Application, clock: Clock
) -> None:
    base = running.service.foundation
    assert (await call(running.edge, path="/readyz")).json == {"status": "ready"}
    assert (
        b"corpid_certificate_expires_at_seconds{"
        not in (await call(running.operations, path="/metrics")).body
    )

    await base.certificates.initialise("HK", "Sample Issuer", "operator:test")
    await base.rings.reload()
    assert (await call(running.edge, path="/readyz")).json == {"status": "ready"}
    metrics = (await call(running.operations, path="/metrics")).body.decode()
    told = [one for one in metrics.splitlines() if one.startswith("corpid_certificate_expires_at")]
    assert len(told) == 4
    assert {float(one.split()[-1]) for one in told} == {clock.now + 90 * DAY}
    assert 'purpose="mdoc"' in metrics

    clock.now += 77 * DAY
    assert (await call(running.edge, path="/readyz")).json == {
        "status": "ready",
        "renew_certificates": ["credentials", "mdoc", "metadata", "status"],
    }


async def test_the_root_and_its_revocation_list_are_published(running: Application) -> None:
    base = running.service.foundation
    assert (await call(running.edge, path="/pki/root.cer")).status == 404
    await base.certificates.initialise("HK", "Sample Issuer", "operator:test")
    await base.rings.reload()
    for file, kind in (("root.cer", "application/pkix-cert"), ("iaca.crl", "application/pkix-crl")):
        answer = await call(running.edge, path=f"/pki/{file}")
        assert (answer.status, answer.header("content-type")) == (200, kind)
