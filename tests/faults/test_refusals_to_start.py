"""What the service does not start with: it says what to do, in a paragraph, and exits."""

import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.interface import Transaction
from corpid.storage.statement import Statement
from keys.sealing import MasterKey
from tests.support.service_process import Site, new_site

SOON = 30.0
"""Seconds, on a busy machine; it is one or two."""
LONGEST = 600
"""Characters of a message that is one paragraph."""


async def refused(site: Site, **changes: str) -> str:
    """The one paragraph that the service says instead of starting."""
    service = site.start(name="refused", **changes)
    began = time.monotonic()
    status = await service.ended(SOON)
    said = service.tail()
    assert status == 1, (status, said)
    assert time.monotonic() - began < SOON
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if "listens on" not in line]
    assert len(lines) == 1, said
    assert lines[0].startswith("corpid: "), said
    assert len(lines[0]) < LONGEST
    assert site.settings.database_url not in said or site.engine == "sqlite"
    return lines[0]


async def _run(url: str, sql: str) -> None:
    statement = Statement(text(sql))
    database = await open_database(url)

    async def work(transaction: Transaction) -> None:
        await transaction.execute(statement)

    try:
        await database.write(work)
    finally:
        await database.close()


async def test_a_wrong_master_key(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(MasterKey.generate(secrets.token_bytes).text())
    said = await refused(site, master_key_file=str(other))
    assert "master key is not the one" in said
    assert "CORPID_MASTER_KEY_FILE" in said


async def test_a_missing_master_key_is_never_replaced_by_a_new_one(
    site: Site, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.key"
    said = await refused(site, master_key_file=str(missing))
    assert str(missing) in said
    assert "CORPID_MASTER_KEY_FILE" in said
    assert not missing.exists()


async def test_something_else_in_the_place_of_the_master_key(site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.key"
    wrong.write_text("not a key")
    assert "master key" in await refused(site, master_key_file=str(wrong))


async def test_a_database_of_another_issuer(site: Site) -> None:
    said = await refused(site, issuer="http://127.0.0.1:1")
    assert site.issuer in said
    assert "CORPID_ISSUER" in said


async def test_a_database_from_a_newer_version(site: Site) -> None:
    await _run(site.settings.database_url, "UPDATE alembic_version SET version_num = '9999_later'")
    said = await refused(site)
    assert "9999_later" in said
    assert "newer version" in said


async def test_a_database_that_was_migrated_and_never_initialised(
    engine: str, tmp_path: Path, closing: Callable[[Site], None]
) -> None:
    site = await new_site(engine, tmp_path, initialised=False)
    closing(site)
    await migrations.migrate(site.settings.database_url)
    assert "corpid init" in await refused(site)


async def test_no_database_yet(
    engine: str, tmp_path: Path, closing: Callable[[Site], None]
) -> None:
    site = await new_site(engine, tmp_path, initialised=False)
    closing(site)
    said = await refused(site)
    assert "corpid init" in said or "corpid db migrate" in said
    if engine == "sqlite":
        assert not site.database_file.exists()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_port_in_use(site: Site) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = await refused(site, port=str(port))
    assert f"port {port}" in said
    assert "CORPID_PORT" in said


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_file_that_is_no_database(site: Site) -> None:
    site.database_file.write_bytes(b"this is no database" * 1000)
    assert "not a SQLite database" in await refused(site)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_server_that_cannot_be_reached(site: Site) -> None:
    said = await refused(site, database_url="postgresql://sample:secret-word@127.0.0.1:1/none")
    assert "secret-word" not in said


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "http://corp-id.example"),
        ("database_url", "mysql://nobody@127.0.0.1/none"),
        ("port", "70000"),
        ("resource_sectors", "{"),
        ("outbound_networks", "10.0.0.0/8 inside"),
    ],
)
async def test_a_setting_that_is_wrong_is_named(site: Site, name: str, value: str) -> None:
    said = await refused(site, **{name: value})
    assert f"CORPID_{name.upper()}" in said
    assert "nobody" not in said  # the URL is not repeated, for it may hold a password


@pytest.fixture
async def closing() -> AsyncIterator[Callable[[Site], None]]:
    """Closes sites at the end."""
    sites: list[Site] = []
    yield sites.append
    for site in sites:
        await site.close()
