"""Writes docs/cli.md from the commands themselves: `python -m tools.cli_docs`. A test compares."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import typer
from typer.testing import CliRunner

from corpid.cli.context import EXAMPLES
from corpid.cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
WIDTH = "100"

INTRODUCTION = """\
# The command line

`corpid` sets a service up, runs it and looks after it. This page is made from the commands' own
help (`python -m tools.cli_docs`); a test holds it to them and runs every example.

- Settings come from the environment (`CORPID_…`) or from `--env-file FILE`; `corpid config show`
  lists them.
- Every command takes `--json` and then prints exactly one JSON document to standard output.
  Messages, progress and errors go to standard error; with `--json` an error is also
  `{"error": CODE, "message": TEXT}` on standard output, and the code is stable.
- A command that ends something (revoke, end, suspend, close, disable, purge, `key rotate --now`)
  first only shows what it would reach, and does it with `--yes`.
- Businesses are named by their number in any usual spelling, people by username or internal id.
- `--at` shows what was known then: an instant (`2026-03-01T09:00:00Z`), or a Hong Kong date, which
  means its end. Of credentials only the last change is kept, so before it they show as issued; a
  suspension of a business that was lifted is in the audit trail only.
- Whoever runs a command is recorded in the audit trail as `operator:NAME`: the login name, or
  `--operator NAME`.
- Secrets are never taken from the command line. What is made is shown once.

| Exit code | Meaning |
|---|---|
| 0 | done; for `verify`: valid |
| 1 | refused; for `verify`: not valid |
| 2 | wrong usage |
| 3 | `verify` only: undetermined |
| 4 | not found |
| 5 | the database is busy or cannot be reached; try again |

In the examples `$MANDATE` and the like stand for ids that an earlier command printed.
"""


def page() -> str:
    """The whole page."""
    runner = CliRunner()
    parts = [INTRODUCTION]
    group = ""
    command = typer.main.get_command(app)
    order = list(getattr(command, "commands", {}))
    for words in sorted(EXAMPLES, key=lambda one: order.index(one.split()[0])):
        noun = words.split()[0]
        if noun != group:
            group = noun
            parts.append(f"## corpid {noun}\n")
        env = {"TERMINAL_WIDTH": WIDTH, "COLUMNS": WIDTH}
        with runner.isolation(env=env) as (stdout, _, _):
            with suppress(SystemExit):
                command.main([*words.split(), "--help"], prog_name="corpid")
            sys.stdout.flush()
            text = stdout.getvalue().decode().rpartition("Example:")[0].rstrip()
        if " " in words:
            parts.append(f"### corpid {words}\n")
        parts.append(f"```console\n$ {EXAMPLES[words]}\n```\n")
        parts.append(f"```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
