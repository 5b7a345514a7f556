"""The lists in docs/threat-model.md: complete, each item with code and a test that exist."""

import re

import pytest

from tests.docs.reading import Document
from tests.docs.test_names_and_links import known_tests
from tools.source_tree import ROOT

PAGE = Document("docs/threat-model.md").text
LISTS = {
    "RFC 9700, section 4, and its update": [
        *(f"4.{number}" for number in range(1, 18)),
        "audience injection",
        "COAT",
        "session fixation",
    ],
    "FAPI 2.0 Attacker Model": [
        *("A1", "A1a", "A2", "A3a", "A5", "A7"),
        *("authorization", "authentication", "session integrity", "browser swapping"),
    ],
    "W3C threat model for decentralized credentials": [
        *("LINDDUN linking", "LINDDUN identifying", "LINDDUN non-repudiation"),
        *("LINDDUN detecting", "LINDDUN data disclosure", "LINDDUN unawareness"),
        *("LINDDUN non-compliance", "RFC 6973 stored data compromise", "RFC 6973 intrusion"),
        *("RFC 6973 misattribution", "RFC 6973 correlation", "RFC 6973 identification"),
        *("RFC 6973 secondary use", "RFC 6973 disclosure", "RFC 6973 exclusion", "surveillance"),
        *("RFC 3552 passive", "RFC 3552 active", "STRIDE spoofing", "STRIDE tampering"),
        *("STRIDE repudiation", "STRIDE information disclosure", "STRIDE denial of service"),
        *("STRIDE elevation of privilege", "delegation", "credentials used for authentication"),
        *("identity leakage", "identity impersonation"),
    ],
}


def _rows(title: str) -> list[tuple[str, str, str, str]]:
    chapter = PAGE.split(f"\n### {title}\n")[1].split("\n##")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+) \| (.+) \|$", chapter, re.MULTILINE)
    return [row for row in rows if row[1] not in ("threat", "---")]


@pytest.mark.parametrize("title", LISTS)
def test_every_item_of_the_list_is_there(title: str) -> None:
    items = {part for row in _rows(title) for part in re.split(r"; |, ", row[0])}
    missing = [one for one in LISTS[title] if not any(item.startswith(one) for item in items)]
    assert missing == []


@pytest.mark.parametrize("title", LISTS)
def test_every_item_names_code_and_a_test_that_exist(title: str) -> None:
    for item, _, met, shown in _rows(title):
        files = re.findall(r"`([\w/.-]+/[\w/.-]+)`", met)
        assert files, f"{item} names no file"
        assert [one for one in files if not (ROOT / one).is_file()] == []
        tests = re.findall(r"`(test_\w+)`", shown)
        assert tests, f"{item} names no test"
        assert [one for one in tests if one not in known_tests()] == []
