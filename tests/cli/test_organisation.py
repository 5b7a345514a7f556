"""`corpid organisation` and `corpid register show`."""

import pytest

from corpid.domain.dates import instant_text
from tests.support.cli import Cli, add_director, add_person


@pytest.mark.parametrize(
    "spelling",
    ["99000001", "99000001-000", "ＨＫＧ：９９０００００１", " 9900 0001 ", "99000001-001"],
)
def test_any_spelling_of_the_number_finds_the_business(cli: Cli, spelling: str) -> None:
    found = cli.json("organisation", "show", spelling)
    assert found["number"] == "99000001"
    assert found["registration"]["names"]["zh-Hant"] == "樣本風箏貿易有限公司"
    assert [one["code"] for one in found["branches"]] == ["001", "002", "003"]


@pytest.mark.parametrize(
    ("number", "expected"), [("1234567", "8"), ("9900000A", "Check for O"), ("", "Enter the")]
)
def test_a_malformed_number_is_refused_with_the_reason(
    cli: Cli, number: str, expected: str
) -> None:
    code, error, message = cli.refused("organisation", "show", number)
    assert (code, error) == (1, "invalid_value")
    assert expected in message


@pytest.mark.parametrize("number", ["12345678", "99000001-999"])
def test_an_unknown_number_is_not_found(cli: Cli, number: str) -> None:
    assert cli.refused("organisation", "show", number)[:2] == (4, "not_found")


def test_search_by_number_and_by_name_in_every_script(any_cli: Cli) -> None:
    for text in ("9900000", "SAMPLE kite", "樣本風箏", "样本风筝"):
        found = any_cli.json("organisation", "list", text)
        assert "99000001" in [one["number"] for one in found], text
    assert any_cli.json("organisation", "list", "no such name") == []
    assert len(any_cli.json("organisation", "list", "sample", "--limit", "2")) == 2


def test_add_shows_at_once_and_cannot_be_repeated(any_cli: Cli) -> None:
    words = ("organisation", "add", "9912 3456", "--name-en", "Sample Lantern Limited")
    added = any_cli.json(*words, "--source", "certificate", "--as-of", "2026-01-02")
    assert added["number"] == "99123456"
    shown = any_cli.json("register", "show", "99123456")
    assert shown["names"] == {"en": "Sample Lantern Limited"}
    assert (shown["source"], shown["as_of"]) == ("certificate", "2026-01-02")
    assert any_cli.refused(*words)[:2] == (1, "already_exists")


def test_add_a_branch_of_a_known_business_only(cli: Cli) -> None:
    words = ("--name-en", "Sample Kite (Sai Kung Branch)")
    cli.json("organisation", "add", "99000001-009", *words)
    assert "009" in [
        one["code"] for one in cli.json("organisation", "show", "99000001")["branches"]
    ]
    assert cli.refused("organisation", "add", "99000001-009", *words)[1] == "already_exists"
    assert cli.refused("organisation", "add", "12345678-001", *words)[1] == "not_found"


def test_add_without_a_name_is_refused(cli: Cli) -> None:
    assert cli.refused("organisation", "add", "99123456")[:2] == (1, "invalid_value")


def test_show_at_a_time_before_it_was_known(cli: Cli) -> None:
    recorded = cli.json("organisation", "show", "99000001")["registration"]["recorded_at"]
    assert cli.json("organisation", "show", "99000001", "--at", "2099-01-01")["live"] is True
    code, error, _ = cli.refused("organisation", "show", "99000001", "--at", instant_text(0))
    assert (code, error) == (4, "not_found")
    assert recorded.endswith("Z")


def test_at_must_be_an_instant_or_a_date(cli: Cli) -> None:
    outcome = cli.refused("organisation", "show", "99000001", "--at", "yesterday")
    assert outcome[:2] == (1, "invalid_instant")


def test_suspend_shows_first_and_does_with_yes(cli: Cli) -> None:
    add_person(cli)
    add_director(cli)
    planned = cli.json("organisation", "suspend", "99000001")
    assert (planned["dry_run"], planned["done"]) == (True, False)
    assert cli.json("organisation", "show", "99000001")["live"] is True

    done = cli.json("organisation", "suspend", "99000001", "--yes", "--reason", "court order")
    assert done["done"] is True
    assert done["ends"] == planned["ends"]
    assert cli.json("organisation", "show", "99000001")["live"] is False
    assert cli.json("organisation", "suspend", "99000001", "--yes")["already"] is True

    assert cli.json("organisation", "resume", "99000001")["done"] is True
    assert cli.json("organisation", "show", "99000001")["live"] is True


def test_tables_for_people_have_the_facts(cli: Cli) -> None:
    shown = cli.run("organisation", "show", "99000001")
    assert shown.exit_code == 0
    assert "Sample Kite Trading Limited" in shown.stdout
    assert "樣本風箏貿易有限公司" in shown.stdout
    assert "Branches" in shown.stdout


def test_a_name_cannot_steer_the_terminal(cli: Cli) -> None:
    cli.json("organisation", "add", "99123457", "--name-en", "Sample \x1b[31mRed\u202e Limited")
    shown = cli.run("organisation", "show", "99123457").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "Red" in shown
