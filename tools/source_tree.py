"""The files of the repository, read once, for the checks in this folder and tests/architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the wheel is made of.
SOURCES = ("keys", "oidc", "corpid")
MADE = {"build", "dist", "__pycache__", "node_modules"}
HIDDEN_BUT_OURS = {".ci", ".gitignore"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `module` as written, the line, and whether it is `from X import Y`."""

    module: str
    line: int
    is_from: bool

    @property
    def root(self) -> str:
        """The top-level name."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class PythonFile:
    """A parsed source file; `name` is its path below the repository root, with slashes."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return parsed(self.text, self.name)

    def imports(self) -> Iterator[Import]:
        """Every import, those inside functions and under TYPE_CHECKING included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno, is_from=False)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield Import(node.module or "", node.lineno, is_from=True)

    def documentation(self) -> set[int]:
        """Identities of the nodes that are docstrings, or strings that stand alone."""
        return {
            id(node.value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }

    def strings(self) -> Iterator[tuple[str, int]]:
        """Every string constant that is not documentation, with its line."""
        documentation = self.documentation()
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                yield node.value, node.lineno


@cache
def parsed(text: str, name: str) -> ast.Module:
    """Parse once; the tree is shared and must not be changed."""
    return ast.parse(text, name)


def files(root: Path = ROOT) -> Iterator[Path]:
    """All files that belong to the repository; what is made or hidden is left out."""
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS:
            continue
        if path.is_dir() and path.name not in MADE:
            yield from files(path)
        elif path.is_file():
            yield path


def python_files(root: Path = ROOT, *folders: str) -> Iterator[PythonFile]:
    """The Python files below the named folders, or below the root where none is named."""
    for start in [root / folder for folder in folders] or [root]:
        if start.is_dir():
            for path in files(start):
                if path.suffix == ".py":
                    yield PythonFile(path.relative_to(root).as_posix(), path.read_text())
