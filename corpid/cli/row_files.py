"""Files of rows for bulk commands: JSON lines, or CSV with a head; read as a stream, bounded."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from corpid.cli.output import CommandError
from corpid.services.bulk import Row, UnusableRow

MAX_LINE: Final = 64 * 1024
"""Bytes of one line."""
_BLOCK: Final = 1 << 20
_TOO_LONG: Final = UnusableRow(f"the line is longer than {MAX_LINE} bytes")


def read_rows(file: Path) -> Iterator[tuple[int, Row]]:
    """Rows with the number of their line, from 1; blank lines are none.

    A name that ends in ``.csv`` says that it is CSV.
    """
    with _opened(file) as stream:
        yield from _csv(stream) if file.suffix.lower() == ".csv" else _json_lines(stream)


def digest_of(file: Path) -> str:
    """SHA-256 of the content: two files that say the same are the same batch."""
    with _opened(file) as stream:
        digest = hashlib.sha256()
        for block in iter(lambda: stream.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CommandError("unreadable_file", f"{file} cannot be read: {error.strerror}") from None


def _lines(stream: BinaryIO) -> Iterator[tuple[int, str | UnusableRow]]:
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        too_long = len(line) > MAX_LINE
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE + 1)
        if too_long:
            yield number, _TOO_LONG
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, UnusableRow("the line is not UTF-8")
            continue
        if text.strip():
            yield number, text


def _json_lines(stream: BinaryIO) -> Iterator[tuple[int, Row]]:
    for number, text in _lines(stream):
        if isinstance(text, UnusableRow):
            yield number, text
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError:  # also of what is no text: half a surrogate pair
            row = None
        if isinstance(row, dict):
            yield number, _storable(row)
        else:
            yield number, UnusableRow("the line is no JSON object")


def _csv(stream: BinaryIO) -> Iterator[tuple[int, Row]]:
    """One record a line: a field with a line break in it is refused with its line."""
    head: list[str] | None = None
    for number, text in _lines(stream):
        if isinstance(text, UnusableRow):
            yield number, text
            continue
        try:
            (values,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError):
            yield number, UnusableRow("the line is no CSV record")
            continue
        if head is None:
            head = [value.strip() for value in values]
        elif len(values) != len(head):
            yield number, UnusableRow(f"the line has {len(values)} fields, the head {len(head)}")
        else:
            yield number, _storable(dict(zip(head, values, strict=True)))


def _storable(row: dict[str, Any]) -> Row:
    """The row, if a database takes its text: one line must not stop all others."""
    if any(isinstance(value, str) and "\0" in value for value in row.values()):
        return UnusableRow("the line has a NUL character")
    return row
