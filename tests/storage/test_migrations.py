"""The migrations make the schema that the code works with, on both engines, once."""

import asyncio
import re
import sqlite3
import stat
from pathlib import Path
from typing import Any

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool

from corpid.storage import migrations
from corpid.storage.constructs import table
from corpid.storage.database import open_database
from corpid.storage.errors import StorageError, StorageUnavailable
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from corpid.storage.tables import metadata
from tests.support import postgres
from tests.support.databases import ddl

# What two databases must have in common, each as one text per thing, from PostgreSQL's catalogue.
CATALOGUE = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
       || ' ' || coalesce(column_default, '-') || ' ' || coalesce(collation_name, '-')
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


async def _fetch(url: str, query: str) -> list[Any]:
    import asyncpg  # type: ignore[import-untyped]

    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new.db'}"


@pytest.fixture
async def empty_url(engine: str, sqlite_url: str) -> Any:
    if engine == "sqlite":
        yield sqlite_url
        return
    url = await postgres.new_database()
    yield url
    await postgres.drop_database(url)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _sqlite_schema(url: str) -> dict[str, set[str]]:
    """Name of each table and index to its definition, without regard to order and blanks."""
    connection = sqlite3.connect(_file(url))
    try:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
    finally:
        connection.close()
    # A column that was added later stands on the line of the one before it.
    ends = re.compile(r",\s*\n|\n|, (?=\w+ (?:TEXT|BIGINT|BLOB)\b)")
    return {
        name: {re.sub(r"\s+", " ", part).strip() for part in ends.split(sql)}
        for name, sql in rows
        if name != "alembic_version"
    }


async def test_migrated_sqlite_has_the_tables_of_the_code(sqlite_url: str, tmp_path: Path) -> None:
    await migrations.migrate(sqlite_url)
    other = f"sqlite:///{tmp_path / 'other.db'}"
    connection = sqlite3.connect(_file(other))
    connection.executescript(";".join(ddl(metadata, "sqlite")))
    connection.close()
    assert _sqlite_schema(sqlite_url) == _sqlite_schema(other)


async def test_alembic_finds_no_difference_on_sqlite(sqlite_url: str) -> None:
    await migrations.migrate(sqlite_url)
    engine = create_engine(sqlite_url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


async def test_migrated_postgresql_has_the_tables_of_the_code() -> None:
    migrated, made = await postgres.new_database(), await postgres.new_database()
    try:
        await migrations.migrate(migrated)
        await postgres.execute(made, *ddl(metadata, "postgresql"))
        left, right = [
            {line for line in await _fetch(url, CATALOGUE) if "alembic_version" not in line}
            for url in (migrated, made)
        ]
        assert left == right
        assert len(left) > 300
    finally:
        await postgres.drop_database(migrated)
        await postgres.drop_database(made)


async def test_migrating_says_the_revision_and_twice_changes_nothing(empty_url: str) -> None:
    assert await migrations.current(empty_url) is None
    assert await migrations.migrate(empty_url) == migrations.head()
    assert await migrations.current(empty_url) == migrations.head()
    assert await migrations.migrate(empty_url) == migrations.head()
    await migrations.check(empty_url)


async def test_several_that_migrate_at_once_wait_for_one(empty_url: str) -> None:
    revisions = await asyncio.gather(*(migrations.migrate(empty_url) for _ in range(4)))
    assert set(revisions) == {migrations.head()}


async def test_a_database_that_was_not_migrated_is_refused_with_the_command(
    empty_url: str,
) -> None:
    with pytest.raises(migrations.NotMigrated, match="corpid db migrate"):
        await migrations.check(empty_url)


async def _pretend(url: str, revision: str) -> None:
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(_file(url))
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        await postgres.execute(url, statement)


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty_url: str) -> None:
    await migrations.migrate(empty_url)
    await _pretend(empty_url, "9999")
    with pytest.raises(migrations.MadeByNewerVersion, match="made by a newer version"):
        await migrations.check(empty_url)
    with pytest.raises(migrations.MadeByNewerVersion, match="9999"):
        await migrations.migrate(empty_url)
    assert await migrations.current(empty_url) == "9999"


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last table is there already, so the migration fails at its end."""
    statement = "CREATE TABLE mandate_event (something TEXT)"
    if empty_url.startswith("sqlite"):
        connection = sqlite3.connect(_file(empty_url))
        connection.execute(statement)
        connection.close()
    else:
        await postgres.execute(empty_url, statement)
    with pytest.raises(StorageError, match="mandate_event"):
        await migrations.migrate(empty_url)
    assert await migrations.current(empty_url) is None
    with pytest.raises(migrations.NotMigrated):
        await migrations.check(empty_url)
    if empty_url.startswith("sqlite"):
        assert set(_sqlite_schema(empty_url)) == {"mandate_event"}
    else:
        tables = await _fetch(
            empty_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        assert tables == ["mandate_event"]


async def test_asking_for_the_revision_makes_no_file(sqlite_url: str) -> None:
    assert await migrations.current(sqlite_url) is None
    assert not _file(sqlite_url).exists()


async def test_a_new_sqlite_file_is_private(sqlite_url: str) -> None:
    await migrations.migrate(sqlite_url)
    assert stat.S_IMODE(_file(sqlite_url).stat().st_mode) == 0o600


async def test_a_folder_that_is_not_there_is_an_error_of_storage(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        await migrations.migrate(f"sqlite:///{tmp_path / 'missing' / 'new.db'}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///x.db?mode=ro", "sqlite://host/x.db"])
async def test_a_malformed_url_is_an_error_of_storage(url: str) -> None:
    with pytest.raises(StorageError):
        await migrations.current(url)


async def _at_revision(url: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = alembic.command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(
            "alembic.command.upgrade",
            lambda config, to, **more: whole(config, to.replace("head", revision), **more),
        )
        await migrations.migrate(url)
    assert await migrations.current(url) == revision


async def _run(url: str, *statements: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(_file(url))
        connection.executescript(";".join(statements))
        connection.close()
    else:
        octets = (re.sub(r"X'([0-9a-f]+)'", r"'\\x\1'", one) for one in statements)
        await postgres.execute(url, *octets)


async def test_0009_says_of_the_credentials_that_there_are_what_they_were(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _at_revision(empty_url, "0008", monkeypatch)
    statements = (
        "INSERT INTO organisation (organisation_id, created_at) VALUES ('org-1', 1)",
        "INSERT INTO person (person_id, name_en, name_zh_hant, name_zh_hans, created_at) "
        "VALUES ('per-1', 'Sample Person', '', '', 1)",
        "INSERT INTO status_list (list_id, bits, size, sealed_permutation_key, reserved, version, "
        "published_version, created_at) VALUES ('list-1', 2, 8, X'00', 0, 0, -1, 1)",
        "INSERT INTO credential VALUES ('cred-1', 'representative', 'org-1', 'per-1', 'rep-1', "
        "'grant-1', 'thumb', 'list-1', 7, 'accepted', X'02', 'kid-1', 3, 9, 4, '')",
    )
    await _run(empty_url, *statements)
    await migrations.migrate(empty_url)
    database = await open_database(empty_url)
    try:
        kept = await SqlStore(database, lambda: 0, bytes).read.credentials.by_id("cred-1")
        assert kept is not None
        assert (kept.credential_type, kept.type_version) == ("representative", "1")
        assert (kept.credential_format, kept.entry.index) == ("dc+sd-jwt", 7)
    finally:
        await database.close()


async def test_0003_keeps_sessions_and_messages(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _at_revision(empty_url, "0002", monkeypatch)
    statements = (
        "INSERT INTO person (person_id, name_en, name_zh_hant, name_zh_hans, created_at) "
        "VALUES ('per-1', 'Sample Person', '', '', 1)",
        "INSERT INTO session (session_hash, session_id, person_id, assurance, methods, "
        "signed_in_at, expires_at) VALUES (X'01', 'ses-1', 'per-1', 'loa2', 'pwd', 5, 9)",
        "INSERT INTO outbox (message_id, topic, body, created_at, due_at, attempts) "
        "VALUES (X'02', 'revocation', X'7b7d', 3, 3, 0)",
    )
    await _run(empty_url, *statements)
    assert await migrations.migrate(empty_url) == migrations.head()
    database = await open_database(empty_url)
    try:
        store = SqlStore(database, lambda: 0, bytes)
        session = await store.read.sign_ins.session_by_id("ses-1")
        assert session is not None
        assert (session.began_at, session.seen_at, session.browser) == (5, 5, "")
        row = await database.one(Statement(select(*table("outbox").c)))
        assert row == (b"\x02", "revocation", "", b"{}", 3, 3, 0, None)
    finally:
        await database.close()
