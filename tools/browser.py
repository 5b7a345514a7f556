"""A Chromium for the tests of the pages: found, or installed where that is allowed.

python -m tools.browser        (`make test` runs it first)

One that the system has is taken; else the operating system's package is installed where this user
may (root, and apt-get is there), and the browser-test library's own build is asked for elsewhere.
What cannot be had is said, and `make test` goes on: the tests then say that they did not run, and
under CI=true they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHOSEN = "CORPID_TEST_BROWSER"
"""The environment variable that names the browser to take."""
SECONDS = 300

Which = Callable[[str], str | None]
Run = Callable[[Sequence[str]], bool]


def on_the_system(
    environment: Mapping[str, str] = os.environ, which: Which = shutil.which
) -> Path | None:
    """The browser that is named by the environment, or one that is on the path."""
    if environment.get(CHOSEN):
        return Path(environment[CHOSEN])
    found = next((path for name in NAMES if (path := which(name))), None)
    return Path(found) if found else None


def of_the_library() -> Path | None:
    """The build that the browser-test library has downloaded, if it has."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as library:
        path = Path(library.chromium.executable_path)
    return path if path.exists() else None


def ways(*, is_root: bool, which: Which = shutil.which) -> list[list[str]]:
    """The commands that install one on this machine, run in this order."""
    apt = which("apt-get")
    if is_root and apt:
        return [
            [apt, "update", "-qq"],
            [apt, "install", "-qq", "-y", "--no-install-recommends", "chromium"],
        ]
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def ensure(find: Callable[[], Path | None], commands: Sequence[Sequence[str]], run: Run) -> str:
    """Install one if there is none; the line that says what came of it."""
    if path := find():
        return f"browser: {path}"
    print("browser: none here, installing one (once)", flush=True)
    for command in commands:
        if not run(command):
            break
    if path := find():
        return f"browser: {path}"
    return "browser: none here, and none could be installed; the tests in a browser will not run"


def find() -> Path | None:
    """The browser that the tests take."""
    return on_the_system() or of_the_library()


def _run(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            check=False,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Find or install; the tests themselves decide what a missing browser means."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    print(ensure(find, ways(is_root=is_root), _run), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
