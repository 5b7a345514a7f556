"""Values between rows and records: JSON text, blank-separated words, names."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from corpid.domain.languages import Names


def json_bytes(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no blanks, UTF-8. Sets become sorted lists."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=_plain)


def json_text(value: Any) -> str:
    """Canonical JSON as text."""
    return json_bytes(value).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def words(values: Iterable[str]) -> str:
    """Blank-separated text.

    Raises:
        ValueError: a value is empty or has a blank, so that it would be read back as others.
    """
    items = list(values)
    text = " ".join(items)
    if text.split() != items:
        raise ValueError("a value of a blank-separated column is empty or has a blank")
    return text


def names_of(en: str, zh_hant: str, zh_hans: str) -> Names:
    """Names from their columns, where empty text means none."""
    return Names(en or None, zh_hant or None, zh_hans or None)


def name_columns(names: Names) -> dict[str, str]:
    """The columns of names."""
    return {
        "name_en": names.en or "",
        "name_zh_hant": names.zh_hant or "",
        "name_zh_hans": names.zh_hans or "",
    }
