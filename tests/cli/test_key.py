"""`corpid key`: rotation ahead of time, and in an emergency."""

import pytest

from corpid.domain.dates import parse_instant
from tests.support.cli import Cli

LEAD = 15 * 60 * 1000


def _ring(cli: Cli, purpose: str = "tokens", alg: str = "ES256") -> dict[str, dict[str, str]]:
    return {
        one["kid"]: one
        for one in cli.json("key", "list")
        if (one["purpose"], one["alg"]) == (purpose, alg)
    }


def test_every_ring_has_an_active_key_and_no_private_part_is_shown(any_cli: Cli) -> None:
    keys = any_cli.json("key", "list")
    assert {(one["purpose"], one["alg"], one["state"]) for one in keys} == {
        ("tokens", "ES256", "active"),
        ("tokens", "RS256", "active"),
        ("credentials", "ES256", "active"),
        ("status", "ES256", "active"),
        ("metadata", "ES256", "active"),
        ("mdoc", "ES256", "active"),
        ("encryption", "ECDH-ES", "active"),
    }
    assert all("private" not in name for one in keys for name in one)


def test_a_new_key_is_published_for_the_cache_time_before_it_signs(any_cli: Cli) -> None:
    (old,) = _ring(any_cli)
    made = any_cli.json("key", "rotate", "tokens")
    assert parse_instant(made["activate_at"]) - parse_instant(made["publish_at"]) == LEAD
    ring = _ring(any_cli)
    assert ring[made["kid"]]["state"] == "pending"
    assert ring[old]["state"] == "active"
    assert ring[old]["retire_at"] == made["activate_at"]
    assert ring[old]["destroyed_at"] is None
    assert any_cli.refused("key", "rotate", "tokens")[:2] == (1, "rotation_pending")


def test_a_credential_key_stays_published_as_long_as_a_credential_can_live(cli: Cli) -> None:
    (old,) = cli.json("key", "rotate", "credentials")["ends"]
    kept = parse_instant(old["remove_at"]) - parse_instant(old["retire_at"])
    assert kept >= 90 * 24 * 3600 * 1000


def test_an_emergency_shows_first_then_signs_at_once_and_destroys(cli: Cli) -> None:
    (old,) = _ring(cli)
    planned = cli.json("key", "rotate", "tokens", "--now")
    assert (planned["dry_run"], planned["kid"]) == (True, None)
    assert set(_ring(cli)) == {old}

    made = cli.json("key", "rotate", "tokens", "--now", "--yes")
    ring = _ring(cli)
    assert ring[made["kid"]]["state"] == "active"
    assert ring[old]["state"] == "retiring"  # still verifies what it has signed
    assert ring[old]["destroyed_at"] is not None
    assert made["destroyed"] == [old]


def test_an_emergency_passes_over_a_key_that_waits(cli: Cli) -> None:
    waiting = cli.json("key", "rotate", "tokens")["kid"]
    made = cli.json("key", "rotate", "tokens", "--now", "--yes")["kid"]
    ring = _ring(cli)
    assert ring[made]["state"] == "active"
    assert ring[waiting]["state"] == "retired"


def test_a_withdrawn_key_leaves_the_key_set(cli: Cli) -> None:
    (old,) = _ring(cli)
    cli.json("key", "rotate", "tokens", "--now", "--withdraw", "--yes")
    assert _ring(cli)[old]["state"] == "retired"
    assert cli.refused("key", "rotate", "tokens", "--withdraw")[:2] == (1, "invalid_value")


@pytest.mark.parametrize(
    "words", [("unknown",), ("status", "--alg", "RS256"), ("mdoc", "--alg", "RS256")]
)
def test_there_are_no_other_rings(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli.refused("key", "rotate", *words)[:2] == (1, "invalid_value")


def test_purge_shows_first_and_destroys_the_keys_that_have_ended(any_cli: Cli) -> None:
    planned = any_cli.json("db", "purge")
    assert planned["dry_run"] is True
    assert "replay" in planned["rows"]
    done = any_cli.json("db", "purge", "--yes")
    assert done == {"dry_run": False, "rows": planned["rows"], "keys_destroyed": []}
