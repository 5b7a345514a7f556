"""The house rules hold over the tree, and each of them finds the violation planted for it."""

from pathlib import Path

import pytest

from tools import check_forbidden
from tools.source_tree import PythonFile


def found(name: str, text: str) -> list[str]:
    file = PythonFile(name, text + "\n")
    return [line for rule in check_forbidden.PER_FILE for line in rule(file)]


def test_the_tree_breaks_no_rule() -> None:
    assert list(check_forbidden.problems()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("keys/jws.py", "from jose import jwt"),
        ("keys/jws.py", "import jwt"),
        ("oidc/formats/sd_jwt.py", "import sd_jwt"),
        ("examples/bank.py", "from jose import jws"),
        ("corpid/web/app.py", "from authlib.jose import jwt"),
        ("tests/keys/test_jws.py", "from authlib.jose import jwt"),
        ("corpid/storage/database.py", "import aiosqlite"),
        ("corpid/services/consent.py", "def late():\n    import starlette.requests"),
        ("oidc/request.py", "from starlette.requests import Request"),
        ("corpid/wiring/build.py", "from fastapi import FastAPI"),
        ("corpid/wiring/build.py", "import sqlite3"),
        ("corpid/web/app.py", "from tests.support import clock"),
        ("corpid/web/app.py", "import keys"),
        ("corpid/web/app.py", "import oidc.errors"),
        ("corpid/web/app.py", "import os; from keys import jws"),
        ("corpid/web/app.py", "def f(): from keys import jws"),
        ("corpid/web/app.py", "from \\\n  keys import jws"),
        ("corpid/web/app.py", 'x = """\nfrom keys import jws\n"""'),
        ("corpid/web/app.py", 'app = "oidc.provider.app:create"'),
        ("corpid/web/app.py", 'name = f"oidc.{kind}"'),
        ("corpid/web/app.py", 'import_module("keys")'),
        ("corpid/web/app.py", 'resources.files("oidc")'),
        ("corpid/services/consent.py", 'x = "SELECT id FROM consents"'),
        ("corpid/cli/db.py", 'x = "pragma journal_mode".upper(), "PRAGMA journal_mode"'),
        ("corpid/web/app.py", "\n" * 400),
        ("tests/flows/test_x.py", "import asyncio\nasyncio.sleep(0.1)"),
        ("tests/flows/test_x.py", "import time\ntime.sleep(1)"),
        ("tests/flows/test_x.py", "import pytest\n@pytest.mark.alone\ndef test_x(): pass"),
    ],
)
def test_a_violation_is_found(name: str, text: str) -> None:
    assert len(found(name, text)) >= 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/keys/test_jws.py", "from jose import jwt"),
        ("oidc/provider/token.py", "from starlette.requests import Request"),
        ("corpid/storage/engine.py", 'import sqlite3\nx = "PRAGMA journal_mode"'),
        ("corpid/web/app.py", "from keys import jws\nfrom oidc.errors import Refused"),
        ("corpid/web/app.py", "def f():\n    from keys.jwk import (\n        JwkSet,\n    )"),
        ("corpid/web/app.py", '"""Reads `oidc.errors`."""\nx = "select a business"'),
        ("tests/flows/test_x.py", "import keys.jws"),
        ("corpid/web/app.py", "\n" * 390),
        ("tests/flows/test_x.py", "import asyncio\nasyncio.sleep(0)"),
        ("tests/faults/test_x.py", "import pytest\n@pytest.mark.alone\ndef test_x(): pass"),
    ],
)
def test_what_is_allowed_is_not_found(name: str, text: str) -> None:
    assert found(name, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "home/somebody/notes",
        'path = "/' + 'root/.cache"',
        "C:" + "\\Users\\somebody",
        "--index" + "-url https://host.invalid/simple",
        "https://py" + "pi.org/simple",
    ],
)
def test_a_path_of_one_machine_and_a_package_index_are_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.md").write_text(text)
    assert len(list(check_forbidden.forbidden_words(tmp_path))) == 1


@pytest.mark.parametrize("text", ["https://rp.example/home/page", "a/root/b", "/var/lib/corpid"])
def test_addresses_and_places_of_every_machine_are_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.md").write_text(text)
    assert list(check_forbidden.forbidden_words(tmp_path)) == []


def test_a_package_that_hides_the_migration_library_is_found(tmp_path: Path) -> None:
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic" / "__init__.py").touch()
    (tmp_path / "corpid" / "keys").mkdir(parents=True)
    assert len(list(check_forbidden.layout(tmp_path))) == 2
