"""`corpid status` and `corpid db backup`."""

from pathlib import Path

from tests.support.cli import Cli


def test_lists_are_shown_and_reopened_after_asking(any_cli: Cli) -> None:
    before = any_cli.json("status", "list")
    assert [one["open"] for one in before] == [True] * 3
    assert before[0]["uri"].endswith(f"/status/{before[0]['list_id']}")
    assert (before[0]["given"], before[0]["size"], before[0]["changes"]) == (0, 1 << 20, 0)
    planned = any_cli.json("status", "reopen")
    ids = [one["list_id"] for one in before]
    assert (planned["dry_run"], sorted(planned["closed"])) == (True, sorted(ids))
    assert any_cli.json("status", "list") == before
    done = any_cli.json("status", "reopen", "--yes")
    assert (done["dry_run"], sorted(done["closed"])) == (False, sorted(ids))
    after = any_cli.json("status", "list")
    assert [one["open"] for one in after] == [False] * 3 + [True] * 3
    assert all(one["closed_at"] for one in after[:3])


def test_a_backup_has_no_open_list_and_is_a_database(cli: Cli, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    made = cli.json("db", "backup", str(copy))
    assert made == {"file": str(copy), "bytes": copy.stat().st_size}
    assert cli.refused("db", "backup", str(copy))[:2] == (1, "not_copied")
    restored = {"DATABASE_URL": f"sqlite:///{copy}"}
    assert [one["open"] for one in cli.json("status", "list", **restored)] == [False] * 3
    shown = cli.json("organisation", "show", "99000001", **restored)["organisation_id"]
    assert shown == cli.json("organisation", "show", "99000001")["organisation_id"]
    assert [one["open"] for one in cli.json("status", "list")] == [True] * 3


def test_nothing_to_copy(empty: Cli, tmp_path: Path) -> None:
    assert empty.refused("db", "backup", str(tmp_path / "b.db"))[:2] == (4, "not_found")


def test_postgresql_has_tools_of_its_own(empty_postgresql: Cli, tmp_path: Path) -> None:
    assert empty_postgresql.refused("db", "backup", str(tmp_path / "b.db"))[:2] == (1, "not_sqlite")
