"""The records of decisions: numbered one after another, and called by that number."""

from tools.source_tree import ROOT

DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = [int(path.name.split("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))


def test_a_decision_is_headed_by_its_number_and_says_its_status() -> None:
    for path in DECISIONS:
        heading, _, status, *_ = path.read_text(encoding="utf-8").splitlines()
        assert heading.startswith(f"# {path.name[:4]}. "), path.name
        assert status.startswith("Status: "), path.name


def test_no_two_decisions_have_one_heading() -> None:
    headings = [
        path.read_text(encoding="utf-8").split("\n", 1)[0][len("# 0000. ") :] for path in DECISIONS
    ]
    assert len(set(headings)) == len(headings)
