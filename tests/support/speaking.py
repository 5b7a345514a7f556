"""Whether a file of tests speaks HTTP over a socket, by what it imports."""

import ast
from functools import cache
from pathlib import Path

from tools.source_tree import ROOT

OVER_A_SOCKET = frozenset(
    {
        "tests.support.asgi",
        "tests.support.fapi_client_http",
        "tests.support.https_server",
        "tests.support.logout_receiver",
        "tests.support.raw_http",
        "tests.docs.site",
    }
)
"""Whoever asks, or is asked, through one of these does it by HTTP/1.1 on a loopback port."""


def speaks_http(path: str) -> bool:
    """Whether a file below the repository's root does, or its folder's fixtures do."""
    return not OVER_A_SOCKET.isdisjoint(_imports(path))


@cache
def _imports(path: str) -> frozenset[str]:
    """The modules of the tests that a file imports, and those that they import."""
    found, waiting = set[str](), {path, str(Path(path).parent / "conftest.py")}
    while waiting:
        file = ROOT / waiting.pop()
        if not file.is_file():
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tests."):
                if node.module not in found:
                    waiting.add(str(node.module).replace(".", "/") + ".py")
                found.add(str(node.module))
    return frozenset(found)
