"""CSV records: quoting, lines, and no good row lost to a bad one."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpid.registers.csv_rows import CsvRow, csv_rows
from corpid.registers.malformed import MAX_ROW, MalformedRegisterFile

HEADER = "Brn,English_Company_Name,Company_Type\n"


def rows(text: str | bytes) -> list[CsvRow]:
    return list(csv_rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def until_fault(data: bytes) -> tuple[list[CsvRow], MalformedRegisterFile]:
    seen: list[CsvRow] = []
    with pytest.raises(MalformedRegisterFile) as caught:
        seen.extend(csv_rows(io.BytesIO(data)))  # keeps what came before the fault
    return seen, caught.value


FIELDS = st.text(
    alphabet=st.characters(exclude_characters="\r\0", exclude_categories=("Cs",)), max_size=10
) | st.text(alphabet='",\n 風', max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_writer_writes_is_read_back(
    records: list[tuple[str, str, str]], end: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end)
    writer.writerows([HEADER.strip().split(","), *records])
    found = rows(out.getvalue())
    assert [tuple(row.value.values()) for row in found if row.value] == records


def test_rfc4180_quotes_line_ends_and_a_byte_order_mark() -> None:
    text = "\ufeff" + HEADER.replace("\n", "\r\n")
    text += (
        '99000001,"The ""Sample"" Kite, Limited",x\r\n\r\n99000002,"two\nlines",y\r\n99000003,z,"'
    )
    found = rows(text + '"')
    assert [row.line for row in found] == [2, 4, 6]
    assert [(row.value or {})["English_Company_Name"] for row in found] == [
        'The "Sample" Kite, Limited',
        "two\nlines",
        "z",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        '99000009,"Stray Limited,x',
        '99000009,"Stray" Limited,x',
        "99000009,too few",
        "99000009,too,many,values",
        '99000009,"two\nlines',
        "99000009",
    ],
)
@pytest.mark.parametrize("later", ["plain", '"quoted"'])
def test_a_faulty_row_is_reported_and_its_neighbours_are_kept(broken: str, later: str) -> None:
    good = [f"9900000{n},{later},x" for n in range(4)]
    for at in (0, 2, 4):
        text = HEADER + "\n".join([*good[:at], broken, *good[at:]]) + "\n"
        found = rows(text)
        numbers = [row.value["Brn"] for row in found if row.value]
        assert numbers == [f"9900000{n}" for n in range(4)]
        bad = [row for row in found if row.value is None]
        assert bad[0].line == at + 2
        assert bad[0].number_text == "99000009"
        assert len(bad) == 1 + broken.count("\n")


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    good = [f"{99000000 + n},Sample {n} Limited,x" for n in range(5000)]
    found = rows(HEADER + '99900000,"Stray Limited,x\n' + "\n".join(good) + "\n")
    assert [row.line for row in found if row.value is None] == [2]
    assert sum(row.value is not None for row in found) == len(good)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("99000001,Sample Kite Limited,x\n", "name the columns"),
        ("Brn;English_Company_Name\n1;2\n", "with commas"),
        ("Brn\tEnglish_Company_Name\n1\t2\n", "with commas"),
        ("Brn,Name\n", "no column holds a name"),
        ("Brn,Brn,Corporate_Name\n", "same name"),
        ('"Brn\n', "does not name columns"),
    ],
)
def test_the_header_row_is_required(text: str, word: str) -> None:
    seen, fault = until_fault(text.encode())
    assert seen == []
    assert fault.line == 1
    assert word in fault.problem


@pytest.mark.parametrize("cut", ["99000002,Sam", '99000002,"Sam', '99000002,"Sa\nm'])
def test_a_file_cut_short_says_so_after_the_good_rows(cut: str) -> None:
    seen, fault = until_fault((HEADER + "99000001,Sample,x\n" + cut).encode())
    assert [row.value["Brn"] for row in seen if row.value] == ["99000001"]
    assert fault.line == 3 + cut.count("\n")
    assert "ends in the middle" in fault.problem


@pytest.mark.parametrize("stray", ["", '99000007,"Stray Limited,x\n'])
def test_another_encoding_is_named_with_its_line_after_the_good_rows(stray: str) -> None:
    text = HEADER + stray + "99000001,Sample,x\n99000002,樣本功蓋,x\n99000003,Sample,x\n"
    seen, fault = until_fault(text.encode("big5"))
    assert [row.value["Brn"] for row in seen if row.value] == ["99000001"]
    assert fault.line == 3 + bool(stray)
    assert "UTF-8" in fault.problem


def test_a_line_over_the_bound_is_malformed_after_the_good_rows() -> None:
    text = HEADER + "99000001,Sample,x\n99000002," + "z" * MAX_ROW + ",x\n99000003,Sample,x\n"
    seen, fault = until_fault(text.encode())
    assert len(seen) == 1
    assert fault.line == 3
    assert "longer than" in fault.problem


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_give_rows_or_malformed_register_file(data: bytes, header: bool) -> None:
    try:
        rows(HEADER.encode() + data if header else data)
    except MalformedRegisterFile as fault:
        assert fault.line >= 1  # noqa: PT017
