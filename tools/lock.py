"""Writes requirements.lock and the container's two locks from pyproject.toml (`make lock`).

The first holds every extra, for development and tests; those in deploy/ what the container runs
and is built with, at the same versions. All carry hashes, name no package index and no path, and
begin with a fingerprint of the dependency tables, so that tools/check_lock.py needs no network.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.check_lock import LOCKS, OLDEST_PYTHON, fingerprint  # noqa: E402


def compiled(previous: Path, extras: tuple[str, ...], constraint: Path | None) -> str:
    """The pins for the given extras (none given: all), keeping the versions of `previous`."""
    chosen = [f"--extra={extra}" for extra in extras] or ["--all-extras"]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pins.txt"
        if previous.exists():
            output.write_text(previous.read_text())
        command = [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *chosen),
            *("--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"),
            *("--no-header", "--no-annotate", "--quiet", "--output-file", str(output)),
            *(("--constraint", str(constraint)) if constraint else ()),
        ]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return output.read_text()


def main() -> int:
    """Write all of them; the later ones are held to the versions of the first."""
    first: Path | None = None
    for name, extras in LOCKS.items():
        target = ROOT / name
        pins = compiled(target, extras, first)
        what = f"extras {', '.join(extras)}" if extras else "all extras"
        head = (
            f"# dependencies-sha256: {fingerprint(ROOT)}\n"
            f"# {what}, Python {OLDEST_PYTHON} and later. Written by: make lock\n"
        )
        target.write_text(head + pins)
        first = first or target
        print(
            f"{name}: {sum(' --hash' not in line and '==' in line for line in pins.splitlines())}"
            " packages"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
