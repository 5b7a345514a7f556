"""The Makefile and what continuous integration calls: targets, help, set-up, the refusal."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tools.source_tree import ROOT

TARGETS = {"demo", "run", "test", "check", "bench", "soak", "lock", "format", "clean", "help"}


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What set-up reads, without an environment."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "hatch_build.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_help_is_the_default_and_names_every_target() -> None:
    told = make().stdout
    assert {line.split()[1] for line in told.splitlines()} == TARGETS
    assert all(len(line.split()) > 3 for line in told.splitlines())


@pytest.mark.parametrize("target", sorted(TARGETS - {"help", "clean"}))
def test_every_target_sets_itself_up(clone: Path, target: str) -> None:
    planned = make("--dry-run", target, folder=clone).stdout
    assert "-m venv" in planned
    assert "--require-hashes" in planned
    assert "--no-deps" in planned


def test_set_up_is_not_done_again_while_lock_and_project_stay(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv/.ready").touch()
    assert "-m venv" not in make("--dry-run", "demo", folder=clone).stdout
    os.utime(clone / "requirements.lock", (4_000_000_000, 4_000_000_000))
    assert "-m venv" in make("--dry-run", "demo", folder=clone).stdout


@pytest.mark.parametrize("fails", ["", "alone", "not alone"])
def test_what_runs_alone_and_the_rest_both_count(clone: Path, fails: str) -> None:
    python = clone / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\ncase " $* " in *" -m pytest "*) echo "$*";; esac\n'
        f'case " $* " in *" -m {fails} "*) exit 3;; esac\n'
    )
    python.chmod(0o755)
    (clone / ".venv/.ready").touch()
    outcome = make("test", folder=clone)
    assert [re.findall(r" -m ((?:not )?alone) ", line) for line in outcome.stdout.splitlines()] == [
        ["alone"],
        ["not alone"],
    ]
    assert (outcome.returncode != 0) is bool(fails)


def test_https_is_asked_for_by_name(clone: Path) -> None:
    assert "examples.run --https" in make("--dry-run", "run", "HTTPS=1", folder=clone).stdout
    assert "--https" not in make("--dry-run", "run", "HTTPS=0", folder=clone).stdout
    assert "--https" not in make("--dry-run", "run", folder=clone).stdout


def test_an_interpreter_that_is_too_old_is_refused_with_what_to_do(clone: Path) -> None:
    old = clone / "python-of-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    outcome = make("demo", f"PYTHON={old}", folder=clone)
    assert outcome.returncode != 0
    assert "Python 3.11 or later is needed" in outcome.stderr
    assert "make PYTHON=" in outcome.stderr
    assert not (clone / ".venv").exists()


def test_continuous_integration_runs_the_tests_that_everybody_runs() -> None:
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & stat.S_IXUSR
    text = script.read_text()
    assert "set -euo pipefail" in text
    assert re.findall(r"^(?!#)(?:exec )?make .*$", text, re.MULTILINE) == [
        "exec make --no-print-directory test"
    ]
