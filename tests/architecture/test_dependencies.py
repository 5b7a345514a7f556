"""Which installed packages which part may import, held against pyproject.toml."""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.source_tree import ROOT, SOURCES, Import, PythonFile, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {*SOURCES, "__future__"}
# Used without an import statement of ours: extras of a package, or started by name.
STARTED_BY_NAME: set[str] = set()
# What a relying party has after a plain installation.
SMALL = ("keys", "oidc/formats", "corpid/domain", "corpid/relying_party")
# The one module of keys that belongs to the server; its library is imported inside a function.
ENCRYPTION = ("keys/jwe.py", "joserfc")


def declared(*extras: str) -> set[str]:
    wanted = [*PROJECT["dependencies"]]
    for extra in extras:
        wanted += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name) for text in wanted}


def foreign(*folders: str) -> Iterator[tuple[PythonFile, Import, set[str]]]:
    """Imports of installed packages, with the distributions that offer the name."""
    offers = packages_distributions()
    for file in python_files(ROOT, *folders):
        for found in file.imports():
            if found.root not in sys.stdlib_module_names and found.root not in OWN:
                names = {canonicalize_name(name) for name in offers.get(found.root, [found.root])}
                yield file, found, names


def test_the_domain_imports_the_standard_library_and_itself_only() -> None:
    outside = [
        f"{file.name}:{found.line}: {found.module}"
        for file in python_files(ROOT, "corpid/domain")
        for found in file.imports()
        if found.root not in sys.stdlib_module_names
        and not found.module.startswith("corpid.domain")
    ]
    assert outside == []


def test_the_relying_party_imports_formats_keys_and_domain_only() -> None:
    allowed = ("corpid.relying_party", "corpid.domain", "corpid.version", "oidc.formats", "keys")
    outside = [
        f"{file.name}:{found.line}: {found.module}"
        for file in python_files(ROOT, "corpid/relying_party")
        for found in file.imports()
        if found.root in SOURCES
        and not any(found.module == name or found.module.startswith(f"{name}.") for name in allowed)
        and found.module not in {"corpid", "oidc"}
    ]
    assert outside == []


def test_a_parent_package_is_imported_from_by_the_relying_party_only_for_allowed_names() -> None:
    """`from oidc import formats` is fine, `from corpid import services` is not."""
    allowed = {"corpid": {"relying_party", "domain", "version", "__version__"},
               "oidc": {"formats"}}  # fmt: skip
    import ast

    outside = [
        f"{file.name}:{node.lineno}: from {node.module} import {alias.name}"
        for file in python_files(ROOT, "corpid/relying_party")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ImportFrom) and node.module in allowed
        for alias in node.names
        if alias.name not in allowed[node.module]
    ]
    assert outside == []


def test_what_a_plain_installation_offers_is_all_that_its_parts_import() -> None:
    base = declared()
    outside = [
        f"{file.name}:{found.line}: {found.module}"
        for file, found, names in foreign(*SMALL)
        if not names & base and (file.name, found.root) != ENCRYPTION
    ]
    assert outside == []


def test_encryption_is_the_servers_and_nothing_small_imports_it() -> None:
    import ast

    outside = [
        file.name
        for file in python_files(ROOT, *SMALL)
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module == "keys.jwe" or "jwe" in {one.name for one in node.names})
        and file.name != ENCRYPTION[0]
    ]
    assert outside == []


def test_every_installed_package_that_is_imported_is_declared() -> None:
    known = declared("server", "postgres", "hsm")
    outside = [
        f"{file.name}:{found.line}: {found.module}"
        for file, found, names in foreign(*SOURCES, "alembic")
        if not names & known
    ]
    assert outside == []


def test_every_package_that_is_declared_is_imported() -> None:
    """A dependency that nothing uses is risk without use: remove it, here and in docs."""
    used: set[str] = set()
    for _, _, names in foreign(*SOURCES, "alembic"):
        used |= names
    assert declared("server", "postgres") - used - STARTED_BY_NAME == set()
