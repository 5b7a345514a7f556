"""A register that comes with the product, for trying it out: every business in it is fictional.

The numbers are fictional too: they begin with 99 or 000000, or are C, F and MF numbers beginning
with 9, ranges in which none is known to be issued. Nothing here says anything of a real business.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from corpid.domain.business_number import HEAD_OFFICE, BusinessNumber, parse_business_number
from corpid.domain.languages import Names
from corpid.domain.register_entry import EntityStatus, EntityType, RegisterEntry

SOURCE: Final = "sample"
DATA: Final = Path(__file__).with_name("sample_data.json")
MAX_RESULTS: Final = 100


def load_sample(path: Path = DATA) -> tuple[RegisterEntry, ...]:
    """All sample entries in the order of the file."""
    data = orjson.loads(path.read_bytes())
    return tuple(_entry(row, data["as_of"]) for row in data["businesses"])


class SampleRegister:
    """A Register over entries held in memory; the bundled ones unless others are given."""

    source = SOURCE

    def __init__(self, entries: Iterable[RegisterEntry] | None = None) -> None:
        self.entries = tuple(load_sample() if entries is None else entries)
        self._by_number = {_key(entry.number): entry for entry in self.entries}

    async def lookup(self, number: BusinessNumber) -> RegisterEntry | None:
        """The entry of this number, of the head office where no branch is stated, or None."""
        return self._by_number.get(_key(number))

    async def search(self, prefix: str, *, limit: int = 20) -> list[RegisterEntry]:
        """Entries with a name in any script that begins so, in the order of the file."""
        wanted = _folded(prefix)
        if not wanted:
            return []
        found = (
            entry
            for entry in self.entries
            if any(_folded(name).startswith(wanted) for _, name in entry.names)
        )
        return list(islice(found, max(0, min(limit, MAX_RESULTS))))


def _key(number: BusinessNumber) -> tuple[str, str]:
    return number.value, number.branch or HEAD_OFFICE


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _entry(row: Mapping[str, Any], as_of: str) -> RegisterEntry:
    return RegisterEntry(
        number=parse_business_number(row["number"]),
        names=Names(row.get("en"), row.get("zh_hant"), row.get("zh_hans")),
        entity_type=EntityType(row["type"]),
        status=EntityStatus(row["status"]),
        source=SOURCE,
        as_of=as_of,
        address=row["address"],
        incorporated_on=row.get("incorporated_on"),
        registered_on=row.get("registered_on"),
        place_of_incorporation=row.get("place_of_incorporation"),
        re_domiciled_on=row.get("re_domiciled_on"),
        type_text=row.get("type_text"),
    )
