"""Token Status List: the list itself (section 4)."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.base64url import encode
from oidc.formats import errors
from oidc.formats.status_list import Status, StatusList, decompress, read_claim

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "status_list.json").read_text("utf-8")
)


@pytest.mark.parametrize("vector", VECTORS["short"])
def test_section_4_examples_both_ways(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    assert decompress(vector["lst"]) == data
    made = StatusList.from_bytes(vector["bits"], data)
    # The same bytes may be compressed differently by another zlib: compare what is inside.
    assert decompress(made.claim(smallest=True)["lst"]) == data


def test_section_4_index_0_is_the_least_significant_bit() -> None:
    one = read_claim({"bits": 1, "lst": VECTORS["short"][0]["lst"]})
    assert [one.get(n) for n in range(16)] == [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    two = read_claim({"bits": 2, "lst": VECTORS["short"][1]["lst"]})
    assert [two.get(n) for n in range(12)] == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize("vector", VECTORS["long"], ids=lambda v: f"{v['bits']}-bit")
def test_appendix_vectors_both_ways(vector: dict[str, Any]) -> None:
    found = read_claim({"bits": vector["bits"], "lst": vector["lst"]})
    assert found.size == vector["size"]
    made = StatusList(vector["bits"], vector["size"])
    for index, status in vector["statuses"]:
        assert found.get(index) == status
        made.set(index, status)
    assert made.data == found.data
    assert decompress(encode(made.compress())) == bytes(found.data)


@settings(max_examples=100, deadline=None)
@given(bits=st.sampled_from([1, 2, 4, 8]), size=st.integers(1, 300), data=st.data())
def test_what_is_set_is_what_is_read(bits: int, size: int, data: st.DataObject) -> None:
    entry = st.tuples(st.integers(0, size - 1), st.integers(0, 2**bits - 1))
    expected = [0] * size
    made = StatusList(bits, size)
    for index, status in data.draw(st.lists(entry, max_size=40)):
        made.set(index, status)
        expected[index] = status
    again = read_claim(made.claim())
    assert [again.get(n) for n in range(size)] == expected
    assert again.size - size < 8 // bits


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_from_indices_sets_those_and_no_others(bits: int) -> None:
    made = StatusList.from_indices(1000, bits, iter([0, 7, 999, 7]))
    assert [n for n in range(1000) if made.get(n)] == [0, 7, 999]
    if bits > 1:
        made = StatusList.from_indices(1000, bits, [5], Status.SUSPENDED)
        assert made.get(5) == Status.SUSPENDED


@pytest.mark.parametrize("index", [-1, 16, 10**9])
def test_an_index_out_of_range_is_an_error(index: int) -> None:
    made = StatusList(1, 16)
    for act in (lambda: made.get(index), lambda: made.set(index, 1)):
        with pytest.raises(errors.StatusIndexOutOfRange):
            act()
    for bits in (1, 2):
        with pytest.raises(errors.StatusIndexOutOfRange):
            StatusList.from_indices(16, bits, [index])


@pytest.mark.parametrize(("bits", "size"), [(0, 8), (3, 8), (16, 8), (1, 0), (1, -1)])
def test_impossible_lists_are_refused(bits: int, size: int) -> None:
    with pytest.raises(ValueError, match=r"entry|entries"):
        StatusList(bits, size)


@pytest.mark.parametrize("status", [-1, 2, 256])
def test_a_status_that_the_bits_cannot_hold_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        StatusList(1, 8).set(0, status)
    with pytest.raises(ValueError, match="cannot hold"):
        StatusList.from_indices(8, 1, [0], status)


def test_data_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        StatusList(1, 16, bytearray(3))


def test_a_bomb_is_not_inflated() -> None:
    bomb = encode(zlib.compress(bytes(50_000_000), 9))
    with pytest.raises(errors.StatusListTooLarge):
        decompress(bomb, 1_000_000)


def test_a_list_of_exactly_the_bound_is_read() -> None:
    packed = encode(zlib.compress(bytes(1000)))
    assert len(decompress(packed, 1000)) == 1000
    with pytest.raises(errors.StatusListTooLarge):
        decompress(packed, 999)


@pytest.mark.parametrize(
    "lst",
    [
        "",
        "!",
        encode(b"no zlib stream"),
        encode(zlib.compress(b"x" * 100)[:-1]),
        encode(zlib.compress(b"x" * 100) + b"more"),
        encode(zlib.compress(b"x")) + "=",
    ],
)
def test_a_damaged_stream_is_refused(lst: str) -> None:
    with pytest.raises(errors.MalformedStatusList):
        decompress(lst)


@pytest.mark.parametrize(
    "claim",
    [
        None,
        [],
        {},
        {"bits": 1},
        {"bits": 3, "lst": "eNrbuRgAAhcBXQ"},
        {"bits": True, "lst": "eNrbuRgAAhcBXQ"},
        {"bits": "1", "lst": "eNrbuRgAAhcBXQ"},
        {"bits": 1, "lst": 1},
        {"bits": 1, "lst": encode(zlib.compress(b""))},
    ],
)
def test_a_malformed_claim_is_refused(claim: object) -> None:
    with pytest.raises(errors.MalformedStatusList):
        read_claim(claim)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_arbitrary_text_raises_only_our_errors(text: str) -> None:
    with pytest.raises(errors.StatusListError):
        decompress(text)
