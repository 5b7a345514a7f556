"""The wheel: one top-level name, nothing missing, and a good neighbour where it is installed."""

import ast
import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tools.bare import BareEnvironment
from tools.source_tree import ROOT, files

PLACES = {"corpid": "corpid", "keys": "corpid/keys", "oidc": "corpid/oidc"}
PLACES["alembic"] = "corpid/alembic"
SERVER_ONLY = {
    *("fastapi", "starlette", "uvicorn", "pydantic", "pydantic_settings", "authlib", "typer"),
    *("sqlalchemy", "sqlmodel", "alembic", "asyncpg", "jinja2", "structlog"),
}

# An application with modules of the same names as our source tree's. It imports all that a
# relying party may import, and says what that brought along.
APPLICATION = {
    "keys.py": "OWNER = 'application'\n",
    "oidc/__init__.py": "OWNER = 'application'\n",
    "oidc/client.py": "OWNER = 'application'\n",
    "alembic/env.py": "OWNER = 'application'\n",
    "main.py": """
import importlib, json, pkgutil, sys
import keys, oidc.client
import corpid.relying_party

def everything(name):
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

for name in ("corpid.relying_party", "corpid.keys", "corpid.oidc.formats", "corpid.domain"):
    everything(name)
import alembic
print(json.dumps({
    "owners": [keys.OWNER, oidc.OWNER, oidc.client.OWNER],
    "alembic": list(alembic.__path__),
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
    "corpid": corpid.__file__,
    "public": [name for name in vars(corpid.relying_party) if not name.startswith("_")],
}))
""",
}


def build(*arguments: str, folder: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
    outcome = subprocess.run(
        [*command, *arguments, str(ROOT)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build("--wheel", folder=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("application")
    for name, text in APPLICATION.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_only_top_level_name_is_corpid(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"corpid"}
    assert len(tops) == 2


def test_every_file_of_the_tree_is_in_the_wheel_and_none_besides(wheel: Path) -> None:
    wanted = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in PLACES.items()
        for path in files(ROOT / folder)
        if path.suffix != ".pyc"
    }
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("corpid/")}
    assert held == wanted


def test_files_that_are_not_python_are_shipped_unchanged(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        for folder, place in PLACES.items():
            for path in files(ROOT / folder):
                if path.suffix not in {".py", ".pyc"}:
                    name = f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
                    assert archive.read(name) == path.read_bytes(), name


def test_no_import_in_the_wheel_names_a_package_of_the_source_tree(wheel: Path) -> None:
    outside = []
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith(".py"):
                continue
            for node in ast.walk(ast.parse(archive.read(name), name)):
                modules = []
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    modules = [node.module or ""]
                outside += [
                    f"{name}: {module}"
                    for module in modules
                    if module.partition(".")[0] in {"keys", "oidc"}
                ]
    assert outside == []


def test_the_wheel_made_from_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    build(folder=tmp_path)  # the sdist, and from it the wheel
    (second,) = tmp_path.glob("*.whl")
    assert len(list(tmp_path.glob("*.tar.gz"))) == 1
    assert second.name == wheel.name
    assert hashlib.sha256(second.read_bytes()).digest() == (
        hashlib.sha256(wheel.read_bytes()).digest()
    )


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    return BareEnvironment(tmp_path_factory.mktemp("plain"), wheel)


def test_a_plain_installation_lacks_nothing_and_holds_no_server(plain: BareEnvironment) -> None:
    plain.pip("check")
    installed = {row["name"] for row in json.loads(plain.pip("list", "--format", "json"))}
    assert installed == {"corpid", *plain.packages}
    assert not {name.replace("-", "_") for name in installed} & SERVER_ONLY


def test_a_relying_party_keeps_its_own_modules_and_gets_no_server(
    plain: BareEnvironment, application: Path
) -> None:
    outcome = plain.run(str(plain.python), "main.py", folder=application)
    assert outcome.returncode == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    assert told["owners"] == ["application"] * 3
    assert told["alembic"] == [str(application / "alembic")]
    assert not set(told["loaded"]) & (SERVER_ONLY - {"alembic"})  # that one is its own, see above
    assert Path(told["corpid"]).is_relative_to(plain.site)
    assert told["public"] != []


@pytest.fixture(scope="module")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    return BareEnvironment(tmp_path_factory.mktemp("server"), wheel, "server", "postgres")


def test_the_server_extra_lacks_nothing(server: BareEnvironment) -> None:
    server.pip("check")


def test_corpid_db_migrate_works_from_the_installed_wheel(
    server: BareEnvironment, application: Path, tmp_path: Path
) -> None:
    """Beside an application that has its own keys.py, oidc/ and alembic/ on the path."""
    database = tmp_path / "corpid.sqlite3"
    outcome = server.run(
        *(str(server.scripts / "corpid"), "db", "migrate"),
        folder=application,
        PYTHONPATH=str(application),
        HOME=str(tmp_path),
        CORPID_DATABASE_URL=f"sqlite:///{database}",
        CORPID_ISSUER="http://127.0.0.1:8000",
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    connection = sqlite3.connect(database)
    try:
        tables = {
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    finally:
        connection.close()
    assert "alembic_version" in tables
    assert len(tables) > 10


def test_a_module_of_the_server_loads_from_the_installed_wheel(
    server: BareEnvironment, application: Path
) -> None:
    """Every module, beside the application: a name that was not rewritten would be noticed."""
    script = (
        "import importlib, pkgutil, sys, corpid\n"
        "for m in pkgutil.walk_packages(corpid.__path__, 'corpid.'):\n"
        "    if not m.name.endswith('__main__') and not m.name.startswith('corpid.alembic'):\n"
        "        importlib.import_module(m.name)\n"
        "assert not {'keys', 'oidc'} & set(sys.modules), 'a name was not rewritten'\n"
    )
    outcome = server.run(str(server.python), "-c", script, folder=application)
    assert outcome.returncode == 0, outcome.stderr
