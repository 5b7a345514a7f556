"""`corpid mandate`: both sides, the dates, passing on."""

import pytest

from tests.support.cli import Cli, add_director, add_person, grant


@pytest.fixture(autouse=True)
def _somebody(request: pytest.FixtureRequest) -> None:
    name = "any_cli" if "any_cli" in request.fixturenames else "cli"
    add_person(request.getfixturevalue(name))


def test_a_mandate_counts_only_after_both_sides_accepted(any_cli: Cli) -> None:
    mandate = grant(any_cli, "--limit", "50000.00:HKD", "--service", "corporate-bank", accept=False)
    proposed = any_cli.json("mandate", "show", mandate)
    assert proposed["state"] == "proposed"
    assert (proposed["grantor_accepted"], proposed["holder_accepted"]) == (True, False)
    assert any_cli.refused("mandate", "accept", mandate, "--side", "grantor")[1] == (
        "illegal_transition"
    )
    accepted = any_cli.json("mandate", "accept", mandate)
    assert accepted["state"] == "active"
    assert accepted["limit"] == {"amount": "50000.00", "currency": "HKD"}
    assert any_cli.refused("mandate", "accept", mandate)[1] == "illegal_transition"
    shown = any_cli.json("mandate", "show", mandate, "--operator", "auditor")
    assert [row["event"] for row in shown["history"]] == ["propose", "accept"]


def test_the_operator_is_in_the_history(cli: Cli) -> None:
    mandate = grant(cli, "--operator", "casey", accept=False)
    (row,) = cli.json("mandate", "show", mandate)["history"]
    assert row["actor"] == "operator:casey"


def test_a_mandate_begins_by_its_date(cli: Cli) -> None:
    mandate = grant(cli, "--valid-from", "2098-01-01", "--valid-until", "2098-12-31")
    assert cli.json("mandate", "show", mandate)["state"] == "accepted"
    for day, state in (("2098-01-01", "active"), ("2098-12-31", "active"), ("2099-01-01", "ended")):
        assert cli.json("mandate", "show", mandate, "--at", day)["state"] == state


def test_a_declined_mandate_can_never_be_accepted(cli: Cli) -> None:
    mandate = grant(cli, accept=False)
    assert cli.json("mandate", "decline", mandate, "--reason", "no")["state"] == "declined"
    assert cli.refused("mandate", "accept", mandate)[:2] == (1, "illegal_transition")
    assert cli.json("mandate", "show", mandate)["history"][-1]["reason"] == "no"


def test_suspend_resume_and_end(any_cli: Cli) -> None:
    mandate = grant(any_cli)
    assert any_cli.json("mandate", "suspend", mandate)["dry_run"] is True
    assert any_cli.json("mandate", "show", mandate)["state"] == "active"
    any_cli.json("mandate", "suspend", mandate, "--yes")
    assert any_cli.json("mandate", "show", mandate)["state"] == "suspended"
    any_cli.json("mandate", "resume", mandate)
    assert any_cli.json("mandate", "show", mandate)["state"] == "active"
    assert any_cli.json("mandate", "end", mandate)["dry_run"] is True
    ended = any_cli.json("mandate", "end", mandate, "--yes", "--reason", "left")
    assert (ended["done"], ended["ends"]["mandates"]) == (True, 1)
    assert any_cli.json("mandate", "show", mandate)["state"] == "ended"
    assert any_cli.json("mandate", "end", mandate, "--yes")["already"] is True
    assert any_cli.refused("mandate", "end", "unknown", "--yes")[:2] == (4, "not_found")


def test_a_dry_run_tells_people_how_to_do_it(cli: Cli) -> None:
    outcome = cli.run("mandate", "end", grant(cli))
    assert "--yes" in outcome.stderr
    assert "mandates" in outcome.stdout


def test_mandates_are_listed_by_either_side(cli: Cli) -> None:
    mandate = grant(cli)
    cli.json(
        "mandate", "grant", "--organisation", "99000001", "--agent", "99000015",
        "--power", "file_returns",
    )  # fmt: skip
    assert len(cli.json("mandate", "list", "--organisation", "99000001")) == 2
    (held,) = cli.json("mandate", "list", "--person", "sample.person")
    assert held["mandate_id"] == mandate
    (of_agent,) = cli.json("mandate", "list", "--agent", "99000015")
    assert of_agent["holder_kind"] == "organisation"
    assert cli.refused("mandate", "list")[:2] == (1, "invalid_value")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--power", "Open Account"), "invalid_value"),
        (("--limit", "50,000"), "invalid_value"),
        (("--limit", "5.1:HKD"), "invalid_value"),
        (("--joint", "directors"), "invalid_value"),
        (("--joint", "directors:1"), "invalid_value"),
        (("--valid-from", "2026-02-30"), "invalid_value"),
        (("--valid-until", "2020-01-01"), "invalid_value"),
        (("--agent", "99000015"), "invalid_value"),
        (("--organisation", "12345678"), "not_found"),
        (("--organisation", "99000007"), "not_allowed"),
        (("--parent", "unknown"), "not_found"),
    ],
)
def test_what_cannot_be_a_mandate_is_refused(cli: Cli, words: tuple[str, ...], code: str) -> None:
    given = ("--organisation", "99000001", "--person", "sample.person", "--power", "sign")
    assert cli.refused("mandate", "grant", *given, *words)[1] == code


def test_an_organisation_gives_no_mandate_to_itself_or_to_one_that_is_gone(cli: Cli) -> None:
    given = ("mandate", "grant", "--organisation", "99000001", "--power", "sign", "--agent")
    assert cli.refused(*given, "99000001")[1] == "not_allowed"
    assert cli.refused(*given, "99000007")[1] == "not_allowed"


def test_joint_is_stored(cli: Cli) -> None:
    shown = cli.json("mandate", "show", grant(cli, "--joint", "directors:2"))
    assert shown["representation_type"] == "JOINT"
    assert shown["signing_rule"] == {"group": "directors", "min_signers": 2}


def test_authority_is_passed_on_never_wider_than_it_is(cli: Cli) -> None:
    add_person(cli, "sample.other")
    parent = grant(
        cli, "--substitution", "limited", "--limit", "100.00:HKD", "--service", "bank",
        "--valid-until", "2098-12-31",
    )  # fmt: skip

    def refusal(*words: str, power: str = "open_account") -> str:
        return cli.refused(
            "mandate", "grant", "--organisation", "99000001", "--person", "sample.other",
            "--parent", parent, "--power", power, *words,
        )[1]  # fmt: skip

    within = ("--limit", "50.00:HKD", "--service", "bank", "--valid-until", "2098-12-31")
    assert refusal(*within, power="sign") == "not_allowed"
    assert refusal(*within[2:]) == "not_allowed"
    assert refusal("--limit", "100.50:HKD", *within[2:]) == "not_allowed"
    assert refusal("--limit", "50.00:USD", *within[2:]) == "not_allowed"
    assert refusal(*within[:2], *within[4:]) == "not_allowed"
    assert refusal(*within[:4]) == "not_allowed"
    assert refusal(*within, "--substitution", "limited") == "not_allowed"
    assert refusal(*within, "--joint", "directors:2") == "not_allowed"
    child = cli.json(
        "mandate", "grant", "--organisation", "99000001", "--person", "sample.other",
        "--parent", parent, "--power", "open_account", *within,
    )  # fmt: skip
    cli.json("mandate", "accept", child["mandate_id"])
    assert cli.json("mandate", "end", parent, "--yes")["ends"]["mandates"] == 2
    assert cli.json("mandate", "show", child["mandate_id"])["state"] == "ended"


def test_the_organisation_shows_its_people_and_mandates(cli: Cli) -> None:
    representation = add_director(cli)
    mandate = grant(cli)
    shown = cli.json("organisation", "show", "99000001")
    assert [one["representation_id"] for one in shown["representations"]] == [representation]
    assert [one["mandate_id"] for one in shown["mandates"]] == [mandate]
    assert cli.json("person", "show", "sample.person")["mandates"][0]["state"] == "active"
