"""docs/rules-and-tests.md is true: every test that it names is there, and every rule has one."""

import ast
import re
from functools import cache

from tests.support.service_process import ROOT
from tests.support.speaking import speaks_http

PAGE = ROOT / "docs" / "rules-and-tests.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PROTOCOLS = ("OpenID Connect Core", "Security best", "1.4", "1.5", "1.6", "1.7")
_LATER = re.compile(r"issue [34]")


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _rows() -> list[tuple[str, str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [tuple(part.strip() for part in line.strip("| ").split(" | ", 1)) for line in lines]
    return [(rule, tests) for rule, tests in cells if rule != "rule"]


def test_every_test_on_the_page_exists() -> None:
    named = _TEST.findall(PAGE.read_text())
    assert len(named) > 200
    missing = {
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in _tests_in(path)
    }
    assert not missing


def test_every_rule_has_a_test_or_says_why_not() -> None:
    for rule, tests in _rows():
        assert _TEST.search(tests) or _LATER.fullmatch(tests) or len(tests) > 20, rule


def test_the_rules_of_the_protocols_are_asked_over_a_socket() -> None:
    """Core, RFC 9700, and 1.4 to 1.7: at least one test of each rule speaks HTTP."""
    silent = []
    for chapter in PAGE.read_text().split("\n## "):
        if chapter.startswith(PROTOCOLS):
            for line in chapter.splitlines():
                paths = [path for path, _ in _TEST.findall(line)]
                if paths and not any(speaks_http(path) for path in paths):
                    silent.append(line)
    assert silent == []


def test_no_rule_stands_twice_in_a_chapter() -> None:
    for chapter in PAGE.read_text().split("\n## "):
        rules = re.findall(r"^\| (.+?) \|", chapter, re.MULTILINE)
        assert len(set(rules)) == len(rules), rules
