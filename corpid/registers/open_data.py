"""A row of the Companies Registry's open data, turned into a RegisterEntry.

Two shapes. Live local companies: `Brn`, `English_Company_Name`, `Chinese_Company_Name`,
`Address_of_Registered_Office`, `Company_Type`, `Date_of_Incorporation`, `Re-domiciliation_Date`.
Registered non-Hong Kong companies: `Brn`, `Corporate_Name`, `Other_Corporate_Name_s`,
`Principal_Place_of_Business_in_H.K.`, `Place_of_Incorporation`, `Company_Type`,
`Date_of_Registration`. An absent value is null, blank, or the word NULL. Both sets hold live
companies only, so status is `live` unless a row has our own extra column `Company_Status`, which
takes a value of EntityStatus and is for registers that publish more.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from corpid.domain.business_number import InvalidBusinessNumber, parse_business_number
from corpid.domain.languages import Names
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry

NUMBER: Final = "Brn"
NAME_COLUMNS: Final = ("English_Company_Name", "Chinese_Company_Name", "Corporate_Name")
MAX_TEXT: Final = 4096
"""Longest single text, in characters."""

_T = EntityType
_TYPES: Final[dict[str, EntityType]] = {
    "private company limited by shares": _T.LOCAL_PRIVATE_COMPANY,
    "private company": _T.LOCAL_PRIVATE_COMPANY,
    "私人股份有限公司": _T.LOCAL_PRIVATE_COMPANY,
    "public company limited by shares": _T.LOCAL_PUBLIC_COMPANY,
    "public company": _T.LOCAL_PUBLIC_COMPANY,
    "公眾股份有限公司": _T.LOCAL_PUBLIC_COMPANY,
    "company limited by guarantee": _T.GUARANTEE_COMPANY,
    "company limited by guarantee without a share capital": _T.GUARANTEE_COMPANY,
    "guarantee company": _T.GUARANTEE_COMPANY,
    "擔保有限公司": _T.GUARANTEE_COMPANY,
    "無股本的擔保有限公司": _T.GUARANTEE_COMPANY,
    "unlimited company": _T.UNLIMITED_COMPANY,
    "private unlimited company": _T.UNLIMITED_COMPANY,
    "public unlimited company": _T.UNLIMITED_COMPANY,
    "private unlimited company with a share capital": _T.UNLIMITED_COMPANY,
    "public unlimited company with a share capital": _T.UNLIMITED_COMPANY,
    "private unlimited company with share capital": _T.UNLIMITED_COMPANY,
    "public unlimited company with share capital": _T.UNLIMITED_COMPANY,
    "有股本的私人無限公司": _T.UNLIMITED_COMPANY,
    "有股本的公眾無限公司": _T.UNLIMITED_COMPANY,
    "registered non-hong kong company": _T.REGISTERED_NON_HONG_KONG_COMPANY,
    "non-hong kong company": _T.REGISTERED_NON_HONG_KONG_COMPANY,
    "註冊非香港公司": _T.REGISTERED_NON_HONG_KONG_COMPANY,
    "sole proprietorship": _T.SOLE_PROPRIETORSHIP,
    "獨資": _T.SOLE_PROPRIETORSHIP,
    "partnership": _T.PARTNERSHIP,
    "合夥": _T.PARTNERSHIP,
    "limited partnership": _T.LIMITED_PARTNERSHIP,
    "有限責任合夥": _T.LIMITED_PARTNERSHIP,
    "limited partnership fund": _T.LIMITED_PARTNERSHIP_FUND,
    "有限合夥基金": _T.LIMITED_PARTNERSHIP_FUND,
    "open-ended fund company": _T.OPEN_ENDED_FUND_COMPANY,
    "private open-ended fund company": _T.OPEN_ENDED_FUND_COMPANY,
    "public open-ended fund company": _T.OPEN_ENDED_FUND_COMPANY,
    "開放式基金型公司": _T.OPEN_ENDED_FUND_COMPANY,
    "registered trustee": _T.REGISTERED_TRUSTEE,
    "registered trustees": _T.REGISTERED_TRUSTEE,
    "註冊受託人": _T.REGISTERED_TRUSTEE,
} | {kind.value: kind for kind in EntityType}

_CJK: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_REGISTRYS: Final = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")
_ISO: Final = re.compile(
    r"([0-9]{4})([-/]?)([0-9]{2})\2([0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?"
)
_NAMED_MONTH: Final = re.compile(r"([0-9]{1,2})[- ]([A-Za-z]{3,9})[- ,]+([0-9]{4})")
_SLASHED: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_EARLIEST_YEAR: Final = 1800


class UnusableRow(ValueError):
    """The row cannot be an entry; the message is the reason, for a person."""


def entry_from_row(row: Mapping[str, object], *, source: str, as_of: str) -> RegisterEntry:
    """Read one row; unknown columns are ignored. Raises UnusableRow."""
    english = _text(row, "English_Company_Name")
    chinese = _text(row, "Chinese_Company_Name")
    corporate = _text(row, "Corporate_Name")
    place = _text(row, "Place_of_Incorporation")
    foreign = corporate is not None or place is not None
    re_domiciled = _date(row, "Re-domiciliation_Date")
    type_text = _text(row, "Company_Type")
    if foreign:
        entity_type = EntityType.REGISTERED_NON_HONG_KONG_COMPANY
        for name in (corporate, _text(row, "Other_Corporate_Name_s")):
            if name and _CJK.search(name):
                chinese = chinese or name
            else:
                english = english or name
    else:
        entity_type = entity_type_of(type_text or "")
        # A company that moved its domicile here was formed elsewhere; the set does not say where.
        place = None if re_domiciled else "Hong Kong"
    if not (english or chinese):
        raise UnusableRow("the business has no name")
    try:
        number = parse_business_number(number_text(row))
    except InvalidBusinessNumber as error:
        raise UnusableRow(f"{NUMBER}: {error.message}") from error
    return RegisterEntry(
        number=number,
        names=Names(english, chinese),
        entity_type=entity_type,
        status=_status(row),
        source=source,
        as_of=as_of,
        address=_text(row, "Address_of_Registered_Office")
        or _text(row, "Principal_Place_of_Business_in_H.K."),
        incorporated_on=_date(row, "Date_of_Incorporation"),
        registered_on=_date(row, "Date_of_Registration"),
        place_of_incorporation=place,
        re_domiciled_on=re_domiciled,
        type_text=type_text,
    )


def number_text(row: Mapping[str, object]) -> str:
    """The number as written in the row. Raises UnusableRow where it is absent or not text."""
    value = row.get(NUMBER)
    if isinstance(value, int):
        raise UnusableRow(f"{NUMBER} must be text in quotes: a JSON number loses leading zeros")
    text = _text(row, NUMBER)
    if text is None:
        raise UnusableRow(f"{NUMBER} is missing")
    return text


@lru_cache(maxsize=256)
def entity_type_of(text: str) -> EntityType:
    """The type that a register's wording means, `other` for wordings that are not known."""
    return _TYPES.get(" ".join(text.casefold().split()), EntityType.OTHER)


def register_date(text: str) -> str:
    """An ISO date from the spellings that have one meaning; raises ValueError with the reason.

    The Registry writes DD-MM-YYYY. Also read: YYYY-MM-DD, YYYY/MM/DD, YYYYMMDD, 4-May-2018,
    4 May 2018. A date with slashes is read where only one order of day and month is possible.
    """
    day: date | None = None
    try:
        if match := _REGISTRYS.fullmatch(text):
            day = date(int(match[3]), int(match[2]), int(match[1]))
        elif match := _ISO.fullmatch(text):
            day = date(int(match[1]), int(match[3]), int(match[4]))
        elif match := _NAMED_MONTH.fullmatch(text):
            day = date(int(match[3]), _month(match[2]), int(match[1]))
        elif match := _SLASHED.fullmatch(text):
            day = _slashed(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: {error}") from error
    if day is None or day.year < _EARLIEST_YEAR:
        raise ValueError(f"{text!r} is no date; write YYYY-MM-DD or DD-MM-YYYY")
    return day.isoformat()


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if name.lower() in (month, month[:3]):
            return number
    raise ValueError(f"{name} is not a month")


def _slashed(first: int, second: int, year: int) -> date:
    if first <= 12 and second <= 12 and first != second:
        raise ValueError("day and month could be either way round; write YYYY-MM-DD")
    return date(year, first, second) if second > 12 else date(year, second, first)


def _date(row: Mapping[str, object], column: str) -> str | None:
    text = _text(row, column)
    if text is None:
        return None
    try:
        return register_date(text)
    except ValueError as error:
        raise UnusableRow(f"{column}: {error}") from error


def _status(row: Mapping[str, object]) -> EntityStatus:
    text = _text(row, "Company_Status")
    if text is None:
        return EntityStatus.LIVE
    try:
        return EntityStatus("_".join(text.casefold().split()))
    except ValueError as error:
        known = ", ".join(EntityStatus)
        raise UnusableRow(f"Company_Status {text!r} is not known; use one of {known}") from error


def _text(row: Mapping[str, object], column: str) -> str | None:
    """The column's text with blanks collapsed, None where the register has none."""
    value = row.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnusableRow(f"{column} is not text")
    if len(value) > MAX_TEXT:
        raise UnusableRow(f"{column} is longer than {MAX_TEXT} characters")
    if "\0" in value:
        raise UnusableRow(f"{column} has a NUL character in it")
    text = " ".join(value.split())
    return text if text and text.upper() != "NULL" else None
