"""The texts of the pages in three languages: one JSON catalogue each, all with the same keys.

A text may hold simple markup and named places in braces; what fills a place is escaped unless it
is markup itself.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson
from markupsafe import Markup, escape

from corpid.domain.languages import LANGUAGES, Language

CATALOGUES: Final[dict[Language, dict[str, str]]] = {
    language: orjson.loads((Path(__file__).parent / f"{language}.json").read_bytes())
    for language in LANGUAGES
}


class Texts:
    """The texts in one language: ``texts("sign_in.title")``."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._catalogue = CATALOGUES[language]

    def __call__(self, key: str, **values: Any) -> Markup:
        """The text with its places filled. Raises KeyError for an unknown key or place."""
        return Markup(self._catalogue[key]).format(**values)  # noqa: S704 - our own catalogue

    def __contains__(self, key: str) -> bool:
        return key in self._catalogue

    def listed(self, items: Iterable[str]) -> Markup:
        """Items in a row, separated as the language does it."""
        return self("list.separator").join(escape(item) for item in items)
