"""The bundled sample register: fictional, and complete enough to try everything."""

from collections import Counter

import pytest

from corpid.domain.business_number import parse_business_number
from corpid.domain.register_entry import EntityStatus, EntityType
from corpid.registers.port import Register
from corpid.registers.sample import SampleRegister, load_sample

WORDS = ("Sample", "Fictional", "Pretend", "Imaginary", "Example", "Make-Believe")
CHINESE_WORDS = ("樣本", "虛構", "虛擬", "想像", "範例", "假想")
ENTRIES = load_sample()


def test_there_is_one_of_everything() -> None:
    assert len(ENTRIES) >= 44
    assert {entry.entity_type for entry in ENTRIES} == set(EntityType)
    assert {entry.status for entry in ENTRIES} == set(EntityStatus)
    assert any(entry.number.kind == "cr_dummy" for entry in ENTRIES)
    assert any(entry.number.value.startswith("00") for entry in ENTRIES)
    assert any(entry.re_domiciled_on for entry in ENTRIES)
    branches = Counter(entry.number.value for entry in ENTRIES if entry.number.branch)
    assert max(branches.values()) >= 3
    assert any(entry.names.en is None for entry in ENTRIES)
    assert any(entry.names.zh_hant is None for entry in ENTRIES)


def test_every_entry_is_visibly_fictional() -> None:
    for entry in ENTRIES:
        assert entry.names.en is None or entry.names.en.startswith(WORDS)
        assert entry.names.zh_hant is None or entry.names.zh_hant.startswith(CHINESE_WORDS)
        assert entry.address is not None
        assert "fictional" in entry.address
        assert entry.number.value.startswith(("99", "000000", "C9999", "F9999", "MF9999"))


def test_numbers_and_digests_are_distinct_and_branches_have_their_business() -> None:
    assert len({str(entry.number) for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.digest() for entry in ENTRIES}) == len(ENTRIES)
    businesses = {entry.number.value for entry in ENTRIES if entry.number.branch is None}
    assert {entry.number.value for entry in ENTRIES} == businesses


async def test_lookup_is_by_number_and_branch() -> None:
    register: Register = SampleRegister()
    for entry in ENTRIES:
        assert await register.lookup(entry.number) == entry
    head = await register.lookup(parse_business_number("99000001-000"))
    assert head is not None
    assert head.number.branch is None
    assert await register.lookup(parse_business_number("99000001-099")) is None
    assert await register.lookup(parse_business_number("88888888")) is None


@pytest.mark.parametrize("prefix", ["sample  kite", "ＳＡＭＰＬＥ kite", "樣本風箏", "样本风筝"])
async def test_search_is_by_the_beginning_of_a_name_in_any_script(prefix: str) -> None:
    found = await SampleRegister().search(prefix, limit=2)
    assert [str(entry.number) for entry in found] == ["99000001", "99000001-001"]


async def test_search_for_nothing_finds_nothing() -> None:
    assert await SampleRegister().search(" ") == []
    assert await SampleRegister().search("kite") == []
    assert await SampleRegister().search("sample", limit=-1) == []
