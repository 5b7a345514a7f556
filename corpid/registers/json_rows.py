"""The objects of a huge JSON array, one at a time, in bounded memory, each with its line.

orjson parses whole values only, so this finds where each object ends. No proper beginning of a
JSON object is itself a JSON object: when the bytes up to some `}` parse, they are the object.
Rows are flat in practice, so the first `}` is nearly always right, and only where it is not are
strings and nesting looked at byte by byte.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import orjson

from corpid.registers.malformed import MAX_ROW, MalformedRegisterFile

BLOCK: Final = 256 * 1024
MAX_DEPTH: Final = 32
"""Deepest nesting inside a row; the Registry's rows have none."""

_BLANKS: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LEXEME: Final = re.compile(_STRING + rb'|[\[\]{}"]', re.DOTALL)
_SCALAR: Final = re.compile(_STRING + rb'|[^\s,\[\]{}"]+', re.DOTALL)
_ROW_BOUNDARY: Final = re.compile(rb"\}(?=[ \t\r\n]*,[ \t\r\n]*\{)")
_LAST_BOUNDARY: Final = re.compile(rb"\}(?=[ \t\r\n]*\][ \t\r\n]*\Z)")
_NEXT_ROW: Final = re.compile(rb",[ \t\r\n]*(?=\{)")


class JsonRow(NamedTuple):
    """An element of the array: `value` where it is an object, else the `reason` why not."""

    line: int
    value: dict[str, Any] | None
    reason: str


class JsonRows:
    """Iterate once over the elements of the JSON array in `stream`.

    Raises MalformedRegisterFile, after every row before the fault was yielded. A row with a
    syntax error in it is yielded with its reason and the next row is found again.
    """

    def __init__(self, stream: BinaryIO, *, block: int = BLOCK, max_row: int = MAX_ROW) -> None:
        self._stream = stream
        self._block = block
        self._max_row = max_row
        self._buffer = b""
        self._at = 0
        self._ended = False
        self._line = 1
        self._line_at = 0

    def __iter__(self) -> Iterator[JsonRow]:
        self._open_array()
        if self._next_byte() == b"]":
            self._close_array()
            return
        while True:
            first = self._next_byte()
            if first == b"{":
                yield from self._object()
            else:
                yield self._not_an_object(first)
            separator = self._next_byte()
            self._at += 1
            if separator == b"]":
                self._at -= 1
                self._close_array()
                return
            if separator != b",":
                self._at -= 1
                raise self._malformed(
                    "the file ends in the middle of the array; fetch or export it again"
                    if not separator
                    else "a comma or the closing ] is missing here"
                )

    # -- the array ----------------------------------------------------------------------------

    def _open_array(self) -> None:
        self._fill()
        if self._buffer.startswith(b"\xef\xbb\xbf"):
            self._at = 3
        first = self._next_byte()
        if first != b"[":
            raise self._malformed(
                "the file is empty"
                if not first
                else "a JSON array of rows begins with [; this file begins with something else"
            )
        self._at += 1

    def _close_array(self) -> None:
        self._at += 1
        if self._next_byte():
            raise self._malformed("there is more after the closing ] of the array; remove it")

    def _next_byte(self) -> bytes:
        """Skip blanks; the byte there, or b"" at the end of the file."""
        while True:
            skipped = _BLANKS.match(self._buffer, self._at)
            self._at = skipped.end() if skipped else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if self._ended:
                return b""
            self._fill()

    # -- one row ------------------------------------------------------------------------------

    def _object(self) -> Iterator[JsonRow]:
        if len(self._buffer) - self._at <= self._max_row and not self._ended:
            self._fill()
        start = self._at
        end = self._buffer.find(b"}", start, start + self._max_row) + 1
        if end:
            chunk = self._buffer[start:end]
            if b"[" not in chunk:  # else only the exact way counts the nesting
                try:
                    value = orjson.loads(chunk)
                except orjson.JSONDecodeError:
                    value = None  # a } in a string, a nested object, or a fault: told apart below
                if value is not None:
                    self._at = end
                    yield JsonRow(self._line_of(start), value, "")
                    return
        yield from self._object_exactly(start)

    def _object_exactly(self, start: int) -> Iterator[JsonRow]:
        end = self._balanced_end(start)
        if end:
            try:
                value = orjson.loads(self._buffer[start:end])
            except orjson.JSONDecodeError as error:
                reason = f"the row is not valid JSON: {error.msg}"
            else:
                self._at = end
                yield JsonRow(self._line_of(start), value, "")
                return
        else:
            reason = "a quote or bracket in the row is never closed"
        yield from self._recover(start, reason, closed=bool(end))

    def _balanced_end(self, start: int) -> int:
        """Where the value that opens at `start` closes; 0 if not within the bound."""
        open_brackets = bytearray()
        for lexeme in _LEXEME.finditer(self._buffer, start, start + self._max_row):
            kind = lexeme[0]
            if kind in (b"{", b"["):
                open_brackets += kind
                if len(open_brackets) > MAX_DEPTH:
                    raise self._malformed(
                        f"the row is nested more than {MAX_DEPTH} deep; a row of the open data "
                        "is a flat object"
                    )
            elif kind in (b"}", b"]"):
                if open_brackets.pop() != kind[0] - 2:  # in ASCII { and [ are 2 before } and ]
                    return 0
                if not open_brackets:
                    return lexeme.end()
            elif kind == b'"':
                return 0  # never closed
        return 0

    def _recover(self, start: int, reason: str, *, closed: bool) -> Iterator[JsonRow]:
        """Report the faulty row at `start`, and go on at the next place where a row can begin.

        In a flat row that place is certain. Where the row has an array, objects in the array look
        like rows: nothing after it is read.
        """
        limit = start + self._max_row
        boundary = _ROW_BOUNDARY.search(self._buffer, start, limit)
        if boundary is None and self._ended and len(self._buffer) <= limit:
            boundary = _LAST_BOUNDARY.search(self._buffer, start)
        if boundary is None:
            raise self._unreadable(start)
        end = boundary.end()
        broken = self._buffer[start:end]
        self._check_encoding(broken)
        if any(lexeme[0] == b"[" for lexeme in _LEXEME.finditer(broken)):
            raise self._malformed(f"{reason}; correct it") if closed else self._unreadable(start)
        yield JsonRow(self._line_of(start), None, reason)
        self._at = end
        # Where the faulty row lost its own }, the boundary is that of a good row after it.
        for comma in _NEXT_ROW.finditer(broken):
            try:
                value = orjson.loads(broken[comma.end() :])
            except orjson.JSONDecodeError:
                continue
            if "Brn" in value:
                yield JsonRow(self._line_of(start + comma.end()), value, "")
                return

    def _not_an_object(self, first: bytes) -> JsonRow:
        if not first:
            raise self._malformed(
                "the file ends in the middle of the array; fetch or export it again"
            )
        if first in (b",", b"]", b"}"):
            raise self._malformed("a row is missing here; remove the comma or bracket too many")
        if len(self._buffer) - self._at <= self._max_row and not self._ended:
            self._fill()
        start = self._at
        if first == b"[":
            end = self._balanced_end(start)
        else:
            scalar = _SCALAR.match(self._buffer, start, start + self._max_row)
            end = scalar.end() if scalar else 0
        if not end or end - start >= self._max_row:
            raise self._unreadable(start)
        self._check_encoding(self._buffer[start:end])
        self._at = end
        return JsonRow(self._line_of(start), None, "the row is not a JSON object")

    # -- what is wrong ------------------------------------------------------------------------

    def _unreadable(self, start: int) -> MalformedRegisterFile:
        """For a row that neither ends nor is followed by another within the bound."""
        rest = self._buffer[start : start + self._max_row]
        self._check_encoding(rest)
        if len(rest) == self._max_row:
            return self._too_long()
        return self._malformed("the file ends in the middle of this row; fetch or export it again")

    def _too_long(self) -> MalformedRegisterFile:
        return self._malformed(
            f"the row is longer than {self._max_row} bytes; remove it or correct its quotes"
        )

    def _check_encoding(self, data: bytes) -> None:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                return  # the piece was cut inside a character
            raise self._malformed("the file is not in UTF-8; save it as UTF-8") from error

    # -- the buffer and its lines -------------------------------------------------------------

    def _fill(self) -> None:
        """Drop what was read and append until more than a whole row is there, or the end."""
        self._line_of(self._at)
        self._buffer = self._buffer[self._at :]
        self._at = self._line_at = 0
        pieces = [self._buffer]
        size = len(self._buffer)
        while size <= self._max_row and not self._ended:
            piece = self._stream.read(self._block)
            self._ended = not piece
            pieces.append(piece)
            size += len(piece)
        self._buffer = b"".join(pieces)

    def _line_of(self, position: int) -> int:
        """The line of a position; positions are asked for in ascending order."""
        self._line += self._buffer.count(b"\n", self._line_at, position)
        self._line_at = position
        return self._line

    def _malformed(self, problem: str) -> MalformedRegisterFile:
        return MalformedRegisterFile(self._line_of(self._at), problem)
