"""House rules that neither the linter nor the import contracts can express (`make check`).

Each rule says why in its message. tests/architecture plants a violation of each and also runs
all of them over the tree.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.source_tree import ROOT, SOURCES, PythonFile, files, python_files

LONGEST = 400
LONGEST_SLEEP = 0.02
"""Seconds, of a test that looks again and again."""
WEB_FRAMEWORKS = {"fastapi", "starlette", "flask", "django", "aiohttp", "litestar", "quart"}
WEB_PLACES = ("corpid/web/", "oidc/provider/", "oidc/issuer/", "oidc/presentation/")
DATABASES = {"sqlalchemy", "sqlmodel", "alembic", "asyncpg", "sqlite3", "psycopg"}
DATABASE_PLACES = ("corpid/storage/", "alembic/")
NOT_IN_PRODUCTION = {
    "jose": "python-jose accepts HS256 forgeries made from a public key; it is a test witness only",
    "jwt": "keys/ is the only JOSE code in production; PyJWT is a test witness",
    "jwcrypto": "keys/ is the only JOSE code in production; jwcrypto is a test witness",
    "sd_jwt": "oidc/formats is the SD-JWT code in production; sd-jwt is a test witness",
    "aiosqlite": "it pays a thread hop per call; corpid.storage talks to sqlite3 on the loop",
    "pickle": "it runs code that is in its input",
}
# Written with escapes, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/*-])/(?:home|Users|root|work|mnt|media)/[\w.]|\b[A-Z]:\\\\?Users"
)
INDEX_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|crates\.io|proxy\.golang|deb\.debian\.org|"
    r"files\.pypi|(?:--|PIP_|UV_)(?:extra-)?(?:index|INDEX)(?:-url|_URL)"
)
SQL = re.compile(
    r"^\s*(?:SELECT\s.+\sFROM\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|"
    r"DELETE\s+FROM\s|CREATE\s+(?:TABLE|INDEX)\s|PRAGMA\s)",
    re.DOTALL,
)
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".conf", ".txt",
        ".lock", ".sh", ".cfg", ".ini", ".csv", ".svg", ".mako", ".po", ""}  # fmt: skip
# The same expression as the build hook's: what it rewrites.
REWRITTEN = re.compile(r"^[ \t]*from (keys|oidc)(?=[.\s])")
MOVED = ("keys", "oidc")
MODULE_NAME = re.compile(r"(?:keys|oidc)\.[\w.]*(?::\w+)?")
BY_NAME = {"import_module", "__import__", "find_spec", "files", "as_file", "PackageLoader"}


def in_places(name: str, places: tuple[str, ...]) -> bool:
    """Does the file lie below one of the places?"""
    return name.startswith(places)


def forbidden_imports(file: PythonFile) -> Iterator[str]:
    """Imports that are refused by their place."""
    for found in file.imports():
        where = f"{file.name}:{found.line}: {found.module}: "
        if found.module.startswith("authlib.jose"):
            yield where + "deprecated, and not the project's JOSE code; use keys/"
        if found.root in NOT_IN_PRODUCTION and not in_places(file.name, ("tests/", "bench/")):
            yield where + NOT_IN_PRODUCTION[found.root]
        if not file.name.startswith(tuple(f"{source}/" for source in SOURCES)):
            continue
        if found.root in WEB_FRAMEWORKS and not in_places(file.name, WEB_PLACES):
            yield where + "web frameworks only in corpid/web and the endpoint packages of oidc"
        if found.root in DATABASES and not in_places(file.name, DATABASE_PLACES):
            yield where + "databases only in corpid/storage"
        if found.root in {"tests", "bench", "examples", "tools"}:
            yield where + "not in the wheel"


def import_form(file: PythonFile) -> Iterator[str]:
    """`keys` and `oidc` are named only in `from … import …` statements that start a line.

    The build rewrites exactly those (docs/adr/0001); a name in any other form would still point at
    a top-level package that the installed wheel does not have.
    """
    if not in_places(file.name, (*(f"{source}/" for source in SOURCES), "alembic/")):
        return
    lines = file.text.splitlines()
    statements = set()
    for found in file.imports():
        if found.root not in MOVED:
            continue
        where = f"{file.name}:{found.line}: "
        statements.add(found.line)
        if not found.is_from:
            yield where + f"write `from {found.root} import …`; the build rewrites only that form"
        elif not REWRITTEN.match(lines[found.line - 1]):
            yield where + "put the import at the start of a line of its own; the build rewrites it"
    for number, line in enumerate(lines, 1):
        if REWRITTEN.match(line) and number not in statements:
            yield f"{file.name}:{number}: text that the build would take for an import"
    for value, line_number in file.strings():
        if MODULE_NAME.fullmatch(value):
            yield (
                f"{file.name}:{line_number}: {value!r} names a module in a string; "
                "the build cannot rewrite it, import the object"
            )


def import_by_name(file: PythonFile) -> Iterator[str]:
    """No look-up of a moved package by its bare name either."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        called = node.func.id if isinstance(node.func, ast.Name) else called
        first = node.args[0]
        if called in BY_NAME and isinstance(first, ast.Constant) and first.value in MOVED:
            yield f"{file.name}:{node.lineno}: {called}({first.value!r}): import the object instead"


def sql_outside_storage(file: PythonFile) -> Iterator[str]:
    """SQL text only in corpid/storage (and alembic/)."""
    if in_places(file.name, tuple(f"{source}/" for source in SOURCES)):
        for value, line in file.strings():
            if SQL.match(value) and not in_places(file.name, DATABASE_PLACES):
                yield f"{file.name}:{line}: SQL only in corpid/storage"


def too_long(file: PythonFile) -> Iterator[str]:
    """Files stay short enough to be read at once."""
    length = len(file.text.splitlines())
    if length >= LONGEST:
        yield f"{file.name}: {length} lines; split it, a file has fewer than {LONGEST}"


def time_of_tests(file: PythonFile) -> Iterator[str]:
    """Tests wait for what they mean; those that hold milliseconds are where they run alone."""
    if not file.name.startswith("tests/"):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            seconds = first.value if isinstance(first, ast.Constant) else 0
            if node.func.attr == "sleep" and seconds > LONGEST_SLEEP:
                yield f"{file.name}:{node.lineno}: wait for what you mean, not for a time"
        named = isinstance(node, ast.Attribute) and node.attr == "alone"
        if named and not file.name.startswith("tests/faults/"):
            yield f"{file.name}:{node.lineno}: what runs alone is looked for in tests/faults"


def forbidden_words(root: Path) -> Iterator[str]:
    """No path of one machine and no package index in anything that is committed."""
    for path in files(root):
        if path.suffix not in TEXT or path.stat().st_size > 5_000_000:
            continue
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f"{name}:{number}: a path that exists on one machine only"
            if INDEX_HOST.search(line):
                yield f"{name}:{number}: a package index; where packages come from is not ours"


def layout(root: Path) -> Iterator[str]:
    """Places that must stay empty."""
    if (root / "alembic" / "__init__.py").exists():
        yield "alembic/__init__.py: would hide the library of that name"
    for name in ("keys", "oidc", "alembic"):
        if (root / "corpid" / name).exists():
            yield f"corpid/{name}: the wheel puts {name}/ there"


PER_FILE: tuple[Callable[[PythonFile], Iterator[str]], ...] = (
    forbidden_imports,
    import_form,
    import_by_name,
    sql_outside_storage,
    too_long,
    time_of_tests,
)


def problems(root: Path = ROOT) -> Iterator[str]:
    """Everything that breaks a rule, as `file:line: reason`."""
    for file in python_files(root):
        for rule in PER_FILE:
            yield from rule(file)
    yield from forbidden_words(root)
    yield from layout(root)


def main() -> int:
    """Print what is found; the exit status says whether anything is."""
    found = list(problems())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
