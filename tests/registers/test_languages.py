"""Language tags, their negotiation, and names in three scripts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpid.domain.languages import LANGUAGES, Names, language_of, negotiate


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("zh-HK", "zh-Hant"),
        ("zh-TW", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh_hk", "zh-Hant"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-Hant-CN", "zh-Hant"),
        ("ZH-HANT", "zh-Hant"),
        ("yue-HK", "zh-Hant"),
        ("cmn-Hans", "zh-Hans"),
        ("zh", "zh-Hant"),
        ("fr", None),
        ("", None),
        ("eng", None),
    ],
)
def test_tags_map_to_the_written_language(tag: str, language: str | None) -> None:
    assert language_of(tag) == language


@pytest.mark.parametrize(
    ("ui_locales", "header", "language"),
    [
        (None, None, "en"),
        ("fr zh-CN", "en", "zh-Hans"),
        ("fr de", "zh-HK", "zh-Hant"),
        (None, "fr, zh-CN;q=0.8, en;q=0.5", "zh-Hans"),
        (None, "en;q=0.2,zh-HK;q=0.9", "zh-Hant"),
        (None, "zh-HK;q=0, en;q=0.1", "en"),
        (None, "*", "en"),
        (None, "en;q=0, *;q=0.5", "zh-Hant"),
        (None, "zh-HK;q=high, zh-CN;q=0.1", "zh-Hans"),
        (None, "zh-HK;q=1.5", "en"),
        (None, ",;,", "en"),
    ],
)
def test_rfc9110_12_5_4_and_ui_locales(
    ui_locales: str | None, header: str | None, language: str
) -> None:
    assert negotiate(ui_locales, header) == language


@settings(deadline=None)
@given(st.text(), st.text())
def test_negotiation_always_has_an_answer(ui_locales: str, header: str) -> None:
    assert negotiate(ui_locales, header) in LANGUAGES


def test_a_name_falls_back_to_the_other_chinese_script_first() -> None:
    names = Names(en="Sample Kite", zh_hant="樣本風箏")
    assert names.best("zh-Hans") == "樣本風箏"
    assert names.best_tagged("zh-Hans") == ("zh-Hant", "樣本風箏")
    assert names.best("en") == "Sample Kite"
    assert Names(zh_hans="样本").best("en") == "样本"
    assert Names(en="Sample").best("zh-Hant") == "Sample"
    assert list(names) == [("en", "Sample Kite"), ("zh-Hant", "樣本風箏")]


def test_a_business_has_a_name() -> None:
    with pytest.raises(ValueError):
        Names("", None, "")
