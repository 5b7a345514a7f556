"""docs/conformance.md is true: every test that it names is there, and every module has one."""

import ast
import re
from functools import cache

from tests.support.speaking import speaks_http
from tools.source_tree import ROOT

PAGE = (ROOT / "docs" / "conformance.md").read_text()
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
# How many modules the plans have, so that none is lost.
PLANS = {
    "Run by the suite itself": 13,
    "OpenID Connect: Basic OP": 38,
    "OpenID Connect: Config OP": 1,
    "OpenID Connect: Dynamic OP": 18,
    "OpenID Connect: Form Post OP": 2,
    "RP-Initiated Logout OP": 11,
    "Back-Channel Logout OP": 2,
    "FAPI 2.0 Security Profile (final)": 58,
    "FAPI 2.0 Message Signing (final)": 21,
    "OpenID4VCI 1.0: issuer, and HAIP 1.0": 21,
    "Left out": 0,
}


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _plans() -> dict[str, list[tuple[str, str]]]:
    found = {}
    for chapter in PAGE.split("\n## ")[1:]:
        rows = re.findall(r"^\| (.+?) \| (.+) \|$", chapter, re.MULTILINE)
        found[chapter.partition("\n")[0]] = [
            row for row in rows if row[0] not in ("module", "plan")
        ]
    return found


def test_every_test_on_the_page_exists() -> None:
    missing = {
        f"{path}::{name}"
        for path, name in _TEST.findall(PAGE)
        if not (ROOT / path).is_file() or name not in _tests_in(path)
    }
    assert not missing


def test_every_module_has_a_test_or_says_why_not() -> None:
    for plan, rows in _plans().items():
        names = [module for module, _ in rows]
        assert len(names) == len(set(names)), plan
        for module, tests in rows:
            assert _TEST.search(tests) or len(tests.split()) > 5, (plan, module)


def test_every_test_on_the_page_sends_real_http() -> None:
    """A suite runs from outside, so what stands for its modules goes over a socket as well."""
    paths = sorted({path for path, _ in _TEST.findall(PAGE)})
    assert [path for path in paths if not speaks_http(path)] == []


def test_no_module_is_lost() -> None:
    assert {plan: len(rows) for plan, rows in _plans().items()} == PLANS
