"""The records of a huge CSV file (RFC 4180), one at a time, in bounded memory, with their lines.

The first line names the columns. A stray quote makes a CSV reader swallow the lines after it up
to the next quote; a record that is faulty and spans lines is therefore reported for its first
line only, and the lines after it are read again as lines of their own.
"""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from corpid.registers.malformed import MAX_ROW, MalformedRegisterFile
from corpid.registers.open_data import NAME_COLUMNS, NUMBER

_BOM: Final = b"\xef\xbb\xbf"


class CsvRow(NamedTuple):
    """A record: `value` by column name where it has one value per column, else the `reason`."""

    line: int
    value: dict[str, str] | None
    reason: str
    number_text: str | None


class _RecordTooLong(Exception):
    """The record in hand is longer than MAX_ROW."""


class _Lines:
    """Physical lines as text, each kept until its record is complete, so it can be put back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._again: deque[tuple[int, str]] = deque()
        self._fault: MalformedRegisterFile | None = None
        self._read = 0
        self._size = 0
        self.record: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > MAX_ROW:
            raise _RecordTooLong
        line = self._again.popleft() if self._again else self._next_from_file()
        if line is None:
            if self._fault and not self.record:
                raise self._fault
            raise StopIteration  # for an unfinished record the fault is as the end of the file
        self.record.append(line)
        self._size += len(line[1])
        return line[1]

    def start_record(self) -> None:
        self.record = []
        self._size = 0

    def put_back_all_but_first(self) -> None:
        self._again.extendleft(reversed(self.record[1:]))

    @property
    def at_line(self) -> int:
        return self.record[0][0] if self.record else self._read

    @property
    def cut_off(self) -> bool:
        """Whether the record's last line has no line end, as where a file was cut short."""
        return not self.record[-1][1].endswith("\n")

    def _next_from_file(self) -> tuple[int, str] | None:
        """The next line; None at the end of the file and at a line that cannot be read."""
        raw = b"" if self._fault else self._stream.readline(MAX_ROW + 1)
        if not raw:
            return None
        self._read += 1
        if self._read == 1:
            raw = raw.removeprefix(_BOM)
        problem = f"the line is longer than {MAX_ROW} bytes; it is no register row"
        if len(raw) <= MAX_ROW:
            try:
                return self._read, raw.decode()
            except UnicodeDecodeError:
                problem = "the file is not in UTF-8; save it as CSV UTF-8"
        self._fault = MalformedRegisterFile(self._read, problem)
        return None


def csv_rows(stream: BinaryIO) -> Iterator[CsvRow]:
    """Yield every record after the header; blank lines are passed over.

    Raises MalformedRegisterFile, after every record before the fault was yielded.
    """
    lines = _Lines(stream)
    columns = _header(lines)
    number_at = columns.index(NUMBER)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.start_record()
        try:
            fields = next(reader)
            reason = _wrong_count(fields, columns)
        except StopIteration:
            return
        except (csv.Error, _RecordTooLong) as error:
            reader = csv.reader(lines, strict=True)  # the old one is in the middle of a field
            fields = lines.record[0][1].rstrip("\r\n").split(",")
            reason = (
                f"the row does not end within {MAX_ROW} characters; a quote is not closed"
                if isinstance(error, _RecordTooLong)
                else f"the row's quotes are wrong: {error}"
            )
        if not fields:
            continue
        line = lines.at_line
        number = fields[number_at].strip('" ') if number_at < len(fields) else None
        if not reason:
            yield CsvRow(line, dict(zip(columns, fields, strict=True)), "", number)
            continue
        if len(lines.record) > 1:
            lines.put_back_all_but_first()
        elif lines.cut_off and len(fields) < len(columns):
            raise MalformedRegisterFile(
                line, "the file ends in the middle of this row; fetch or export it again"
            )
        yield CsvRow(line, None, reason, number)


def _wrong_count(fields: list[str], columns: list[str]) -> str:
    if not fields or len(fields) == len(columns):
        return ""
    return f"the row has {len(fields)} values for {len(columns)} columns"


def _header(lines: _Lines) -> list[str]:
    try:
        columns = [name.strip() for name in next(csv.reader(lines, strict=True))]
    except StopIteration:
        raise MalformedRegisterFile(1, "the file is empty") from None
    except (csv.Error, _RecordTooLong) as error:
        raise MalformedRegisterFile(1, f"the first line does not name columns: {error}") from error
    if NUMBER not in columns:
        problem = f"the first line has to name the columns, among them {NUMBER}"
        if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
            problem += "; separate them with commas"
        raise MalformedRegisterFile(1, problem)
    if not any(name in columns for name in NAME_COLUMNS):
        raise MalformedRegisterFile(1, f"no column holds a name; use {' or '.join(NAME_COLUMNS)}")
    named = [name for name in columns if name]
    if len(set(named)) != len(named):
        raise MalformedRegisterFile(1, "two columns have the same name; rename or remove one")
    return columns
