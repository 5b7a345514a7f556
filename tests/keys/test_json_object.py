import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import json_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":1, "a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"b":[{"a":1,"a":2}]}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b'"a"',
        b"null",
        b"",
        b"{} {}",
        b'{"a":' * 1100 + b"1" + b"}" * 1100,
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b'{"a":' * 255 + b"1" + b"}" * 255,
    ],
)
def test_refuses(raw):
    with pytest.raises(ValueError):
        json_object.loads(raw)


@pytest.mark.parametrize("blank", [b"", b" "])
def test_what_was_read_can_be_written_however_deep(blank):
    raw = b'{"a":' * 254 + blank + b"1" + b"}" * 254
    assert json_object.dumps(json_object.loads(raw)) == raw.replace(b" ", b"")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a" : 1.50} ', {"a": 1.5}),
        (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        ('{"名":"\\u540d"}'.encode(), {"名": "名"}),
    ],
)
def test_reads(raw, value):
    assert json_object.loads(raw) == value


def test_numbers_of_many_digits_cost_no_conversion():
    assert json_object.loads(b'{"a": 1, "b": ' + b"1" * 300 + b"}")["a"] == 1


@given(st.dictionaries(st.text(), VALUES))
def test_what_is_written_reads_back_or_is_refused(value):
    finite = "NaN" not in (text := json.dumps(value)) and "Infinity" not in text
    if finite:
        assert json_object.loads(json_object.dumps(value)) == json.loads(text)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_cannot_say_is_refused(number):
    for value in ({"a": number}, {"a": [None, number]}, {"a": {"b": (number,)}}):
        with pytest.raises(ValueError):
            json_object.dumps(value)


def test_null_is_written():
    assert json_object.dumps({"a": None, "b": [1.5, "null"]}) == b'{"a":null,"b":[1.5,"null"]}'
