"""The splitter of a JSON array: exact on valid JSON, and losing no good row on faulty JSON."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corpid.registers.json_rows import MAX_DEPTH, JsonRow, JsonRows
from corpid.registers.malformed import MAX_ROW, MalformedRegisterFile

TEXTS = st.text(max_size=12) | st.text(alphabet='{}[],:"\\ \n風', max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


def rows(text: str | bytes, **options: int) -> list[JsonRow]:
    data = text.encode() if isinstance(text, str) else text
    return list(JsonRows(io.BytesIO(data), **options))


def until_fault(data: bytes, **options: int) -> tuple[list[JsonRow], MalformedRegisterFile]:
    seen: list[JsonRow] = []
    with pytest.raises(MalformedRegisterFile) as caught:
        seen.extend(JsonRows(io.BytesIO(data), **options))  # keeps what came before the fault
    return seen, caught.value


@given(
    st.lists(OBJECTS, max_size=6),
    st.sampled_from([None, 0, 1]),
    st.booleans(),
    st.integers(1, 40),
)
@settings(max_examples=300, deadline=None)
def test_valid_json_gives_what_json_loads_gives(
    values: list[Any], indent: int | None, ascii_only: bool, block: int
) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    longest = max((len(json.dumps(one, indent=2).encode()) for one in values), default=0)
    for options in ({}, {"block": block, "max_row": 4 * longest + 60}):
        assert [row.value for row in rows(text, **options)] == json.loads(text)


@settings(deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=4), st.data())
def test_a_truncated_array_yields_the_whole_rows_and_then_says_so(
    values: list[dict[str, Any]], data: st.DataObject
) -> None:
    pieces = [json.dumps(one, ensure_ascii=False).encode() for one in values]
    kept = data.draw(st.integers(0, len(pieces) - 1))
    cut = data.draw(st.integers(0, len(pieces[kept])))
    text = b"[" + b",".join([*pieces[:kept], pieces[kept][:cut]])
    assume(not re.search(rb"\}\s*\]\s*\Z", text))  # reads as a whole array with a faulty last row
    seen, fault = until_fault(text)
    good = [row.value for row in seen if row.value is not None]
    if cut == len(pieces[kept]):
        kept += 1
    assert good[:kept] == values[:kept]
    assert all(extra == {} for extra in good[kept:])  # all that text in a string can make
    assert fault.problem


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_malformed_register_file(data: bytes) -> None:
    try:
        rows(data)
        rows(b"[" + data + b"]")
    except MalformedRegisterFile as fault:
        assert fault.line >= 1  # noqa: PT017


def test_rows_have_the_line_they_begin_on() -> None:
    text = '\ufeff\n[\n{"a":1},\r\n\n {\n"a":\n2}\n,{"a":"x\\ny"}, {"a":3}\n]\n'
    assert [row.line for row in rows(text)] == [3, 5, 8, 8]


@pytest.mark.parametrize(
    "broken",
    [
        '{"Brn": nope}',
        '{"Brn": "1",}',
        '{"Brn": "1" "b": 2}',
        '{"Brn": "1, "b": "2"}',
        '{"Brn": "1", "b": "2}',
        '{"Brn": "1", "b": {"c": 1}',
        '{"Brn": "1"',
        '{Brn: "1"}',
        '{"Brn": "\\x"}',
        '{"Brn": "\\ud800"}',
        '{"Brn": "a\nb"}',
        '{"Brn": NaN}',
    ],
)
def test_a_faulty_row_is_reported_with_its_line_and_its_neighbours_are_kept(broken: str) -> None:
    good = [{"Brn": f"9900000{n}"} for n in range(4)]
    lines = [json.dumps(one) for one in good]
    for options in ({}, {"block": 5, "max_row": 120}):
        for at in (0, 2, 3):
            text = "[" + ",\n".join([*lines[:at], broken, *lines[at:]]) + "\n]"
            found = rows(text, **options)
            assert [row.value for row in found if row.value is not None] == good
            bad = [row for row in found if row.value is None]
            assert [row.line for row in bad] == [at + 1]
            assert bad[0].reason


@pytest.mark.parametrize(
    "broken", ['{"Brn": "1", "b": [1, 2}', '{"Brn": "1", "b": [{"Brn": "x"}, {"Brn": "y"}] 5}']
)
def test_after_a_faulty_row_with_an_array_nothing_passes_for_a_row(broken: str) -> None:
    seen, fault = until_fault(f'[{{"Brn": "0"}},\n{broken},\n{{"Brn": "2"}}]'.encode())
    assert [row.value for row in seen] == [{"Brn": "0"}]
    assert fault.line == 2


def test_elements_that_are_not_objects_are_reported() -> None:
    found = rows('[1, "a,}{", null, [{"Brn": "1"}], tru,\n{"Brn": "2"}]')
    assert [row.value for row in found] == [None, None, None, None, None, {"Brn": "2"}]
    assert {row.reason for row in found[:5]} == {"the row is not a JSON object"}


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "empty"),
        (" \n\n", 3, "empty"),
        ('{"Brn": "1"}', 1, "begins with ["),
        ("Brn,Name\n", 1, "begins with ["),
        ('[{"Brn": "1"},\n{"Brn": "2"', 2, "ends in the middle"),
        ('[{"Brn": "1"},\n{"Brn": "2', 2, "ends in the middle"),
        ('[{"Brn": "1"},\n', 2, "ends in the middle"),
        ('[{"Brn": "1"}\n', 2, "ends in the middle"),
        ("[", 1, "ends in the middle"),
        ('[{"Brn": "1"}\n{"Brn": "2"}]', 2, "comma"),
        ('[{"Brn": "1"},\n]', 2, "missing"),
        ('[{"Brn": "1"},\n}]', 2, "missing"),
        ('[{"Brn": "1"}]\n[]', 2, "more after"),
        ("[]x", 1, "more after"),
    ],
)
def test_a_file_that_is_no_array_says_where_and_what_to_do(text: str, line: int, word: str) -> None:
    seen, fault = until_fault(text.encode())
    assert fault.line == line
    assert word in fault.problem
    assert all(row.value is not None for row in seen)
    assert len(seen) == (1 if '"1"' in text and text[0] == "[" else 0)


@pytest.mark.parametrize(
    "fields", ['{"Brn": "2", "x": "%s"}', '{"Brn": "2", "x": [{"y": "%s"}, {}]}']
)
@pytest.mark.parametrize("closed", [True, False])
def test_a_row_over_the_bound_is_malformed(fields: str, closed: bool) -> None:
    row = fields % ("z" * MAX_ROW)
    text = '[{"Brn": "1"},\n' + (row if closed else row[:-4]) + ',\n{"Brn": "3"}]'
    seen, fault = until_fault(text.encode())
    assert [one.value for one in seen] == [{"Brn": "1"}]
    assert fault.line == 2
    assert "longer than" in fault.problem


def test_what_is_inside_a_huge_wrapper_does_not_pass_for_rows() -> None:
    inner = ",".join('{"Brn": "1"}' for _ in range(MAX_ROW // 10))
    seen, fault = until_fault(f'[{{"data": [{inner}]}}]'.encode())
    assert seen == []
    assert "longer than" in fault.problem


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_a_row_nested_too_deep_is_malformed(opening: str) -> None:
    closing = "}" if opening[0] == "{" else "]"
    for depth in (MAX_DEPTH + 1, 5000):
        deep = '{"a":' + opening * depth + "1" + closing * depth + "}"
        seen, fault = until_fault(f'[{{"Brn": "1"}},\n{deep}]'.encode())
        assert len(seen) == 1
        assert fault.line == 2
        assert "deep" in fault.problem


@pytest.mark.parametrize("encoding", ["big5", "gb18030", "latin-1"])
def test_another_encoding_is_named_with_its_line(encoding: str) -> None:
    name = "樣本功蓋" if encoding != "latin-1" else "Café"
    text = f'[{{"Brn": "1"}},\n{{"Brn": "2", "n": "{name}"}},\n{{"Brn": "3"}}]'
    seen, fault = until_fault(text.encode(encoding))
    assert [one.value for one in seen] == [{"Brn": "1"}]
    assert fault.line == 2
    assert "UTF-8" in fault.problem
