"""The benchmark still runs: tiny counts, the real service, every row."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.floor import Floor
from bench.goals import PEER, judge
from bench.library import measure, sd_jwt_cases
from bench.peers.sd_jwt import reference_cases

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = {
    "token": (1, 1),
    "token_c1": (1, 1),
    "token_dpop": (2, 1),
    "credential": (2, 1),
    "credential_x10": (11, 10),
    "userinfo": (1, 0),
    "introspection": (0, 0),
    "jwks": (0, 0),
    "status_list": (0, 0),
    "login": (4, 1),
}
CALLS = {
    "sd_jwt_issue": (0, 1),
    "sd_jwt_verify_kb": (2, 0),
    "status_list_build": (0, 0),
    "status_list_compress": (0, 0),
    "status_list_lookup": (0, 0),
}
NUMBERS = ("cpu_us", "rps", "p50_ms", "p99_ms")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    output = tmp_path_factory.mktemp("bench") / "bench.json"
    done = run("--quick", "--no-peers", "--output", str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(output.read_bytes())


def test_every_row_is_measured_once(result):
    assert [row["name"] for row in result["rows"]] == [*REQUESTS, *CALLS]


def test_rows_have_the_agreed_members(result):
    for row in result["rows"]:
        assert {"name", "cpu_us", "crypto_us", "ratio", "rps", "p50_ms", "p99_ms"} <= row.keys()
        assert all(isinstance(row[name], float) and row[name] >= 0 for name in NUMBERS), row
        assert row["p50_ms"] <= row["p99_ms"]


def test_cryptography_is_the_measured_calls_and_nothing_where_there_is_none(result):
    verify, sign = (result["conditions"][name] for name in ("verify_us", "sign_us"))
    for row in result["rows"]:
        verifies, signs = (REQUESTS | CALLS)[row["name"]]
        if not verifies and not signs:
            assert row["crypto_us"] is None
            assert row["ratio"] is None
            continue
        # Measured beside each row: a machine that is busy just then measures several times that.
        assert 0.2 < row["crypto_us"] / (verifies * verify + signs * sign) < 5
        assert row["ratio"] > 0


def test_a_floor_counts_each_call():
    assert Floor(verify_us=80.0, sign_us=27.0).of(verifies=4, signs=1) == 347.0
    assert Floor(verify_us=80.0, sign_us=27.0).of(verifies=0, signs=0) is None


def test_goals_against_a_peer_are_judged_only_where_it_was_measured():
    row = {"cpu_us": 100.0, "p99_ms": 1.0, "ratio": 2.0}
    names = ("token", "token_c1", "token_dpop", "credential", "introspection", "login")
    calls = ("sd_jwt_issue", "sd_jwt_verify_kb")
    rows = [{"name": name, **row} for name in (*names, "credential_x10", *calls)]
    measured = {"rows": rows, "conditions": {"verify_us": 80.0, "fsync_ms": 0.1}, "memory": None}
    alone = judge({**measured, "peers": {}})
    assert [goal.met for goal in alone[-10:]] == [None] * 10
    server = [{"name": name, "cpu_us": 180.0, "p99_ms": 2.9} for name in names]
    library = [{"name": name, "cpu_us": 250.0} for name in calls]
    peers = {f"{PEER} 9": server, "sd-jwt 0.10": library, "@sd-jwt 0.19": library}
    beside = [goal.met for goal in judge({**measured, "peers": peers})[-10:]]
    against_the_server = [True, True, False, False, True, False]
    assert beside == [*against_the_server, False, False, True, True]


async def test_the_reference_package_does_the_same_work():
    ours, made = await sd_jwt_cases()
    cases = {"ours": ours, "theirs": reference_cases(made)}
    rows = await measure(min(os.sched_getaffinity(0)), cases, 2)
    for name, found in rows.items():
        assert [(row.name, row.verifies, row.signs) for row in found] == [
            ("sd_jwt_issue", 0, 1),
            ("sd_jwt_verify_kb", 2, 0),
        ], name
        assert all(row.cpu_us > 0 for row in found)


def test_conditions_are_named(result):
    conditions = result["conditions"]
    assert conditions["fsync_ms"] > 0
    assert conditions["packages"]["cryptography"]
    assert {"python", "cpu", "cores", "openssl", "server_core", "generator_core"} <= set(conditions)


def test_memory_is_told_before_and_after(result):
    memory = result["memory"]
    assert memory["tokens"] >= 200
    assert 0 < memory["before_mb"] <= memory["after_mb"] * 1.5


def test_only_some_rows(tmp_path):
    output = tmp_path / "bench.json"
    options = ("--no-peers", "--no-memory", "--only", "jwks", "--output", str(output))
    done = run("--quick", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    names = [row["name"] for row in json.loads(output.read_bytes())["rows"]]
    assert names == ["jwks", *CALLS]
