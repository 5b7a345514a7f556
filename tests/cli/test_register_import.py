"""`corpid register import`: streaming, bad rows, idempotent, resumable, with its history."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from tests.support.cli import Cli, audited

ROWS = 20_000
TABLES = ("organisation", "identifier", "registration", "organisation_name", "branch", "audit")


def row(number: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "Brn": number,
        "English_Company_Name": name,
        "Chinese_Company_Name": "",
        "Address_of_Registered_Office": "1 EXAMPLE ROAD, HONG KONG",
        "Company_Type": "Private company limited by shares",
        "Date_of_Incorporation": "14-03-2011",
    } | more


def write(path: Path, rows: list[Any]) -> str:
    """One row a line, as the Registry's files have it."""
    lines = (one if isinstance(one, str) else json.dumps(one) for one in rows)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
    return str(path)


def state(cli: Cli) -> dict[str, Any]:
    """Rows of every table that an import writes, and the change counters."""
    url = cli.environment["CORPID_DATABASE_URL"]

    async def read() -> dict[str, Any]:
        from sqlalchemy import func, select

        from corpid.storage.constructs import table
        from corpid.storage.statement import Statement

        database = await open_database(url)
        try:
            counts: dict[str, Any] = {}
            for name in TABLES:
                statement = Statement(select(func.count()).select_from(table(name)))
                found = await database.one(statement)
                assert found is not None
                counts[name] = found[0]
            store = SqlStore(database, lambda: 0.0, bytes)
            return counts | {"changes": await store.read.operations.changes()}
        finally:
            await database.close()

    return asyncio.run(read())


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows: list[Any] = [row(f"{10_000_000 + n}", f"SAMPLE {n} LIMITED") for n in range(ROWS)]
    rows[100] = row("1234567", "TOO SHORT LIMITED")
    rows[5_000] = row("99999999", "", Chinese_Company_Name="NULL")
    rows[9_999] = row("99999998", "BAD DATE LIMITED", Date_of_Incorporation="31-02-2020")
    rows[15_000] = "{ this is no JSON }"
    rows[19_998] = row("10000000", "SAME NUMBER AGAIN LIMITED")
    return write(tmp_path_factory.mktemp("register") / "big.json", rows)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_large_file_loses_no_good_row_and_twice_writes_nothing(
    engine: str, big_file: str, request: pytest.FixtureRequest
) -> None:
    cli: Cli = request.getfixturevalue("empty" if engine == "sqlite" else "empty_postgresql")
    cli.json("init")
    first = cli.json("register", "import", big_file, "--as-of", "2026-11-01")
    assert (first["rows"], first["added"], first["bad"]) == (ROWS, ROWS - 5, 5)
    assert first["complete"] is True
    reasons = {one["line"]: one["reason"] for one in first["problems"]}
    assert set(reasons) == {102, 5_002, 10_001, 15_002, 20_000}
    assert "7 characters" in reasons[102]
    assert "name" in reasons[5_002]
    assert "31-02-2020" in reasons[10_001]
    assert "same number" in reasons[20_000]
    last = cli.json("register", "show", f"{10_000_000 + ROWS - 1}")
    assert (last["source"], last["as_of"]) == ("hk.companies_registry", "2026-11-01")

    before = state(cli)
    again = cli.json("register", "import", big_file, "--as-of", "2026-11-22")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, ROWS - 5)
    assert again["bad"] == 5
    assert state(cli) == before


def test_a_changed_fact_ends_the_old_one_and_keeps_it(cli: Cli) -> None:
    path = cli.folder / "register.json"
    cli.json("register", "import", write(path, [row("10000001", "SAMPLE OLD LIMITED")]))
    old = cli.json("register", "show", "10000001")
    changed = [row("10000001", "SAMPLE NEW LIMITED", Company_Status="dissolved")]
    report = cli.json("register", "import", write(path, changed))
    assert (report["added"], report["changed"], report["ended"]) == (0, 1, 1)
    assert cli.json("register", "show", "10000001")["status"] == "dissolved"
    assert cli.json("organisation", "list", "sample old") == []
    assert [one["number"] for one in cli.json("organisation", "list", "sample new")] == ["10000001"]
    then = cli.json("register", "show", "10000001", "--at", old["recorded_at"])
    assert then["names"] == {"en": "SAMPLE OLD LIMITED"}
    assert then["status"] == "live"


def test_a_dummy_number_does_not_become_a_brn_because_the_names_match(cli: Cli) -> None:
    path = cli.folder / "register.json"
    cli.json("register", "import", write(path, [row("C0012345", "SAMPLE SAME NAME LIMITED")]))
    report = cli.json(
        "register", "import", write(path, [row("10000002", "SAMPLE SAME NAME LIMITED")])
    )
    assert report["added"] == 1
    first = cli.json("organisation", "show", "C0012345")
    second = cli.json("organisation", "show", "10000002")
    assert first["organisation_id"] != second["organisation_id"]


def test_an_interrupted_import_goes_on_where_it_stopped(cli: Cli) -> None:
    path = cli.folder / "register.json"
    rows: list[Any] = [row(f"{10_000_000 + n}", f"SAMPLE {n} LIMITED") for n in range(300)]
    write(path, rows)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    outcome = cli.run("register", "import", str(path), "--json")
    assert outcome.exit_code == 1
    assert outcome.document["error"] == "malformed_register_file"
    assert outcome.document["complete"] is False
    done = outcome.document["added"]
    assert 140 <= done <= 150  # every good row before the fault

    path.write_bytes(whole)
    report = cli.json("register", "import", str(path))
    assert (report["unchanged"], report["added"]) == (done, 300 - done)


def test_csv_and_branches(any_cli: Cli) -> None:
    path = any_cli.folder / "register.csv"
    path.write_text(
        "Brn,English_Company_Name,Company_Type\n"
        "10000003-001,SAMPLE BRANCH,Private company\n"
        "10000003,SAMPLE HEAD LIMITED,Private company\n"
        "10000004-001,SAMPLE ORPHAN,Private company\n"
        "10000003-001,SAMPLE BRANCH AGAIN,Private company\n"
    )
    report = any_cli.json("register", "import", str(path))
    assert (report["added"], report["branches"], report["bad"]) == (1, 1, 2)
    assert {one["line"] for one in report["problems"]} == {4, 5}
    shown = any_cli.json("register", "show", "10000003-001")
    (branch,) = shown["branches"]
    assert (branch["code"], branch["names"]) == ("001", {"en": "SAMPLE BRANCH"})
    assert branch["source"] == "hk.companies_registry"
    assert branch["as_of"] is not None
    before = state(any_cli)
    again = any_cli.json("register", "import", str(path))
    assert (again["unchanged"], again["added"], again["branches"]) == (2, 0, 0)
    assert state(any_cli) == before


def test_every_change_is_audited_with_its_source_and_operator(cli: Cli) -> None:
    path = write(cli.folder / "register.json", [row("10000005", "SAMPLE AUDITED LIMITED")])
    cli.json("register", "import", path, "--source", "test.source", "--operator", "casey")

    facts, *_ = audited(cli, "register.imported")
    assert facts == {
        "source": "test.source",
        "actor": "operator:casey",
        "added": 1,
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "line 1"),
        (b"PK\x03\x04 an archive", "zip"),
        (b'{"status": 400, "message": "x"}', "failed request"),
        (b"Name,Address\nA,B\n", "Brn"),
        ("Brn\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_malformed_file_is_refused_with_what_to_do(
    cli: Cli, content: bytes, expected: str
) -> None:
    path = cli.folder / "register.txt"
    path.write_bytes(content)
    outcome = cli.run("register", "import", str(path), "--json")
    assert outcome.exit_code == 1
    assert outcome.document["error"] == "malformed_register_file"
    assert expected in outcome.document["message"]
    assert expected in outcome.stderr


def test_what_is_no_file_or_no_date_is_refused(cli: Cli) -> None:
    assert cli.refused("register", "import", str(cli.folder))[1] == "unreadable_file"
    assert cli.refused("register", "import", "none.json")[1] == "unreadable_file"
    assert cli.refused("register", "import")[1] == "invalid_value"
    path = write(cli.folder / "register.json", [row("10000006", "SAMPLE LIMITED")])
    assert cli.refused("register", "import", path, "--as-of", "soon")[1] == "invalid_value"


def test_people_see_counts_and_bad_rows(cli: Cli) -> None:
    path = write(cli.folder / "register.json", [row("1", "A"), row("10000007", "SAMPLE LIMITED")])
    outcome = cli.run("register", "import", path)
    assert outcome.exit_code == 0
    assert "added" in outcome.stdout
    assert "line 2: Brn" in outcome.stderr
