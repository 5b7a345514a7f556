"""The documents as tests read them: fenced blocks, headings, links and names in backticks."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tools.source_tree import ROOT

_FENCE = re.compile(r"^```(?P<language>[a-z]*)$")
_CHECK = re.compile(r"^<!-- check: (?P<words>[^>]*) -->$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#{1,6} (.+)$")


@dataclass(frozen=True)
class Block:
    """A fenced block. ``check`` is what a comment in the line before says for the tests."""

    language: str
    text: str
    line: int
    check: str


@dataclass(frozen=True)
class Document:
    """A Markdown file below the repository's root."""

    name: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        """Every fenced block in order; a fence that does not end is a fault of the page."""
        found: list[Block] = []
        lines = self.text.splitlines()
        at = 0
        while at < len(lines):
            opened = _FENCE.match(lines[at])
            if opened is None:
                assert not lines[at].startswith("```"), f"{self.name}:{at + 1}: odd fence"
                at += 1
                continue
            end = lines.index("```", at + 1)
            check = _CHECK.match(lines[at - 1]) if at else None
            words = check["words"] if check else ""
            found.append(Block(opened["language"], "\n".join(lines[at + 1 : end]), at + 1, words))
            at = end + 1
        return found

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        kept, inside = [], False
        for line in self.text.splitlines():
            if line.startswith("```"):
                inside = not inside
            elif not inside:
                kept.append(line)
        return "\n".join(kept)

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def code(self) -> list[str]:
        """What stands in backticks."""
        return _CODE.findall(self.prose)

    @property
    def headings(self) -> list[str]:
        return [match[1] for line in self.prose.splitlines() if (match := _HEADING.match(line))]

    @property
    def anchors(self) -> set[str]:
        """The headings as a forge's links name them."""
        return {_anchor(heading) for heading in self.headings}


def documents() -> list[Document]:
    """Every Markdown file that is ours."""
    names = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md")]
    return [Document(path.relative_to(ROOT).as_posix()) for path in sorted(names)]


def _anchor(heading: str) -> str:
    kept = (
        one
        for one in heading.lower().replace(" ", "-")
        if one in "-_" or unicodedata.category(one)[0] in "LN"
    )
    return "".join(kept)
