"""Hong Kong calendar dates and instants.

Instants are UTC epoch milliseconds. Facts that are dates (a mandate's validity, a register's
date) are Hong Kong calendar dates; ``valid_until`` is inclusive to 24:00 Hong Kong time. Hong
Kong has kept UTC+8 without daylight saving since 1979, so a fixed offset is exact.
"""

from datetime import UTC, date, datetime, timedelta, timezone

HONG_KONG = timezone(timedelta(hours=8), "HKT")
_OFFSET_MS = 8 * 3600 * 1000
_DAY_MS = 24 * 3600 * 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def hong_kong_date(at_ms: int) -> date:
    """The calendar date in Hong Kong at that instant."""
    return datetime.fromtimestamp(at_ms / 1000, HONG_KONG).date()


def hong_kong_day(at_ms: int) -> int:
    """The calendar date in Hong Kong as a number, to tell days apart cheaply."""
    return (at_ms + _OFFSET_MS) // _DAY_MS


def start_of(day: date) -> int:
    """The first millisecond of that Hong Kong date, in epoch milliseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=HONG_KONG).timestamp() * 1000)


def end_of(day: date) -> int:
    """The first millisecond after that Hong Kong date (24:00), in epoch milliseconds."""
    return start_of(day + timedelta(days=1))


def instant_text(at_ms: int) -> str:
    """An instant as RFC 3339 text in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> int:
    """Epoch milliseconds from RFC 3339 text, or from a Hong Kong date (its end).

    Raises:
        ValueError: the text is neither.
    """
    if len(text) == len("2026-01-01"):
        return end_of(date.fromisoformat(text)) - 1
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=HONG_KONG)
    # Whole numbers: a float's last millisecond may be the one before.
    return (moment - _EPOCH) // timedelta(milliseconds=1)
