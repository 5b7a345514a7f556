"""The three written languages of the service, and a business's name in each of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["en", "zh-Hant", "zh-Hans"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh-Hant", "zh-Hans")
DEFAULT: Final[Language] = "en"

MAX_HEADER: Final = 1024
"""Characters of a language preference that are read; what follows is ignored."""

_CHINESE: Final = frozenset({"zh", "yue", "cmn"})
_SCRIPTS: Final[dict[str, Language]] = {"hant": "zh-Hant", "hans": "zh-Hans"}
_REGIONS: Final[dict[str, Language]] = {
    "hk": "zh-Hant",
    "tw": "zh-Hant",
    "mo": "zh-Hant",
    "cn": "zh-Hans",
    "sg": "zh-Hans",
    "my": "zh-Hans",
}
_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)

_FALLBACKS: Final[dict[Language, tuple[Language, ...]]] = {
    "en": ("en", "zh-Hant", "zh-Hans"),
    "zh-Hant": ("zh-Hant", "zh-Hans", "en"),
    "zh-Hans": ("zh-Hans", "zh-Hant", "en"),
}


def language_of(tag: str) -> Language | None:
    """The one of our languages that a BCP 47 tag means, or None.

    A script subtag decides, else the region (zh-HK, zh-TW, zh-MO are Traditional; zh-CN, zh-SG,
    zh-MY Simplified). Bare `zh` is read as Traditional, the script of Hong Kong.
    """
    primary, *rest = tag.strip().lower().replace("_", "-").split("-")
    if primary == "en":
        return "en"
    if primary not in _CHINESE:
        return None
    for table in (_SCRIPTS, _REGIONS):
        for subtag in rest:
            if subtag in table:
                return table[subtag]
    return "zh-Hant"


def negotiate(
    ui_locales: str | None = None,
    accept_language: str | None = None,
    *,
    default: Language = DEFAULT,
) -> Language:
    """The language to answer in; anything unreadable is passed over, never an error.

    `ui_locales` (OpenID Connect Core 3.1.2.1: blank-separated, in order of preference) goes before
    the `Accept-Language` header (RFC 9110 12.5.4: weights, 0 refuses, `*` is any).
    """
    for tag in (ui_locales or "")[:MAX_HEADER].split():
        language = language_of(tag)
        if language:
            return language
    ranges = _by_weight((accept_language or "")[:MAX_HEADER])
    refused = {language_of(tag) for weight, tag in ranges if weight == 0}
    for weight, tag in ranges:
        if weight == 0:
            break
        if tag == "*":
            return next((one for one in (default, *LANGUAGES) if one not in refused), default)
        language = language_of(tag)
        if language and language not in refused:
            return language
    return default


def _by_weight(header: str) -> list[tuple[float, str]]:
    """(weight, tag) pairs, heaviest first, equals in the order written."""
    ranges = []
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        quality = _QUALITY.fullmatch(parameter.strip()) if parameter.strip() else None
        if not tag.strip() or (parameter.strip() and quality is None):
            continue
        ranges.append((float(quality[1]) if quality else 1.0, tag.strip()))
    return sorted(ranges, key=lambda pair: -pair[0])


@dataclass(frozen=True, slots=True)
class Names:
    """A business's name in up to three scripts; at least one is given (else ValueError)."""

    en: str | None = None
    zh_hant: str | None = None
    zh_hans: str | None = None

    def __post_init__(self) -> None:
        if not (self.en or self.zh_hant or self.zh_hans):
            raise ValueError("a business has a name in at least one language")

    def get(self, language: Language) -> str | None:
        """The name in exactly this language, or None."""
        if language == "en":
            return self.en or None
        return (self.zh_hant if language == "zh-Hant" else self.zh_hans) or None

    def best(self, language: Language) -> str:
        """The name for a reader of this language: the other Chinese script before English."""
        return self.best_tagged(language)[1]

    def best_tagged(self, language: Language) -> tuple[Language, str]:
        """As `best`, with the language that the name is in (for a page's `lang` attribute)."""
        for candidate in _FALLBACKS[language]:
            name = self.get(candidate)
            if name:
                return candidate, name
        raise AssertionError("a Names value always has a name")

    def __iter__(self) -> Iterator[tuple[Language, str]]:
        for language in LANGUAGES:
            name = self.get(language)
            if name:
                yield language, name
