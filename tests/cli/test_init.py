"""`corpid init`, and every way in which a database or master key is not the right one."""

import sqlite3
import stat
from pathlib import Path

import pytest

from keys.sealing import MasterKey
from tests.support.cli import ISSUER, Cli


def test_init_makes_key_database_and_secrets_once(empty: Cli) -> None:
    made = empty.json("init")
    key = empty.folder / "master.key"
    assert made["initialised"] is True
    assert made["master_key_created"] == str(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    MasterKey.from_text(key.read_text())

    before = key.read_bytes()
    again = empty.json("init")
    assert again["already"] is True
    assert again["initialised"] is False
    assert again["master_key_created"] is None
    assert key.read_bytes() == before


def test_init_on_postgresql(empty_postgresql: Cli) -> None:
    assert empty_postgresql.json("init")["initialised"] is True
    assert empty_postgresql.json("init")["already"] is True
    purposes = {one["purpose"] for one in empty_postgresql.json("key", "list")}
    assert purposes >= {"tokens", "credentials", "status", "metadata"}
    assert empty_postgresql.json("config", "check")["ok"] is True


def test_init_takes_a_key_file_that_is_there(empty: Cli) -> None:
    key = empty.folder / "master.key"
    text = MasterKey.generate().text()
    key.write_text(text)
    assert empty.json("init")["master_key_created"] is None
    assert key.read_text() == text
    empty.json("config", "check")


def test_init_takes_the_key_from_the_environment_and_makes_no_file(empty: Cli) -> None:
    text = MasterKey.generate().text()
    assert empty.json("init", MASTER_KEY=text)["master_key_created"] is None
    assert not (empty.folder / "master.key").exists()
    empty.json("config", "check", MASTER_KEY=text)


def test_init_with_a_database_and_no_key_refuses_and_makes_none(cli: Cli) -> None:
    (cli.folder / "master.key").unlink()
    code, error, message = cli.refused("init")
    assert (code, error) == (1, "wrong_database")
    assert "backup" in message
    assert not (cli.folder / "master.key").exists()


@pytest.mark.parametrize(
    "command", [("init",), ("organisation", "show", "99000001"), ("config", "check")]
)
def test_a_wrong_master_key_is_refused(cli: Cli, command: tuple[str, ...]) -> None:
    (cli.folder / "master.key").write_text(MasterKey.generate().text())
    code, error, message = cli.refused(*command)
    assert (code, error) == (1, "wrong_database")
    assert "master key" in message


def test_a_malformed_master_key_is_refused(cli: Cli) -> None:
    (cli.folder / "master.key").write_text("not a key")
    assert cli.refused("key", "list")[:2] == (1, "malformed_key")


@pytest.mark.parametrize("command", [("init",), ("organisation", "list", "sample")])
def test_a_database_of_another_issuer_is_refused(cli: Cli, command: tuple[str, ...]) -> None:
    code, error, message = cli.refused(*command, ISSUER="https://other.example")
    assert (code, error) == (1, "wrong_database")
    assert ISSUER in message
    assert "https://other.example" in message


@pytest.mark.parametrize(
    "command", [("init",), ("db", "migrate"), ("organisation", "show", "99000001")]
)
def test_a_database_of_a_newer_version_is_refused(cli: Cli, command: tuple[str, ...]) -> None:
    _stamp(cli.folder / "corpid.db", "9999")
    code, error, message = cli.refused(*command)
    assert (code, error) == (1, "made_by_newer_version")
    assert "newer" in message


def test_init_with_a_newer_database_makes_no_key(cli: Cli) -> None:
    _stamp(cli.folder / "corpid.db", "9999")
    (cli.folder / "master.key").unlink()
    assert cli.refused("init")[0] == 1
    assert not (cli.folder / "master.key").exists()


def test_without_a_database_every_command_says_init(empty: Cli) -> None:
    (empty.folder / "master.key").write_text(MasterKey.generate().text())
    code, error, message = empty.refused("organisation", "show", "99000001")
    assert (code, error) == (1, "not_initialised")
    assert "corpid init" in message
    assert not (empty.folder / "corpid.db").exists()


def test_init_where_there_is_no_directory(empty: Cli) -> None:
    elsewhere = f"sqlite:///{empty.folder / 'nowhere' / 'corpid.db'}"
    assert empty.refused("init", DATABASE_URL=elsewhere)[:2] == (1, "no_directory")


def test_db_migrate_needs_no_master_key(empty: Cli) -> None:
    migrated = empty.json("db", "migrate")
    assert migrated["before"] is None
    assert migrated["changed"] is True
    again = empty.json("db", "migrate")
    assert again["changed"] is False
    assert again["revision"] == migrated["revision"]
    assert not (empty.folder / "master.key").exists()
    # A migrated database is not set up yet: the key is made now.
    assert empty.json("init")["master_key_created"] is not None


def _stamp(path: Path, revision: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
