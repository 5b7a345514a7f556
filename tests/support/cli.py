"""The real commands in this process, and what tests of them have in common."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from corpid.cli.main import app
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore

ISSUER = "http://127.0.0.1:8080"
# Made once: it takes longer than most of the commands.
_COMMAND = get_command(app)


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """Standard output as exactly one JSON document."""
        return json.loads(self.stdout)


@dataclass
class Cli:
    """A directory with its settings, and `corpid` run in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: str | bytes | None = None, **settings: str) -> Outcome:
        env: dict[str, str | None] = {
            name: None for name in os.environ if name.startswith("CORPID_")
        }
        env |= self.environment | {f"CORPID_{name}": value for name, value in settings.items()}
        with CliRunner().isolation(input=stdin, env=env) as (stdout, stderr, _):
            with pytest.raises(SystemExit) as ended:
                _COMMAND.main(args=words, prog_name="corpid")
            sys.stdout.flush()
            sys.stderr.flush()
            return Outcome(
                ended.value.code or 0, stdout.getvalue().decode(), stderr.getvalue().decode()
            )

    def json(self, *words: str, **settings: str) -> Any:
        """The document of a command that must succeed."""
        outcome = self.run(*words, "--json", **settings)
        assert outcome.exit_code == 0, (words, outcome)
        return outcome.document

    def refused(self, *words: str, **settings: str) -> tuple[int, str, str]:
        """Exit code, error code and message of a command that must fail, said both ways."""
        outcome = self.run(*words, "--json", **settings)
        assert outcome.exit_code != 0, (words, outcome)
        assert set(outcome.document) == {"error", "message"}
        assert outcome.document["message"] in outcome.stderr
        plain = self.run(*words, **settings)
        assert plain.exit_code == outcome.exit_code
        assert plain.stdout == ""
        return outcome.exit_code, outcome.document["error"], outcome.document["message"]


def environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "CORPID_ISSUER": ISSUER,
        "CORPID_DATABASE_URL": url,
        "CORPID_MASTER_KEY_FILE": str(folder / "master.key"),
        "CORPID_ARGON2_MEMORY_KIB": "64",
    }


def audited(cli: Cli, event: str) -> list[Any]:
    """The facts of such rows of the audit trail."""

    async def read() -> list[bytes]:
        database = await open_database(cli.environment["CORPID_DATABASE_URL"])
        try:
            store = SqlStore(database, lambda: 0.0, bytes)
            return await store.read.operations.audit_rows(1000, event)
        finally:
            await database.close()

    return [json.loads(body)["facts"] for body in asyncio.run(read())]


def add_person(cli: Cli, username: str = "sample.person") -> str:
    added = cli.json(
        "person", "add", "--name-en", "Sample Person", "--username", username,
        "--generate-password", "--totp",
    )  # fmt: skip
    return str(added["person_id"])


def add_director(cli: Cli, number: str = "99000001", username: str = "sample.person") -> str:
    added = cli.json(
        "representation", "add", "--organisation", number, "--person", username,
        "--role", "director", "--valid-from", "2020-01-01",
    )  # fmt: skip
    return str(added["representation_id"])


def grant(cli: Cli, *more: str, number: str = "99000001", accept: bool = True) -> str:
    proposed = cli.json(
        "mandate", "grant", "--organisation", number, "--person", "sample.person",
        "--power", "open_account", *more,
    )  # fmt: skip
    if accept:
        cli.json("mandate", "accept", proposed["mandate_id"])
    return str(proposed["mandate_id"])
