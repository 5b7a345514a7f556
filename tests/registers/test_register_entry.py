"""Register entries and their digests."""

from dataclasses import replace

import pytest

from corpid.domain.business_number import parse_business_number
from corpid.domain.languages import Names
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry

ENTRY = RegisterEntry(
    number=parse_business_number("99000001"),
    names=Names("Sample Kite Trading Limited", "樣本風箏貿易有限公司"),
    entity_type=EntityType.LOCAL_PRIVATE_COMPANY,
    status=EntityStatus.LIVE,
    source="sample",
    as_of="2026-11-22",
    address="1 Example Road",
    incorporated_on="2011-03-14",
)


def test_a_later_reading_of_the_same_facts_has_the_same_digest() -> None:
    assert replace(ENTRY, as_of="2027-01-01T00:00:00Z").digest() == ENTRY.digest()
    assert len(ENTRY.digest()) == 32


def test_the_digest_is_stable_across_releases() -> None:
    assert ENTRY.digest().hex() == (
        "955df899addb1395556c2aeec884a9df89ecc00bacea2bf903a5810197a6bcbe"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"number": parse_business_number("99000001-001")},
        {"names": Names("Sample Kite Trading Limited")},
        {"names": Names("Sample Kite Trading Limited", None, "樣本風箏貿易有限公司")},
        {"entity_type": EntityType.OTHER},
        {"status": EntityStatus.STRUCK_OFF},
        {"source": "other"},
        {"address": None},
        {"address": ""},
        {"incorporated_on": None},
        {"incorporated_on": None, "registered_on": "2011-03-14"},
        {"place_of_incorporation": "Hong Kong"},
        {"re_domiciled_on": "2025-06-02"},
        {"type_text": "Private company limited by shares"},
    ],
)
def test_every_fact_is_in_the_digest(change: dict[str, object]) -> None:
    assert replace(ENTRY, **change).digest() != ENTRY.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"incorporated_on": "20110314"},
        {"incorporated_on": "2011-W01-1"},
        {"re_domiciled_on": "2011-02-30"},
        {"as_of": "yesterday"},
        {"source": ""},
    ],
)
def test_dates_and_provenance_are_well_formed(change: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(ENTRY, **change)


def test_a_winding_up_is_not_an_end() -> None:
    assert not EntityStatus.IN_LIQUIDATION.has_ended
    assert EntityStatus.STRUCK_OFF.has_ended
