"""CBOR as narrowly as an mdoc needs it, and never an error but our own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc.formats import cbor
from oidc.formats.mdoc_errors import CborTooLarge, MalformedCbor

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers() | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
).filter(lambda value: _in_range(value))


def _in_range(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_in_range(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return all(map(_in_range, value))
    return not isinstance(value, int) or -(2**64) <= value < 2**64


@given(VALUES)
def test_what_is_written_is_read_the_same(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


def test_rfc8949_4_2_1_maps_are_sorted_and_lengths_are_shortest() -> None:
    encoded = cbor.encode({"b": 1, "aa": 2, "a": 24, -1: 0, 1: 0})
    assert encoded.hex() == "a50100200061611818616201626161" + "02"


@pytest.mark.parametrize(
    ("what", "hexadecimal"),
    [
        ("nothing", ""),
        ("an array cut short", "8201"),
        ("something after the item", "0102"),
        ("an indefinite array", "9f01ff"),
        ("an indefinite map", "bf0101ff"),
        ("an indefinite byte string", "5f4101ff"),
        ("an indefinite text", "7f6161ff"),
        ("a break alone", "ff"),
        ("a key twice", "a201010102"),
        ("a key twice, written differently", "a20101180102"),
        ("true and 1 as keys", "a2f5010101"),
        ("a key that is an array", "a1810102"),
        ("a key that is a byte string", "a1410102"),
        ("a key that is a number with a fraction", "a1fb3ff800000000000001"),
        ("a key that is true", "a1f501"),
        ("text that is not UTF-8", "61ff"),
        ("not a number", "f97e00"),
        ("infinity", "f97c00"),
        ("undefined", "f7"),
        ("a simple value", "f820"),
        ("an array longer than the data", "9b00000000ffffffff"),
        ("an array longer than any memory", "9b7fffffffffffffff"),
        ("a byte string longer than any memory", "5b7fffffffffffffff"),
        ("nested arrays", "81" * 17 + "01"),
        ("nested tags", "d818" * 17 + "01"),
        ("a date that is no text", "c001"),
        ("embedded CBOR that is no byte string", "d81861" + "61"),
        ("a full date that is no text", "d903ec01"),
        ("a bignum", "c24101"),
        ("a decimal fraction", "c48221196ab3"),
        ("a fraction", "d81e820102"),
        ("a regular expression", "d8236161"),
        ("a shared value", "d81c00"),
        ("a reference", "d81d00"),
        ("string references", "d9010080"),
        ("a set", "d9010281" + "01"),
        ("an address", "d83444c0000201"),
        ("epoch time", "c11a514b67b0"),
        ("self-described CBOR", "d9d9f7a0"),
        ("an unknown tag", "d9fffa00"),
        ("a tagged COSE_Sign1", "d28443a10126a0f641" + "00"),
    ],
)
def test_refuses(what: str, hexadecimal: str) -> None:
    with pytest.raises(MalformedCbor):
        cbor.decode(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize("number", [cbor.DATE_TIME, cbor.DATE, cbor.EMBEDDED])
def test_the_tags_of_an_mdoc_are_left_as_they_are(number: int) -> None:
    content: Any = b"\x01" if number == cbor.EMBEDDED else "any text"
    found = cbor.decode(cbor.encode(cbor.Tagged(number, content)))
    assert (found.tag, found.value) == (number, content)


def test_the_size_is_bounded_before_anything_is_read() -> None:
    assert cbor.decode(cbor.encode(bytes(10)), max_bytes=11) == bytes(10)
    with pytest.raises(CborTooLarge):
        cbor.decode(cbor.encode(bytes(11)), max_bytes=11)


@given(st.binary(max_size=200))
def test_no_error_but_our_own_for_any_bytes(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedCbor:
        return
    cbor.encode(value)
