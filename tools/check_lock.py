"""Is the lock the lock of this pyproject.toml? Answers without network (`make check`).

Checked: the fingerprint of the dependency tables, a pin within range for every declared
dependency, hashes on every pin, no index host, no URL, no path, and the container's locks being
parts of the whole one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
# File name to extras; no extras stands for all of them. The first is the whole.
LOCKS: dict[str, tuple[str, ...]] = {
    "requirements.lock": (),
    "deploy/requirements.lock": ("server", "postgres"),
    "deploy/build.lock": ("build",),
}
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
FOREIGN = re.compile(r"://|^\s*-(?!-hash)|^\s*--(?!hash=)|\s@\s|^\s*[./]")


def dependency_tables(root: Path) -> dict[str, Any]:
    """The parts of pyproject.toml that decide what a lock holds."""
    document = tomllib.loads((root / "pyproject.toml").read_text())
    project = document["project"]
    return {
        "build": sorted(document["build-system"]["requires"]),
        "base": sorted(project["dependencies"]),
        "extras": {name: sorted(v) for name, v in project["optional-dependencies"].items()},
        "python": project["requires-python"],
    }


def fingerprint(root: Path) -> str:
    """SHA-256 over those parts, independent of their order and of comments."""
    tables = json.dumps(dependency_tables(root), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(tables.encode()).hexdigest()


def pins(text: str) -> dict[str, set[str]]:
    """Name to versions; markers may give one package several versions."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if match := PIN.match(line):
            found.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return found


def without_hash(text: str) -> Iterator[str]:
    """Pins that no `--hash` line follows."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if PIN.match(line):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if not line.endswith("\\") or not following.strip().startswith("--hash=sha256:"):
                yield line


def problems(root: Path) -> Iterator[str]:
    """Every way in which the locks differ from what they should be."""
    tables = dependency_tables(root)
    whole: dict[str, set[str]] | None = None
    for name, extras in LOCKS.items():
        text = (root / name).read_text()
        if not text.startswith(f"# dependencies-sha256: {fingerprint(root)}\n"):
            yield f"{name}: made for other dependencies than pyproject.toml names; run `make lock`"
        for line in text.splitlines():
            if FOREIGN.search(line) and not line.startswith("#"):
                yield f"{name}: a line that is neither a pin nor a hash: {line.strip()}"
        yield from (f"{name}: no hash for {line.strip()}" for line in without_hash(text))
        locked = pins(text)
        chosen = extras or tuple(tables["extras"])
        for text_of in [*tables["base"], *(r for extra in chosen for r in tables["extras"][extra])]:
            wanted = Requirement(text_of)
            versions = locked.get(canonicalize_name(wanted.name), set())
            if not versions or not all(wanted.specifier.contains(v) for v in versions):
                yield f"{name}: {wanted} is not met by {sorted(versions) or 'any pin'}"
        if whole is None:
            whole = locked
        for package, versions in locked.items():
            if not versions <= whole.get(package, set()):
                yield f"{name}: {package} {sorted(versions)} is not in the whole lock"


def main() -> int:
    """Print what is wrong; the exit status says whether anything is."""
    found = list(problems(ROOT))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
