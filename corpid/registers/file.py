"""Reads a register from a file: the Companies Registry's open data as a JSON array, or CSV.

A file of the whole register has 1.5 million rows, so rows come one at a time and memory does not
grow with the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from corpid.domain.register_entry import RegisterEntry
from corpid.registers.csv_rows import csv_rows
from corpid.registers.json_rows import JsonRows
from corpid.registers.malformed import MAX_ROW, MalformedRegisterFile
from corpid.registers.open_data import NUMBER, UnusableRow, entry_from_row

__all__ = ["MAX_ROW", "BadRow", "MalformedRegisterFile", "read_entries", "read_rows"]

_SNIFFED: Final = 4096
_SHOWN: Final = 40

_OTHER_KINDS: Final = (
    (b"PK\x03\x04", "this is a zip or Excel file; unpack it, or save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "this is an Excel file; save it as CSV UTF-8"),
    (b"\x1f\x8b", "this is a gzip file; unpack it first"),
    (b"%PDF", "this is a PDF file; a register file is JSON or CSV"),
    (b"\xff\xfe", "the file is in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "the file is in UTF-16; save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no entry: where, why, and the number as written if it could be found."""

    line: int
    reason: str
    number_text: str | None


def read_entries(path: Path, *, source: str, as_of: str) -> Iterator[RegisterEntry | BadRow]:
    """Yield every row of the file as an entry, or as a BadRow that says what is wrong with it.

    The format is told from the content. `source` and `as_of` (ISO date or instant) go into every
    entry. Raises MalformedRegisterFile, after all rows before the fault, where the file cannot be
    read on; OSError where it cannot be opened.
    """
    for _, row in read_rows(path, source=source, as_of=as_of):
        yield row


def read_rows(
    path: Path, *, source: str, as_of: str
) -> Iterator[tuple[int, RegisterEntry | BadRow]]:
    """As `read_entries`, each row with the line that it begins on."""
    with path.open("rb") as stream:
        rows = _json(stream) if _is_json(stream, path.suffix) else _csv(stream)
        for line, value, reason, number in rows:
            if value is None:
                yield line, BadRow(line, reason, number)
                continue
            try:
                entry = entry_from_row(value, source=source, as_of=as_of)
            except UnusableRow as error:
                yield line, BadRow(line, str(error), _shown(value.get(NUMBER)))
            else:
                yield line, entry


_Row = tuple[int, Mapping[str, object] | None, str, str | None]


def _json(stream: BinaryIO) -> Iterator[_Row]:
    for line, value, reason in JsonRows(stream):
        yield line, value, reason, None


def _csv(stream: BinaryIO) -> Iterator[_Row]:
    yield from csv_rows(stream)


def _is_json(stream: BinaryIO, suffix: str) -> bool:
    """Look at the beginning; raises MalformedRegisterFile for what is neither JSON nor CSV."""
    start = stream.read(_SNIFFED)
    stream.seek(0)
    for magic, problem in _OTHER_KINDS:
        if start.startswith(magic):
            raise MalformedRegisterFile(1, problem)
    if b"\0" in start:
        raise MalformedRegisterFile(
            1, "this is no text in UTF-8: it has NUL bytes; a register file is JSON or CSV"
        )
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{") and suffix.lower() != ".csv":
        problem = (
            "this is the answer of a failed request; fetch it again"
            if b'"status"' in start and b'"message"' in start
            else "this is a single JSON object; an array of rows, in [ and ], is needed"
        )
        raise MalformedRegisterFile(1, problem)
    return text.startswith(b"[") or suffix.lower() == ".json"


def _shown(value: object) -> str | None:
    return None if value is None else str(value)[:_SHOWN]
