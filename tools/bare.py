"""A virtual environment that holds the wheel and exactly the packages that its metadata asks for.

Nothing is downloaded: the packages are linked from the environment that runs the tests, but which
of them is decided only by the metadata of the wheel and of the packages themselves. The import
path holds no other folder, so that what is not declared is not there.
"""

import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from email.parser import HeaderParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def requirements(wheel: Path) -> list[str]:
    """Every Requires-Dist of the wheel, those of its extras included."""
    with ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(name).decode())
    return headers.get_all("Requires-Dist") or []


def closure(texts: Iterable[str], extras: Iterable[str]) -> dict[str, Distribution]:
    """The distributions that these requirements lead to, for the extras asked for."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(Requirement(text), frozenset(extras)) for text in texts]
    while waiting:
        wanted, asked = waiting.pop()
        if wanted.marker and not any(
            wanted.marker.evaluate({"extra": extra}) for extra in asked | {""}
        ):
            continue
        name = canonicalize_name(wanted.name)
        inner = frozenset(wanted.extras)
        if (name, inner) in seen:
            continue
        seen.add((name, inner))
        found[name] = distribution(wanted.name)
        waiting += [(Requirement(text), inner) for text in found[name].requires or []]
    return found


def link(package: Distribution, site: Path) -> None:
    """Make the distribution importable in another environment; start-up hooks are left out."""
    for file in package.files or []:
        top = file.parts[0]
        if top in {"..", "__pycache__"} or top.endswith(".pth"):
            continue
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(package.locate_file(top))).resolve())


class BareEnvironment:
    """Python, the wheel, and the closure of the wheel's requirements for some extras."""

    def __init__(self, folder: Path, wheel: Path, *extras: str) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        paths = {"base": str(folder), "platbase": str(folder)}
        self.site = Path(sysconfig.get_path("purelib", "venv", paths))
        self.scripts = Path(sysconfig.get_path("scripts", "venv", paths))
        self.python = self.scripts / "python"
        self.packages = closure(requirements(wheel), extras)
        for package in self.packages.values():
            link(package, self.site)
        self.pip("install", "--no-deps", "--no-index", "--quiet", str(wheel))

    def pip(self, *arguments: str) -> str:
        """Run pip of the testing environment upon this one."""
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        command += ["--python", str(self.python), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def run(
        self, *command: str, folder: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with only the given environment variables."""
        return subprocess.run(
            command,
            cwd=folder,
            env={"PATH": str(self.scripts), "LANG": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
