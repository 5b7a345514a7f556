"""docs/flows/issuance.md has the steps that are in the code, with the same numbers."""

import re
from pathlib import Path

import pytest

from tools.source_tree import ROOT

_NUMBERED = re.compile(r"^\s*# (\d)\. (.+)$", re.MULTILINE)
_STEP = re.compile(r"^(\d)\. ", re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
PAGE = (ROOT / "docs" / "flows" / "issuance.md").read_text("utf-8")
# Section of the page -> the files that carry its steps out, in their order.
SECTIONS = {
    "The credential": ("oidc/issuer/credential.py", "oidc/issuer/issuing.py"),
    "What waits": ("oidc/issuer/deferred.py",),
}


def section(title: str) -> str:
    found = re.split(_HEADING, PAGE)
    return dict(zip(found[1::2], found[2::2], strict=True))[title]


@pytest.mark.parametrize("title", SECTIONS)
def test_the_steps_of_the_code_are_those_of_the_page(title: str) -> None:
    texts = [(ROOT / path).read_text("utf-8") for path in SECTIONS[title]]
    in_code = [int(number) for text in texts for number, _ in _NUMBERED.findall(text)]
    on_page = [int(number) for number in _STEP.findall(section(title))]
    assert in_code == on_page == list(range(1, len(on_page) + 1))


@pytest.mark.parametrize("title", SECTIONS)
def test_the_page_says_where_the_steps_are(title: str) -> None:
    assert f"`{SECTIONS[title][0]}`, whose comments have these numbers" in section(title)


def test_every_error_code_of_the_issuer_has_its_step() -> None:
    """Each code that an endpoint of the issuer can answer with is named on the page."""
    errors = (ROOT / "oidc" / "errors.py").read_text("utf-8")
    codes = dict(re.findall(r"class (\w+)\(OAuthError\):.*?code = \"(\w+)\"", errors, re.DOTALL))
    names: set[str] = set()
    for path in Path(ROOT / "oidc" / "issuer").glob("*.py"):
        text = path.read_text("utf-8")
        names |= {name for name in codes if re.search(rf"\b{name}\(", text)}
    own = {codes[name] for name in names} - {"invalid_request", "temporarily_unavailable"}
    missing = {code for code in own if f"`{code}`" not in PAGE}
    assert not missing
