"""docs/guide-business.md and its two short versions."""

import json
import re

import pytest

from tests.docs.reading import Document
from tools.source_tree import ROOT

ENGLISH, HANT, HANS = (
    Document(f"docs/guide-business{language}.md") for language in ("", ".zh-Hant", ".zh-Hans")
)
# Characters of one script only, frequent enough to betray a sentence in the other.
ONLY_HANS = set("们国发这对过说书业时会应权证")
ONLY_HANT = set("們國發這對過說書業時會應權證")


def test_the_short_versions_have_the_same_parts() -> None:
    for pattern in (r"^#+ ", r"^\d+\. ", r"^\| ", r"\d+"):
        assert len(re.findall(pattern, HANT.text, re.MULTILINE)) == len(
            re.findall(pattern, HANS.text, re.MULTILINE)
        )
    assert len(HANT.headings) <= len(ENGLISH.headings)


def test_each_is_written_in_its_own_script() -> None:
    assert not ONLY_HANS & set(HANT.text)
    assert not ONLY_HANT & set(HANS.text)


@pytest.mark.parametrize(
    ("document", "language", "quote"),
    [(ENGLISH, "en", "*{}*"), (HANT, "zh-Hant", "「{}」"), (HANS, "zh-Hans", "“{}”")],
    ids=["en", "zh-Hant", "zh-Hans"],
)
def test_the_buttons_are_called_as_on_the_page(
    document: Document, language: str, quote: str
) -> None:
    texts = json.loads((ROOT / f"corpid/web/translations/{language}.json").read_text("utf-8"))
    for name in ("consent.approve", "consent.deny", "offers.title"):
        assert quote.format(texts[name]) in document.text
