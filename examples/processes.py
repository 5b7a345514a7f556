"""Starting programs for the examples: the admin CLI, the service, relying parties."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class CommandFailed(Exception):
    """A command that should have worked did not."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings, and no others of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CORPID_")}
    return {**kept, **settings}


def corpid(settings: Mapping[str, str], *arguments: str, expect: int = 0) -> Any:
    """Run one admin command with `--json`; its document.

    Raises:
        CommandFailed: the exit status is another than `expect`.
    """
    done = subprocess.run(
        [sys.executable, "-m", "corpid.cli.main", *arguments, "--json"],
        env=environment(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != expect:
        raise CommandFailed(
            f"corpid {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr.strip()}"
        )
    return json.loads(done.stdout) if done.stdout.strip() else {}


class Background:
    """A program that runs beside, and is gone when the block is left."""

    def __init__(self, command: list[str], *, env: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._env = dict(env)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Background":
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def first_line(self) -> str:
        """What the program printed first: the relying parties print their port."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().decode().strip()

    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text(errors="replace")
