"""`corpid config`, exit codes, JSON errors, start-up time, and the command as a real process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from corpid.cli.context import EXAMPLES
from tests.support.cli import ISSUER, Cli

ROOT = Path(__file__).parents[2]


def _process(cli: Cli, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CORPID_")}
    return subprocess.run(
        [sys.executable, "-m", "corpid.cli.main", *words],
        cwd=cli.folder,
        env=kept | {"PYTHONPATH": str(ROOT)} | cli.environment | more,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_config_show_says_where_each_value_comes_from(cli: Cli) -> None:
    env_file = cli.folder / "corpid.env"
    env_file.write_text("CORPID_PORT=9999\nCORPID_ISSUER=https://not.used.example\n")
    shown = cli.json("config", "show", "--env-file", str(env_file), MASTER_KEY="very-secret")
    by_name = {one["name"]: one for one in shown}
    assert by_name["port"]["value"] == 9999
    assert by_name["port"]["source"] == str(env_file)
    assert (by_name["issuer"]["value"], by_name["issuer"]["source"]) == (ISSUER, "environment")
    assert by_name["host"]["source"] == "default"
    assert "very-secret" not in json.dumps(shown)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://corpid:hunter2@db.example:5432/corpid",
        "postgresql://corpid@db.example/corpid?password=hunter2",
    ],
)
def test_config_show_hides_the_database_password(cli: Cli, url: str) -> None:
    outcome = cli.run("config", "show", DATABASE_URL=url)
    assert outcome.exit_code == 0
    assert "hunter2" not in outcome.stdout + outcome.stderr
    assert "db.example" in outcome.stdout


def test_config_check(cli: Cli) -> None:
    assert cli.json("config", "check")["ok"] is True
    code, error, message = cli.refused("config", "check", TLS_CERTIFICATE="a.pem", TLS_KEY="b.pem")
    assert (code, error) == (1, "configuration_error")
    assert "a.pem" in message


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("ISSUER", "http://id.example", "https"),
        ("PORT", "70000", "65535"),
        ("DATABASE_URL", "mysql://x/y", "must begin with sqlite:///"),
    ],
)
def test_a_wrong_setting_is_named(cli: Cli, setting: str, value: str, expected: str) -> None:
    code, _, message = cli.refused("config", "check", **{setting: value})
    assert code == 1
    assert expected in message


def test_a_missing_settings_file_is_refused(cli: Cli) -> None:
    assert cli.refused("config", "show", "--env-file", "none.env")[1] == "configuration_error"


@pytest.mark.parametrize(
    "words", [("organisation", "shwo"), ("organisation", "show"), ("key", "list", "--no-such")]
)
def test_wrong_usage_is_exit_code_2_also_in_json(cli: Cli, words: tuple[str, ...]) -> None:
    plain = cli.run(*words)
    assert (plain.exit_code, plain.stdout) == (2, "")
    outcome = cli.run(*words, "--json")
    assert outcome.exit_code == 2
    assert outcome.document["error"] == "usage"


@pytest.mark.parametrize("words", sorted(EXAMPLES))
def test_every_command_has_json_operator_and_an_example_in_its_help(cli: Cli, words: str) -> None:
    outcome = cli.run(*words.split(), "--help")
    assert outcome.exit_code == 0
    assert "--json" in outcome.stdout
    assert "--operator" in outcome.stdout
    assert "Example: corpid " + words in " ".join(outcome.stdout.split())


def _loaded(cli: Cli, *words: str) -> set[str]:
    """The modules that a command has loaded when it is done."""
    program = (
        "import sys; from corpid.cli.main import app; app(sys.argv[1:], standalone_mode=False);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=dict(os.environ) | {"PYTHONPATH": str(ROOT)} | cli.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.split())


def test_nothing_heavy_is_loaded_without_need(cli: Cli) -> None:
    # How fast a command starts is what it loads: a millisecond for two or three modules.
    heavy = {"alembic", "fastapi", "uvicorn", "argon2", "sqlalchemy", "rich", "segno"}
    helped = _loaded(cli, "--help")
    assert heavy & helped == set()
    assert len(helped) < 400  # Python 3.13 brings twenty more than 3.11
    shown = _loaded(cli, "organisation", "show", "99000001", "--json")
    assert heavy & shown == {"sqlalchemy"}
    assert len(shown) < 1100


def test_the_real_command_separates_results_from_messages(cli: Cli) -> None:
    found = _process(cli, "organisation", "show", "99000001", "--json")
    assert json.loads(found.stdout)["number"] == "99000001"
    assert found.stderr == ""
    missing = _process(cli, "organisation", "show", "12345678", "--json")
    assert missing.returncode == 4
    assert json.loads(missing.stdout)["error"] == "not_found"
    assert "12345678" in missing.stderr
    refused = _process(cli, "organisation", "show", "123")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Traceback" not in refused.stderr


def test_serve_says_when_the_port_is_in_use(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = _process(cli, "serve", "--port", str(port))
    assert outcome.returncode == 1
    assert f"port {port}" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_version(cli: Cli) -> None:
    from corpid.version import __version__

    assert __version__ in cli.run("--version").stdout
