"""Business numbers as people, certificates and registers write them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpid.domain.business_number import (
    MAX_INPUT,
    BusinessNumber,
    InvalidBusinessNumber,
    normalise,
    parse_business_number,
)
from corpid.domain.errors import InvalidValue

VALUES = st.from_regex(r"[0-9]{8}", fullmatch=True)
DUMMIES = st.from_regex(r"[A-Z][0-9]{7}|[A-Z]{2}[0-9]{6}", fullmatch=True)
NUMBERS = st.one_of(
    st.builds(
        BusinessNumber,
        st.just("brn"),
        VALUES,
        st.none() | st.from_regex(r"[0-9]{3}", fullmatch=True),
    ),
    st.builds(BusinessNumber, st.just("cr_dummy"), DUMMIES),
)
NOISY = st.text(alphabet="0123456789-CFM :kｃ０９－—\u200b\t一G٣²", max_size=24)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12345678", "12345678"),
        ("00000017", "00000017"),
        ("12345678-001", "12345678-001"),
        ("12345678-000", "12345678-000"),
        ("12345678-000-01-11-1", "12345678-000"),
        ("12345678-000-01-11-a", "12345678-000"),
        ("1234567800001111", "12345678-000"),
        ("12345678 000 01 11 1", "12345678-000"),
        ("12345678 001", "12345678-001"),
        (" 1234 5678 ", "12345678"),
        ("1234 5678 - 001", "12345678-001"),
        ("１２３４５６７８－００１", "12345678-001"),
        ("12345678–001", "12345678-001"),
        ("12345678—001", "12345678-001"),
        ("12345678−001", "12345678-001"),
        ("12345678ー001", "12345678-001"),
        ("\ufeff12345678\u200b", "12345678"),
        ("12345678\r\n", "12345678"),
        ("\u300012345678\u3000", "12345678"),
        ("C0012345", "C0012345"),
        ("c0012345", "C0012345"),
        ("Ｆ０００１２３４", "F0001234"),
        ("mf001910", "MF001910"),
        ("HKG:12345678", "12345678"),
        ("hkg：12345678", "12345678"),
        ("HKG: C0012345", "C0012345"),
    ],
)
def test_spellings_in_use_mean_one_number(written: str, meant: str) -> None:
    assert str(parse_business_number(written)) == meant
    assert normalise(written) == meant


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        (" \u3000\u200b", "empty"),
        ("HKG:", "empty"),
        ("1" * (MAX_INPUT + 1), "unreasonable_length"),
        (" " * (MAX_INPUT + 1), "unreasonable_length"),
        ("1234567", "too_short"),
        ("C12345", "too_short"),
        ("-001", "too_short"),
        ("123456789", "too_long"),
        ("12345678001", "too_long"),
        ("C00123456", "too_long"),
        ("1234567A", "letter_misplaced"),
        ("O1234567-001", "branch_not_allowed"),
        ("ABC12345", "letter_misplaced"),
        ("1C234567", "letter_misplaced"),
        ("12345678-1", "bad_branch"),
        ("12345678-", "bad_branch"),
        ("12345678-0001", "bad_branch"),
        ("12345678-OOO", "bad_branch"),
        ("12345678-000-01", "bad_certificate"),
        ("12345678-000-01-11-11", "bad_certificate"),
        ("12345678-000-1-11-1", "bad_certificate"),
        ("C0012345-001", "branch_not_allowed"),
        ("SGP:12345678", "bad_prefix"),
        ("HKG:HKG:12345678", "bad_character"),
        ("1234.678", "bad_character"),
        ("١٢٣٤٥٦٧٨", "bad_character"),
        ("一二三四五六七八", "bad_character"),
        ("12345678\x00", "bad_character"),
    ],
)
def test_a_refusal_has_a_stable_reason_and_a_sentence(written: str, reason: str) -> None:
    with pytest.raises(InvalidBusinessNumber) as caught:
        parse_business_number(written)
    assert caught.value.reason_code == reason
    assert caught.value.message.endswith(".")
    assert isinstance(caught.value, InvalidValue)


def test_no_check_digit_is_invented() -> None:
    for last in range(10):
        assert parse_business_number(f"9900000{last}").value == f"9900000{last}"


def test_kinds_are_told_apart() -> None:
    assert parse_business_number("12345678").kind == "brn"
    assert parse_business_number("C0012345").kind == "cr_dummy"
    assert parse_business_number("MF001910").kind == "cr_dummy"


def test_head_office_and_branches() -> None:
    branch = parse_business_number("12345678-001")
    assert not branch.is_head_office
    assert branch.without_branch == parse_business_number("12345678")
    assert parse_business_number("12345678-000").is_head_office
    assert parse_business_number("12345678").is_head_office
    assert branch.cdi == "HKG:12345678"


@pytest.mark.parametrize(
    ("kind", "value", "branch"),
    [
        ("brn", "1234567", None),
        ("brn", "C0012345", None),
        ("cr_dummy", "12345678", None),
        ("cr_dummy", "C0012345", "000"),
        ("brn", "12345678", "1"),
        ("brn", "12345678\n", None),
    ],
)
def test_a_value_that_is_no_number_cannot_be_made(kind: str, value: str, branch: str) -> None:
    with pytest.raises(InvalidBusinessNumber):
        BusinessNumber(kind, value, branch)  # type: ignore[arg-type]


@settings(deadline=None)
@given(NUMBERS)
def test_what_is_written_is_read_back(number: BusinessNumber) -> None:
    assert parse_business_number(str(number)) == number
    assert parse_business_number(number.cdi) == number.without_branch


@settings(deadline=None)
@given(st.text(max_size=80) | NOISY)
@example("\ufdfa" * 60)
@example("ſ" * 8)
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        once = normalise(text)
    except InvalidBusinessNumber:
        return
    assert normalise(once) == once
    assert once.isascii()
