"""`corpid client update`, `rotate-secret`, `enable`: changed with the history kept."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from keys.signer import generate
from tests.support.cli import Cli

CALLBACK = "https://bank.example/callback"


def _keys(folder: Path, name: str = "keys") -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"keys": [dict(generate("ES256").public_jwk)]}))
    return str(path)


def _bank(cli: Cli, *more: str) -> Any:
    words = ("--name-en", "Sample Bank", "--redirect-uri", CALLBACK, *more)
    return cli.json("client", "add", "--jwks", _keys(cli.folder), *words)


def _shop(cli: Cli) -> Any:
    words = ("--name-en", "Sample Shop", "--profile", "oidc", "--redirect-uri", CALLBACK)
    return cli.json("client", "add", *words)


def test_only_what_is_named_changes_and_the_history_stays(any_cli: Cli) -> None:
    added = _bank(
        any_cli,
        *("--scope", "openid", "--policy-uri", "https://bank.example/policy"),
        *("--backchannel-logout-uri", "https://bank.example/logout", "--default-max-age", "60"),
    )
    words = ("--scope", "openid", "--scope", "mandate", "--name-zh-hant", "樣本銀行")
    changed = any_cli.json("client", "update", added["client_id"], *words)
    assert changed["scope"] == "openid mandate"
    assert changed["client_name#zh-Hant"] == "樣本銀行"
    differing = {"scope", "client_name#zh-Hant", "recorded_at"}
    for name, value in added.items():
        assert name in differing or changed[name] == value, name
    shown = any_cli.json("client", "show", added["client_id"], "--at", added["recorded_at"])
    assert shown["scope"] == "openid"
    assert any_cli.json("client", "show", added["client_id"]) == changed


def test_keys_may_move_to_an_address_and_back(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    moved = cli.json("client", "update", client, "--jwks-uri", "https://bank.example/jwks")
    assert (moved.get("jwks"), moved["jwks_uri"]) == (None, "https://bank.example/jwks")
    back = cli.json("client", "update", client, "--jwks", _keys(cli.folder, "new"))
    assert len(back["jwks"]["keys"]) == 1
    assert "jwks_uri" not in back


def test_a_change_is_checked_like_a_registration(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    before = cli.json("client", "show", client)
    for words in (
        ("--redirect-uri", "http://bank.example/"),
        ("--scope", "unknown"),
        ("--no-pkce",),
        ("--id-token-alg", "RS256"),
        ("--auth-method", "client_secret_basic"),
        ("--profile", "unknown"),
    ):
        code, error, _ = cli.refused("client", "update", client, *words)
        assert (code, error) == (1, "invalid_value"), words
    assert cli.json("client", "show", client) == before
    assert cli.refused("client", "update", "unknown", "--dpop")[:2] == (4, "not_found")


def test_the_sector_never_changes(cli: Cli) -> None:
    added = _bank(cli)
    words = ("--redirect-uri", "https://other.example/callback")
    assert cli.json("client", "update", added["client_id"], *words)["sector"] == added["sector"]


def test_a_change_to_keys_takes_the_secret_away(cli: Cli) -> None:
    added = _shop(cli)
    words = ("--profile", "fapi2", "--auth-method", "private_key_jwt", "--jwks", _keys(cli.folder))
    changed = cli.json("client", "update", added["client_id"], *words)
    assert changed["has_secret"] is False
    assert changed["dpop_bound_access_tokens"] is True


def test_a_grant_that_goes_takes_what_belongs_to_it_along(cli: Cli) -> None:
    ciba = "urn:openid:params:grant-type:ciba"
    grants = ("--grant-type", "authorization_code", "--grant-type", ciba)
    ping = ("--backchannel-delivery", "ping", "--notification-endpoint", f"{CALLBACK}/ping")
    client = _bank(cli, *grants, *ping)["client_id"]
    changed = cli.json("client", "update", client, "--grant-type", "authorization_code")
    assert not [name for name in changed if name.startswith("backchannel_")]


def test_a_secret_is_replaced_at_once(any_cli: Cli) -> None:
    added = _shop(any_cli)
    words = ("client", "rotate-secret", added["client_id"])
    assert any_cli.json(*words)["dry_run"] is True
    rotated = any_cli.json(*words, "--yes")
    assert rotated["client_secret"].startswith("cid_cs_")
    assert rotated["client_secret"] != added["client_secret"]
    shown = any_cli.json("client", "show", added["client_id"])
    assert shown["has_secret"] is True
    assert rotated["client_secret"] not in str(shown)


def test_the_old_secret_is_not_kept_as_the_present_one(cli: Cli) -> None:
    added = _shop(cli)
    rotated = cli.json("client", "rotate-secret", added["client_id"], "--yes")
    digest = hashlib.sha256(rotated["client_secret"].encode()).digest()
    files = [one for one in cli.folder.iterdir() if one.name.startswith("corpid.db")]
    assert any(digest in one.read_bytes() for one in files)


def test_a_client_without_a_secret_has_none_to_rotate(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    assert cli.refused("client", "rotate-secret", client, "--yes")[:2] == (1, "not_allowed")


def test_a_disabled_client_is_enabled_and_the_gap_is_in_its_history(any_cli: Cli) -> None:
    added = _bank(any_cli)
    client = added["client_id"]
    any_cli.json("client", "disable", client, "--yes")
    disabled = any_cli.json("client", "show", client)["disabled_at"]
    assert any_cli.refused("client", "update", client, "--par")[:2] == (1, "not_allowed")
    assert any_cli.json("client", "enable", client)["dry_run"] is True
    assert any_cli.json("client", "show", client)["disabled_at"] is not None
    assert any_cli.json("client", "enable", client, "--yes")["done"] is True
    shown = any_cli.json("client", "show", client)
    assert shown["disabled_at"] is None
    assert any_cli.json("client", "show", client, "--at", added["recorded_at"])["scope"] == "openid"
    assert any_cli.refused("client", "show", client, "--at", disabled)[:2] == (4, "not_found")
    assert any_cli.json("client", "update", client, "--min-acr", "loa3")["min_acr"] == "loa3"


def test_a_client_that_is_not_disabled_is_not_enabled(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    assert cli.json("client", "enable", client)["already"] is True
    assert cli.refused("client", "enable", client, "--yes")[:2] == (1, "not_allowed")


def test_the_self_check_passes_a_fapi2_client(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    outcome = cli.run("client", "check", client, "--json")
    assert outcome.exit_code == 0
    report = outcome.document
    assert (report["passed"], report["level"]) == (True, "fapi2")
    assert {line["severity"] for line in report["lines"]} <= {"passed", "advice"}
    plain = cli.run("client", "check", client)
    assert plain.exit_code == 0
    assert "Fit for it" in plain.stdout
    signed = cli.run("client", "check", client, "--level", "fapi2-message-signing", "--json")
    assert signed.exit_code == 1
    failed = {line["rule"] for line in signed.document["lines"] if line["severity"] == "failure"}
    assert failed == {"signed-requests", "signed-responses"}


def test_the_self_check_passes_a_message_signing_client(cli: Cli) -> None:
    client = _bank(cli, "--profile", "fapi2-message-signing")["client_id"]
    words = ("client", "check", client, "--level", "fapi2-message-signing", "--json")
    assert cli.run(*words).exit_code == 0


def test_the_self_check_says_what_falls_short_and_how_to_mend_it(cli: Cli) -> None:
    client = _shop(cli)["client_id"]
    outcome = cli.run("client", "check", client, "--json")
    assert outcome.exit_code == 1
    lines = {line["rule"]: line for line in outcome.document["lines"]}
    for rule in (
        *("profile", "client-authentication", "no-shared-secret", "keys"),
        *("sender-constrained-tokens", "pushed-requests"),
    ):
        assert lines[rule]["severity"] == "failure", rule
        assert lines[rule]["remedy"], rule
        assert lines[rule]["section"].startswith("FAPI 5"), rule
    words = ("--profile", "fapi2", "--auth-method", "private_key_jwt", "--jwks", _keys(cli.folder))
    cli.json("client", "update", client, *words)
    assert cli.run("client", "check", client).exit_code == 0  # the remedies mend it


def test_keys_at_an_address_that_cannot_be_had_are_a_failure(cli: Cli) -> None:
    words = ("--name-en", "A", "--jwks-uri", "https://127.0.0.1:1/jwks", "--redirect-uri", CALLBACK)
    client = cli.json("client", "add", *words)["client_id"]
    outcome = cli.run("client", "check", client, "--json")
    assert outcome.exit_code == 1
    (line,) = (one for one in outcome.document["lines"] if one["rule"] == "keys")
    assert "no public address" in line["says"]


@pytest.mark.parametrize(("client", "expected"), [("unknown", (4, "not_found"))])
def test_an_unknown_client_is_not_found(cli: Cli, client: str, expected: tuple[int, str]) -> None:
    assert cli.refused("client", "check", client)[:2] == expected


def test_an_unknown_level_is_refused(cli: Cli) -> None:
    client = _bank(cli)["client_id"]
    assert cli.refused("client", "check", client, "--level", "fapi1")[:2] == (1, "invalid_value")


def test_grant_management_is_given_stays_and_is_taken_away(cli: Cli) -> None:
    assert _bank(cli, "--grant-management")["grant_management"] is True
    added = _bank(cli)
    assert "grant_management" not in added
    client = added["client_id"]
    given = cli.json("client", "update", client, "--grant-management")
    assert given["grant_management"] is True
    assert cli.json("client", "update", client, "--min-acr", "loa3")["grant_management"] is True
    taken = cli.json("client", "update", client, "--no-grant-management")
    assert "grant_management" not in taken
