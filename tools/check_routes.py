"""Is every route in the OpenAPI document, and every operation of the document a route?

The hot endpoints are plain ASGI routes that the framework does not describe, so their part of the
document is written by hand and could be forgotten. `corpid.web.app.describe()` gives both sides
without starting anything: the pairs of method and path that are routed, and the document.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# Answered for every path by the framework or the CORS layer; not operations of their own.
IMPLIED = {"HEAD", "OPTIONS"}


def differences(routed: Iterable[tuple[str, str]], document: Mapping[str, Any]) -> Iterator[str]:
    """One line for each operation that only one side knows; `routed` is (method, path)."""
    table = {(method.upper(), path) for method, path in routed if method.upper() not in IMPLIED}
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method in METHODS and method.upper() not in IMPLIED
    }
    for method, path in sorted(table - described):
        yield f"{method} {path}: routed, but not in the OpenAPI document"
    for method, path in sorted(described - table):
        yield f"{method} {path}: in the OpenAPI document, but not routed"


def main() -> int:
    """Print the differences; the exit status says whether there are any."""
    from corpid.web.app import describe

    found = list(differences(*describe()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
