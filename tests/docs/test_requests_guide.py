"""docs/guide-requests.md: each of its examples is what the service accepts."""

import re
from datetime import UTC, datetime

import orjson
import pytest

from corpid.services.detail_types import FACTS, NAMES, PURPOSES, detail_types
from tests.support.service_process import ROOT

PAGE = (ROOT / "docs" / "guide-requests.md").read_text()
EXAMPLES = re.findall(r"```json\n(\[.*?\])\n```", PAGE, re.DOTALL)
NOW = datetime(2026, 11, 26, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_accepted(example: str) -> None:
    types = detail_types(("company-identity",), lambda: NOW)
    for detail in orjson.loads(example):
        read = types[detail["type"]].read(detail)
        assert {name: read[name] for name in detail if name != "facts"} == {
            name: value for name, value in detail.items() if name != "facts"
        }


def test_every_type_has_an_example() -> None:
    assert {detail["type"] for one in EXAMPLES for detail in orjson.loads(one)} == set(NAMES)


def test_every_fact_and_purpose_is_named() -> None:
    for name in (*FACTS, *PURPOSES):
        assert f"`{name}`" in PAGE
