"""docs/dependencies.md names every dependency of pyproject.toml, its extras, licence and reason."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.source_tree import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ROW = re.compile(
    r"^\| `(?P<name>[^`]+)` \| (?P<where>[^|]+) \| (?P<licence>[^|]+) \| (?P<why>.+) \|$"
)


def rows() -> dict[str, re.Match[str]]:
    lines = (ROOT / "docs/dependencies.md").read_text().splitlines()
    matches = [match for line in lines if (match := ROW.match(line))]
    names = [match["name"] for match in matches]
    assert len(names) == len(set(names)), "a dependency stands twice"
    return dict(zip(names, matches, strict=True))


def declared() -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    tables = {"base": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    for extra, requirements in tables.items():
        for text in requirements:
            name = canonicalize_name(Requirement(text).name)
            places.setdefault(name, set()).add(extra)
    return places


def test_the_page_and_pyproject_name_the_same_dependencies_in_the_same_places() -> None:
    page = {
        name: {place.strip() for place in match["where"].split(",")}
        for name, match in rows().items()
    }
    assert page == declared()


def test_every_reason_is_a_sentence() -> None:
    for name, match in rows().items():
        assert len(match["why"].split()) >= 4, name


@pytest.mark.parametrize("name", sorted(declared()))
def test_the_licence_on_the_page_is_the_one_that_the_package_declares(name: str) -> None:
    try:
        expression = metadata(name).get("License-Expression")
    except PackageNotFoundError:
        pytest.fail(f"{name} is not installed; the lock holds every extra")
    if expression:
        assert rows()[name]["licence"].strip() == expression


def test_every_range_has_a_floor_and_a_ceiling() -> None:
    """An open range lets a new major version in, that nobody has looked at."""
    tables = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for text in (text for table in tables for text in table):
        operators = sorted(spec.operator for spec in Requirement(text).specifier)
        assert operators == ["<", ">="], text
