"""Rows of the Companies Registry's open data, local and foreign."""

from typing import Any

import pytest

from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry
from corpid.registers.open_data import UnusableRow, entity_type_of, entry_from_row, register_date

LOCAL: dict[str, Any] = {
    "Brn": "00000017",
    "English_Company_Name": "SAMPLE KITE TRADING LIMITED",
    "Chinese_Company_Name": "樣本風箏貿易有限公司",
    "Address_of_Registered_Office": "FLAT A,\n3/F  SAMPLE TOWER, HONG KONG",
    "Company_Type": "Private company limited by shares",
    "Date_of_Incorporation": "14-03-2011",
    "Re-domiciliation_Date": None,
}
FOREIGN: dict[str, Any] = {
    "Brn": "F9999901",
    "Corporate_Name": "樣本海外零件公司",
    "Other_Corporate_Name_s": "Sample Overseas Widgets GmbH",
    "Principal_Place_of_Business_in_H.K.": "ROOM 1507, SAMPLE TRADE CENTRE",
    "Place_of_Incorporation": "NOWHERELAND",
    "Company_Type": "Public company limited by shares",
    "Date_of_Registration": "18-04-2013",
}


def read(row: dict[str, Any], **change: Any) -> RegisterEntry:
    return entry_from_row(row | change, source="test", as_of="2026-11-22")


def test_a_local_row() -> None:
    entry = read(LOCAL)
    assert str(entry.number) == "00000017"
    assert entry.names.en == "SAMPLE KITE TRADING LIMITED"
    assert entry.names.zh_hant == "樣本風箏貿易有限公司"
    assert entry.address == "FLAT A, 3/F SAMPLE TOWER, HONG KONG"
    assert entry.entity_type is EntityType.LOCAL_PRIVATE_COMPANY
    assert entry.status is EntityStatus.LIVE
    assert entry.incorporated_on == "2011-03-14"
    assert entry.place_of_incorporation == "Hong Kong"
    assert entry.re_domiciled_on is None


def test_a_foreign_row_has_its_names_in_either_order() -> None:
    entry = read(FOREIGN)
    assert entry.names.en == "Sample Overseas Widgets GmbH"
    assert entry.names.zh_hant == "樣本海外零件公司"
    assert entry.entity_type is EntityType.REGISTERED_NON_HONG_KONG_COMPANY
    assert entry.type_text == "Public company limited by shares"
    assert entry.place_of_incorporation == "NOWHERELAND"
    assert entry.registered_on == "2013-04-18"
    assert entry.incorporated_on is None
    assert entry.address == "ROOM 1507, SAMPLE TRADE CENTRE"


def test_a_re_domiciled_company_was_not_formed_in_hong_kong() -> None:
    entry = read(LOCAL, **{"Re-domiciliation_Date": "02-06-2025"})
    assert entry.re_domiciled_on == "2025-06-02"
    assert entry.place_of_incorporation is None


@pytest.mark.parametrize("absent", ["NULL", "null", "", "  ", None])
def test_the_registers_word_null_is_no_name(absent: str | None) -> None:
    assert read(LOCAL, Chinese_Company_Name=absent).names.zh_hant is None
    with pytest.raises(UnusableRow, match="no name"):
        read(LOCAL, Chinese_Company_Name=absent, English_Company_Name=absent)


def test_the_extra_status_column_takes_our_values() -> None:
    assert read(LOCAL, Company_Status="Struck off").status is EntityStatus.STRUCK_OFF
    with pytest.raises(UnusableRow, match="Company_Status"):
        read(LOCAL, Company_Status="resting")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"Brn": None}, "Brn is missing"),
        ({"Brn": "NULL"}, "Brn is missing"),
        ({"Brn": 99000001}, "leading zeros"),
        ({"Brn": True}, "leading zeros"),
        ({"Brn": ["99000001"]}, "not text"),
        ({"Brn": "9900000"}, "leading zeros"),
        ({"English_Company_Name": 5}, "not text"),
        ({"English_Company_Name": "Sample\0Kite"}, "NUL"),
        ({"Address_of_Registered_Office": "x" * 5000}, "longer than"),
        ({"Date_of_Incorporation": "31-02-2011"}, "Date_of_Incorporation"),
        ({"Re-domiciliation_Date": "soon"}, "Re-domiciliation_Date"),
    ],
)
def test_a_row_that_cannot_be_an_entry_says_why(change: dict[str, Any], word: str) -> None:
    with pytest.raises(UnusableRow, match=word):
        read(LOCAL, **change)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Private company limited by shares", EntityType.LOCAL_PRIVATE_COMPANY),
        ("PUBLIC COMPANY  LIMITED BY SHARES", EntityType.LOCAL_PUBLIC_COMPANY),
        ("Company limited by guarantee", EntityType.GUARANTEE_COMPANY),
        ("Private unlimited company with a share capital", EntityType.UNLIMITED_COMPANY),
        ("私人股份有限公司", EntityType.LOCAL_PRIVATE_COMPANY),
        ("sole_proprietorship", EntityType.SOLE_PROPRIETORSHIP),
        ("Guild of kite makers", EntityType.OTHER),
        ("", EntityType.OTHER),
    ],
)
def test_type_wordings(text: str, kind: EntityType) -> None:
    assert entity_type_of(text) is kind
    assert read(LOCAL, Company_Type=text).type_text == (" ".join(text.split()) or None)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("04-05-2018", "2018-05-04"),
        ("2018-05-04", "2018-05-04"),
        ("2018/05/04", "2018-05-04"),
        ("20180504", "2018-05-04"),
        ("2018-05-04T00:00:00", "2018-05-04"),
        ("2018-05-04 00:00:00.000", "2018-05-04"),
        ("4-May-2018", "2018-05-04"),
        ("04 September 2018", "2018-09-04"),
        ("29/02/2020", "2020-02-29"),
        ("02/29/2020", "2020-02-29"),
        ("05/05/2018", "2018-05-05"),
    ],
)
def test_dates_of_one_meaning_are_read(text: str, iso: str) -> None:
    assert register_date(text) == iso


@pytest.mark.parametrize(
    "text",
    [
        "04/05/2018",
        "4-5-18",
        "04-13-2018",
        "29-02-2019",
        "2018-5-4",
        "2018-0504",
        "04051999",
        "4-Mai-2018",
        "٠٤-٠٥-٢٠١٨",
        "01-01-0001",
        "+1-05-2018",
        "2018-05-04T10:00:00",
        "soon",
    ],
)
def test_dates_of_several_meanings_or_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        register_date(text)
