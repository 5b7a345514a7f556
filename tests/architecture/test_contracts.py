"""The import contracts of pyproject.toml hold, and each of them bites when it is broken."""

import shutil
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tools.source_tree import ROOT

PACKAGES = (
    "keys",
    "oidc",
    *(f"oidc/{name}" for name in ("provider", "issuer", "presentation", "formats")),
    "corpid",
    *(
        f"corpid/{name}"
        for name in (
            *("domain", "services", "storage", "registers", "outbound"),
            *("relying_party", "web", "cli", "wiring"),
        )
    ),
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """The packages of the design, empty, under the project's own contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        folder = tmp_path / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    (tmp_path / "corpid/settings.py").touch()
    (tmp_path / "oidc/errors.py").touch()
    return tmp_path


def test_the_tree_keeps_every_contract() -> None:
    outcome = lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_empty_packages_keep_every_contract(small_tree: Path) -> None:
    outcome = lint(small_tree)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("keys/jws.py", "from oidc import errors"),
        ("oidc/errors.py", "from corpid import domain"),
        ("corpid/domain/mandate.py", "from corpid import services"),
        ("corpid/services/consent.py", "from corpid import storage"),
        ("corpid/services/consent.py", "def f():\n    from corpid import settings"),
        ("corpid/storage/clients.py", "from corpid import registers"),
        ("corpid/registers/sample.py", "from corpid import wiring"),
        ("corpid/outbound/https.py", "from corpid import storage"),
        ("corpid/services/consent.py", "from corpid import outbound"),
        ("corpid/web/app.py", "from corpid import cli"),
        ("oidc/provider/token.py", "from oidc import issuer"),
        ("oidc/formats/sd_jwt.py", "from oidc import presentation"),
        ("corpid/relying_party/verify.py", "from oidc import provider"),
        ("corpid/relying_party/verify.py", "import pydantic"),
        ("corpid/services/consent.py", "from starlette.requests import Request"),
        ("corpid/web/pages.py", "from sqlalchemy import select"),
        ("oidc/issuer/credential.py", "import sqlite3"),
    ],
)
def test_a_broken_contract_is_found(small_tree: Path, place: str, statement: str) -> None:
    (small_tree / place).write_text(statement + "\n")
    outcome = lint(small_tree)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert "BROKEN" in outcome.stdout


def test_no_module_imports_itself_in_a_circle() -> None:
    """Imports inside functions and for type checking only count: a cycle is a cycle."""
    graph = grimp.build_graph("corpid", "oidc", "keys", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))
