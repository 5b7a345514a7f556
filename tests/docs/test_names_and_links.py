"""What a document points at is there: pages, headings, files, tests."""

import re
from functools import cache

import pytest

from tests.docs.reading import Document, documents
from tools.source_tree import ROOT

FOLDERS = ("alembic", "bench", "corpid", "deploy", "docs", "examples", "keys", "oidc", "tests")
_TEST = re.compile(r"test_[a-z0-9_]+")
_PATH = re.compile(rf"(?:{'|'.join((*FOLDERS, 'tools'))})/[\w./-]*")
# Made by commands, or only in the wheel: not in the repository.
MADE = {"deploy/secrets/master_key", "deploy/secrets/database_password"}
MADE |= {"corpid/alembic", "corpid/keys", "corpid/oidc"}

ALL = documents()
names = pytest.mark.parametrize("document", ALL, ids=[one.name for one in ALL])


@cache
def known_tests() -> frozenset[str]:
    """The name of every test function."""
    found: set[str] = set()
    for path in ROOT.glob("tests/**/*.py"):
        found |= set(re.findall(r"def (test_\w+)\(", path.read_text("utf-8")))
    return frozenset(found)


@names
def test_every_link_leads_somewhere(document: Document) -> None:
    for link in document.links:
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = (document.path.parent / place).resolve() if place else document.path
        assert target.exists(), f"{document.name}: {link}"
        assert target.is_relative_to(ROOT)
        if anchor:
            page = Document(target.relative_to(ROOT).as_posix())
            assert anchor in page.anchors, f"{document.name}: {link}"


@names
def test_every_file_that_is_named_exists(document: Document) -> None:
    for word in document.code:
        path, _, test = word.partition("::")
        if not _PATH.fullmatch(path) or path in MADE:
            continue
        assert (ROOT / path).exists(), f"{document.name}: {word}"
        if test:
            assert f"def {test}(" in (ROOT / path).read_text("utf-8"), f"{document.name}: {word}"


@names
def test_every_test_that_is_named_exists(document: Document) -> None:
    for word in document.code:
        if _TEST.fullmatch(word):
            assert word in known_tests(), f"{document.name}: {word}"
