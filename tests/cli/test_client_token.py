"""`corpid client token`: initial access tokens."""

import pytest

from tests.support.cli import Cli


def test_a_token_is_made_listed_and_revoked(any_cli: Cli) -> None:
    made = any_cli.json(
        "client", "token", "create", "--label", "Sample Bank", "--count", "2", "--days", "3"
    )
    token = made.pop("token")
    assert token.startswith("cid_ia_")
    assert len(token) == len("cid_ia_") + 43
    assert (made["uses_left"], made["label"], made["policy"]) == (2, "Sample Bank", None)
    assert any_cli.json("client", "token", "list") == [made]
    assert token not in any_cli.run("client", "token", "list").stdout
    words = ("client", "token", "revoke", made["token_id"])
    assert any_cli.json(*words)["dry_run"] is True
    assert any_cli.json("client", "token", "list")[0]["ended_at"] is None
    assert any_cli.json(*words, "--yes")["done"] is True
    again = any_cli.json(*words, "--yes")
    assert (again["done"], again["already"]) == (False, True)
    assert any_cli.json("client", "token", "list")[0]["ended_at"] is not None


def test_a_token_may_have_a_policy_of_its_own(cli: Cli) -> None:
    made = cli.json("client", "token", "create", "--profile", "oidc", "--scope", "mandate")
    assert made["policy"] == {
        "profiles": ["oidc"],
        "scopes": ["mandate"],
        "grant_types": ["authorization_code"],
    }
    waived = ("--profile", "oidc", "--no-pkce", "--sector", "sample-bank.example")
    policy = cli.json("client", "token", "create", *waived)["policy"]
    assert (policy["pkce_required"], policy["sector"]) == (False, "sample-bank.example")


@pytest.mark.parametrize(
    "words",
    [
        ("--count", "0"),
        ("--days", "0"),
        ("--days", "1000"),
        ("--profile", "unknown"),
        ("--scope", "unknown"),
        ("--grant-type", "password"),
        ("--label", "x" * 101),
        ("--no-pkce",),  # fapi2, of the settings, cannot do without
        ("--sector", "not a host"),
    ],
)
def test_wrong_bounds_and_names_are_refused(cli: Cli, words: tuple[str, ...]) -> None:
    code, error, _ = cli.refused("client", "token", "create", *words)
    assert (code, error) == (1, "invalid_value")


def test_an_unknown_token_is_not_found(cli: Cli) -> None:
    code, error, _ = cli.refused("client", "token", "revoke", "unknown", "--yes")
    assert (code, error) == (4, "not_found")
