"""Hong Kong dates and instants."""

from datetime import date

import pytest

from corpid.domain.dates import end_of, hong_kong_date, instant_text, parse_instant, start_of


def test_a_hong_kong_date_ends_at_1600_utc() -> None:
    day = date(2026, 12, 31)
    assert instant_text(end_of(day)) == "2026-12-31T16:00:00Z"
    assert instant_text(start_of(day)) == "2026-12-30T16:00:00Z"
    assert hong_kong_date(end_of(day) - 1) == day
    assert hong_kong_date(end_of(day)) == date(2027, 1, 1)


def test_a_date_is_read_as_its_end_and_an_instant_as_itself() -> None:
    assert parse_instant("2026-12-31") == end_of(date(2026, 12, 31)) - 1
    assert parse_instant("2026-12-31T16:00:00Z") == end_of(date(2026, 12, 31))
    assert parse_instant("2027-01-01T00:00:00") == end_of(date(2026, 12, 31))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "31/12/2026"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_instant(text)
